"""Ledgers and metrics over a small chain whose figures were worked out by hand."""

from datetime import UTC, date, datetime

import pytest

from reporting.app import SERVICE
from reporting.facts.queries.completeness import completeness
from reporting.facts.queries.spans import branches_of, months_of
from reporting.kernel.scopes import CHAIN
from reporting.ledgers.queries.ledgers import ledger, ledgers
from reporting.metrics.queries.figures import figure, figures
from reporting.pages.pages import newest_month
from shared.consumer import apply_batch
from shared.database import Database
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support import facts

MARCH = date(2017, 3, 1)


@pytest.fixture(scope="module")
def conn(migrated_database):
    database = Database(migrated_database("reporting"), pool_size=2)
    apply_batch(database, SERVICE, history())
    with database.read() as connection:
        yield connection
    database.dispose()


def history():
    """March 2017 of two branches, with what came before."""
    a_year_and_a_day_before = date(2016, 2, 29)
    return [
        # S1, March 14: one receipt of two categories, one of one category; March 15: a walk-in.
        facts.sale(
            1,
            sale_id="A",
            customer="C1",
            lines=[
                facts.line("A1", category="otc", quantity=2, net_fen=2000, tax_fen=260, cost_fen=1200),
                facts.line("A2", category="rx", net_fen=500, tax_fen=65, cost_fen=300),
            ],
        ),
        facts.sale(2, sale_id="B", customer="C2", tender="cash"),
        facts.sale(3, sale_id="C", customer=None, day=date(2017, 3, 15)),
        # S2: C1 again; C3, whose only sale is fully returned within March.
        facts.sale(4, sale_id="D", customer="C1", branch="S2"),
        facts.sale(5, sale_id="E", customer="C3", branch="S2"),
        facts.refund(6, sale_id="E", branch="S2", day=date(2017, 3, 20)),
        # Half of line A1 is refunded: A still counts as a visit.
        facts.refund(7, sale_id="A", line_id="A1", day=date(2017, 3, 31)),
        # Before March: C1 bought at S1; C2 too long ago (2016-02-29 is 366 days before 2017-03-01).
        facts.sale(8, sale_id="F", customer="C1", day=date(2016, 12, 24)),
        facts.sale(9, sale_id="G", customer="C2", day=a_year_and_a_day_before),
        # C4 bought in March and, in February, something that was returned in March: not a return visit.
        facts.sale(10, sale_id="H", customer="C4", branch="S2"),
        facts.sale(11, sale_id="I", customer="C4", branch="S2", day=date(2017, 2, 1)),
        facts.refund(12, sale_id="I", branch="S2", day=date(2017, 3, 2)),
        # April: not March.
        facts.sale(13, sale_id="J", customer="C2", day=date(2017, 4, 1)),
        facts.statement_published(14, statement_id="st1", leaf_lines=40),
        # Of a quarter: it counts on the day it was published. Changes in equity are no kind of M1.
        facts.statement_published(
            15, statement_id="st2", leaf_lines=60, on_time=False, kind="cashflow", span="quarter"
        ),
        facts.statement_published(19, statement_id="st3", leaf_lines=144, kind="equity", span="year"),
        facts.statement_published(16, statement_id="st2", leaf_lines=60, version=2, day=date(2017, 5, 1)),
        # One material line told twice, one immaterial; and one found more than 12 months later.
        facts.statement_restated(
            17,
            statement_id="st2",
            lines=[("1122", True), ("1122", True), ("1405", False)],
            day=date(2017, 5, 1),
        ),
        facts.statement_restated(18, statement_id="st1", lines=[("1001", True)], day=date(2018, 3, 15)),
        facts.return_requested(1, reason="damaged"),
        facts.return_requested(2, reason="quality", branch="S2"),
        facts.return_refused(3, cause="not_ours"),
        facts.return_settled(4, reason="damaged", dispositions=("destroy", "restock")),
        facts.return_settled(5, reason="damaged", branch="S2"),
        # Ten delivered, two not; C1 answers on the 1st, 15th and 31st: the 1st and the 31st count.
        *(facts.survey_sent(n) for n in range(1, 11)),
        facts.survey_sent(11, delivered=False),
        facts.survey_sent(12, delivered=False),
        facts.survey_answered(13, customer="C1", scores=(5, 4, 3), day=date(2017, 3, 1)),
        facts.survey_answered(14, customer="C1", scores=(1, 1, 1), day=date(2017, 3, 15)),
        facts.survey_answered(15, customer="C1", scores=(4, 5, 2), day=date(2017, 3, 31)),
        facts.survey_answered(16, customer="C2", scores=(3, 5, 5), branch="S2", day=date(2017, 3, 31)),
        facts.feedback(17),
        facts.feedback(18, channel="letter"),
        facts.feedback(19, kind="suggestion", branch="S2"),
        facts.feedback(20),
    ]


@pytest.mark.requirement("P2")
def test_the_sales_ledger_has_a_row_per_day_and_category_and_sums_to_its_totals(conn):
    book = ledger(conn, "sales", MARCH, "S1")
    otc = {"day": "2017-03-14", "category": "otc", "receipts": 2, "quantity": 3, "net_fen": 3000}
    assert otc.items() <= book["rows"][0].items()
    assert [(row["day"], row["category"]) for row in book["rows"]] == [
        ("2017-03-14", "otc"),
        ("2017-03-14", "rx"),
        ("2017-03-15", "otc"),
        ("2017-03-31", "otc"),
    ]
    assert book["rows"][3]["refund_total_fen"] == 1130
    assert book["totals"] == {
        "receipts": 3,
        "identified_receipts": 2,
        "quantity": 5,
        "net_fen": 4500,
        "tax_fen": 585,
        "total_fen": 5085,
        "cost_fen": 2700,
        "margin_fen": 1800,
        "refund_quantity": 1,
        "refund_net_fen": 1000,
        "refund_tax_fen": 130,
        "refund_total_fen": 1130,
    }
    assert book["tenders"] == {"wechat": 3955, "cash": 1130}


@pytest.mark.requirement("P2")
def test_the_chain_is_the_sum_of_its_branches(conn):
    books = ledgers(conn, "sales", MARCH)
    assert sorted(books) == [CHAIN, "S1", "S2"]
    for name, value in books[CHAIN]["totals"].items():
        assert value == books["S1"]["totals"][name] + books["S2"]["totals"][name]
    assert books[CHAIN] == ledger(conn, "sales", MARCH)
    assert books["S2"] == ledger(conn, "sales", MARCH, "S2")


@pytest.mark.requirement("P2")
def test_the_returns_ledger_counts_a_return_of_two_dispositions_once(conn):
    book = ledger(conn, "returns", MARCH)
    figures = [(row["reason"], row["disposition"], row["returns"], row["total_fen"]) for row in book["rows"]]
    assert figures == [("damaged", "destroy", 2, 2260), ("damaged", "restock", 1, 1130)]
    assert book["totals"]["returns"] == 2
    assert book["totals"]["quantity"] == 6
    assert book["events"] == [
        {"fact": "refused", "cause": "not_ours", "returns": 1, "amount_fen": 0},
        {"fact": "requested", "cause": "damaged", "returns": 1, "amount_fen": 2260},
        {"fact": "requested", "cause": "quality", "returns": 1, "amount_fen": 2260},
        {"fact": "settled", "cause": "", "returns": 2, "amount_fen": 3390},
    ]


@pytest.mark.requirement("P2")
def test_the_feedback_ledger_counts_records_per_channel_and_kind(conn):
    assert ledger(conn, "feedback", MARCH, "S1") == {
        "rows": [
            {"channel": "letter", "kind": "complaint", "records": 1},
            {"channel": "phone", "kind": "complaint", "records": 2},
        ],
        "totals": {"records": 3},
    }


@pytest.mark.requirement("P2")
def test_statement_accuracy_counts_lines_without_a_material_error_found_in_time(conn):
    found = figure(conn, "M1", MARCH)
    assert (found.numerator, found.denominator, found.value_bp) == (99, 100, 9900)
    assert not found.low_sample
    assert found.detail == {
        "runs": 2,
        "restated_runs": 1,
        "on_time_runs": 1,
        "lines_with_material_error": 1,
        "run_accuracy_bp": 5000,
        "timeliness_bp": 5000,
    }
    assert figure(conn, "M1", MARCH, "S1") == found


@pytest.mark.requirement("P2")
def test_satisfaction_weighs_three_dimensions_of_one_answer_per_customer_and_30_days(conn):
    found = figure(conn, "M2", MARCH)
    # Answers (5,4,3), (4,5,2), (3,5,5): sums 12, 14, 10; weights 2:2:1 of 5: 62 of 75.
    assert (found.numerator, found.denominator, found.n) == (62, 75, 3)
    assert found.value_bp == 8267
    assert found.low_sample
    assert found.detail["dimensions"]["quality"] == {
        "satisfied": 2,
        "answers": 3,
        "csat_bp": 6667,
        "mean_milli": 4000,
    }
    assert (found.detail["answered"], found.detail["delivered"]) == (4, 10)
    assert found.detail["response_rate_bp"] == 4000
    assert figure(conn, "M2", MARCH, "S2").n == 1


@pytest.mark.requirement("P2")
def test_a_return_visit_needs_a_sale_that_was_kept_now_and_in_the_365_days_before(conn):
    found = figure(conn, "M3", MARCH)
    # C1 (again), C2 (too long ago), C4 (the earlier one was returned); C3 returned everything.
    assert (found.numerator, found.denominator, found.value_bp) == (1, 3, 3333)
    assert found.detail == {
        "identified_sales": 5,
        "sales": 6,
        "coverage_bp": 8333,
        "looks_back_whole": True,
    }
    at_s1, at_s2 = figure(conn, "M3", MARCH, "S1"), figure(conn, "M3", MARCH, "S2")
    assert (at_s1.numerator, at_s1.denominator, at_s1.value_bp) == (1, 2, 5000)
    assert (at_s2.numerator, at_s2.denominator) == (0, 2)
    # S2 has sold since February 2017 alone: whether its customers had come before is not known.
    assert (at_s2.value_bp, at_s2.low_sample, at_s2.detail["looks_back_whole"]) == (None, True, False)


@pytest.mark.requirement("P2")
def test_a_visit_counts_on_its_business_day_however_late_it_was_booked(migrated_database):
    """An offline till told two sales of February in March, when the books of February were closed."""
    late = [
        facts.sale(number, sale_id=f"late-{customer}", customer=customer, day=date(2017, 3, 2))
        for number, customer in ((1, "C2"), (2, "C3"))
    ]
    for each in late:
        each.data["business_date"] = "2017-02-20"
    database = Database(migrated_database("reporting"), pool_size=2)
    apply_batch(
        database,
        SERVICE,
        [*late, facts.sale(3, customer="C1", day=date(2017, 2, 10)), facts.sale(4, customer="C2")],
    )
    with database.read() as conn:
        found = {month: figure(conn, "M3", date(2017, month, 1)) for month in (2, 3)}
        booked = ledger(conn, "sales", MARCH)["totals"]["receipts"]
    database.dispose()
    visits = {month: (each.numerator, each.denominator) for month, each in found.items()}
    assert visits == {2: (0, 3), 3: (1, 1)}
    assert booked == 3  # money is where it was booked


def test_nothing_to_measure_is_no_value_rather_than_zero_percent(conn):
    for code in ("M1", "M2", "M3"):
        found = figure(conn, code, date(2019, 1, 1))
        assert (found.denominator, found.value_bp, found.low_sample) == (0, None, True)


def test_all_metrics_at_once_are_the_metrics_one_by_one(conn):
    made = figures(conn, MARCH)
    assert {(each.code, each.branch_id) for each in made} >= {("M1", ""), ("M2", "S1"), ("M3", "S2")}
    for each in made:
        assert each == figure(conn, each.code, MARCH, each.branch_id)


def test_months_and_branches_are_those_with_facts(conn):
    assert months_of(conn)[:3] == [date(2018, 3, 1), date(2017, 5, 1), date(2017, 4, 1)]
    assert branches_of(conn, MARCH) == ["S1", "S2"]


def test_the_newest_month_is_that_of_shanghai(conn):
    """At 01:00 on March 1 in Shanghai it is still February in UTC."""
    tx = Tx(conn=conn, actor=system_actor("reporting"), now=datetime(2017, 2, 28, 17, tzinfo=UTC))
    assert newest_month(tx) == MARCH


@pytest.mark.requirement("X3")
def test_completeness_has_a_row_per_source_even_before_anything_was_counted(conn):
    assert [each["source"] for each in completeness(conn, tuple(SERVICE.sources))] == list(SERVICE.sources)
