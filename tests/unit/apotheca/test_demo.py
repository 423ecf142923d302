"""The demonstration's pure parts: how the source is told, and how sums are kept."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apotheca import (
    demo,
    demo_bank,
    demo_books,
    demo_import,
    demo_institution,
    demo_institution_proof,
    demo_receipts,
    demo_reports,
)
from apotheca import demo_catalogue as catalogue
from apotheca.demo_catalogue import Product
from apotheca.demo_institution_proof import Proof, Sums
from apotheca.demo_receipts import Line, Receipt
from apotheca.refusals import CannotRun
from finance.bank_files.rules import camt
from shared.clock import SHANGHAI


def a_product(source_category="ANALGESICS", source_type="ADULT ANALGESICS"):
    return Product(
        product_id="1001",
        maker="Manufacturer 7",
        source_category=source_category,
        source_type=source_type,
        package="24 CT",
    )


def a_receipt(
    *lines, basket_id=31, store_id=367, household_id=5, sold_at=datetime(2017, 2, 28, 23, 59, tzinfo=SHANGHAI)
):
    return Receipt(
        basket_id=basket_id, store_id=store_id, household_id=household_id, sold_at=sold_at, lines=lines
    )


def a_line(quantity=2, paid_fen=499, product=None):
    return Line(product=product or a_product(), quantity=quantity, paid_fen=paid_fen)


@given(st.integers(0, 10**7), st.integers(1, 200))
def test_price_and_discount_give_exactly_what_was_paid(paid_fen, quantity):
    unit_fen, discount_fen = demo_receipts.price_and_discount(paid_fen, quantity)
    assert unit_fen * quantity - discount_fen == paid_fen
    assert 0 <= discount_fen < quantity


@given(st.integers(0, 10**7), st.sampled_from([0, 1100, 1300, 1700]))
def test_net_and_tax_make_the_price(paid_fen, tax_bp):
    net_fen = demo_receipts.net_of(paid_fen, tax_bp)
    assert 0 <= net_fen <= paid_fen
    assert abs(net_fen * (10_000 + tax_bp) - paid_fen * 10_000) <= 5_000 + tax_bp


def test_the_business_day_is_the_shops_own_day():
    late_evening_in_the_shop = datetime(2018, 1, 1, 3, 50, 3)
    assert demo_receipts.wall_time(late_evening_in_the_shop) == datetime(
        2017, 12, 31, 22, 50, 3, tzinfo=SHANGHAI
    )


def test_a_receipt_is_told_in_the_shape_of_finance():
    told = demo_receipts.for_finance(a_receipt(a_line(quantity=2, paid_fen=499)), "c-1")
    assert told["branch_id"] == "B367"
    assert told["sold_at"] == "2017-02-28T15:59:00+00:00"
    (line,) = told["lines"]
    assert (line["unit_price"]["fen"], line["discount"]["fen"]) == (250, 1)
    assert (line["lot"], line["expiry"]) == ("SIM201702-1001", "2019-02-28")
    # 4.99 holds 17 % tax: 4.26 net, of which 70 % is the assumed cost.
    assert line["cost"]["fen"] == 298
    assert sum(tender["amount"]["fen"] for tender in told["tenders"]) == 499


def test_a_receipt_that_cost_nothing_has_no_tender():
    assert demo_receipts.for_finance(a_receipt(a_line(paid_fen=0)), None)["tenders"] == []


def test_every_run_tells_the_same():
    receipt = a_receipt(a_line(), a_line(quantity=0, paid_fen=0))
    assert demo_receipts.for_finance(receipt, "c-1") == demo_receipts.for_finance(receipt, "c-1")


def test_a_bad_line_is_told_as_it_is_so_that_finance_refuses_it():
    (line,) = demo_receipts.for_finance(a_receipt(a_line(quantity=0, paid_fen=0)), None)["lines"]
    assert line["quantity"] == 0


def test_the_busiest_stores_come_first_and_equal_ones_by_number():
    receipts = [a_receipt(a_line(), store_id=store) for store in (9, 4, 9, 2)]
    assert demo_receipts.busiest_stores(receipts, 2) == [9, 2]


def test_a_household_lives_where_it_buys_most():
    receipts = [a_receipt(a_line(), store_id=store, household_id=5) for store in (9, 4, 9)]
    assert demo_receipts.home_stores(receipts) == {5: 9}


@pytest.mark.parametrize(
    ("source_category", "source_type", "category", "temp_class"),
    [
        ("ANALGESICS", "ADULT ANALGESICS", "otc", "normal"),
        ("VITAMINS", "VITAMIN - MINERALS", "health_food", "cool"),
        ("CANDY - PACKAGED", "CANDY REFRIGERATED", "food", "cold_2_8"),
        ("CANDY - PACKAGED", "CANDY BAGS-CHOCOCLATE", "food", "cool"),
        ("BATTERIES", "ALKALINE BATTERIES", "general", "normal"),
    ],
)
def test_products_get_a_category_and_a_temperature_class(source_category, source_type, category, temp_class):
    product = a_product(source_category, source_type)
    assert (catalogue.category_of(product), catalogue.temp_class_of(product)) == (category, temp_class)


@pytest.mark.parametrize(
    ("product", "on", "rate"),
    [
        (a_product(), date(2017, 1, 1), 1700),
        (a_product("MAGAZINE", "TV/MOVIE-MAGAZINE"), date(2017, 6, 30), 1300),
        (a_product("MAGAZINE", "TV/MOVIE-MAGAZINE"), date(2017, 7, 1), 1100),
        (a_product("FAMILY PLANNING", "PROPHYLACTICS"), date(2017, 7, 1), 0),
        (a_product("FAMILY PLANNING", "FEMALE CONTRACEPTIVES"), date(2017, 2, 1), 0),
        (a_product("FAMILY PLANNING", "PREGNANCY TEST KITS"), date(2017, 2, 1), 1700),
    ],
)
def test_the_tax_rate_is_the_one_of_the_day(product, on, rate):
    assert catalogue.tax_bp_of(product, on) == rate


def test_no_source_category_has_two_of_ours():
    named = [source for sources in catalogue.DATA["categories"].values() for source in sources]
    assert len(named) == len(catalogue.CATEGORY_BY_SOURCE)


def test_the_refusal_of_a_receipt_names_its_faulty_lines():
    answer = {
        "errors": [
            {"path": "lines.0.quantity", "message": "at least 1"},
            {"path": "lines.2.quantity", "message": "at least 1"},
            {"path": "lines.2.lot", "message": "too long"},
        ]
    }
    assert demo_import.faulty_lines(answer) == {
        0: "quantity: at least 1",
        2: "quantity: at least 1; lot: too long",
    }


def test_a_refusal_of_the_whole_receipt_names_no_line():
    assert demo_import.faulty_lines({"errors": [{"path": "tenders", "message": "do not sum"}]}) == {}


def test_what_is_left_of_a_receipt_keeps_its_order():
    first, second, third = a_line(paid_fen=1), a_line(paid_fen=2), a_line(paid_fen=3)
    assert a_receipt(first, second, third).without({1}).lines == (first, third)


def test_refused_lines_are_listed_with_their_reason(tmp_path):
    receipt = a_receipt(a_line(quantity=0, paid_fen=7))
    refused = demo_import.RefusedLine(receipt=receipt, line=receipt.lines[0], reason="quantity: at least 1")
    demo_import.write_refused(tmp_path / "demo" / "refused.csv", [refused])
    header, row = (tmp_path / "demo" / "refused.csv").read_text().splitlines()
    assert header.startswith("receipt_number,branch_id,")
    assert row == "31,B367,2017-02-28T23:59:00+08:00,1001,0,7,quantity: at least 1"


def test_sums_are_counted_from_the_source():
    sums = demo_reports.sums_of([a_receipt(a_line(2, 499), a_line(1, 100)), a_receipt(a_line(3, 0))])
    assert (sums.receipts, sums.quantity, sums.total_fen) == (2, 6, 599)


@pytest.mark.parametrize(("fen", "shown"), [(123456, "1,234.56"), (-5, "-0.05"), (0, "0.00")])
def test_money_is_shown_in_yuan(fen, shown):
    assert demo_reports.yuan(fen) == shown


BEGAN = date(2026, 11, 30)


def test_the_banks_file_holds_every_transfer_of_the_institution_and_its_sum():
    transfers = demo_institution.payments_of(BEGAN)
    [statement] = camt.read(demo_bank.camt053(transfers, transfers[0].day, BEGAN))
    assert statement.account == demo_bank.NUMBER
    assert [(each.booked_on, each.fen) for each in statement.lines] == [
        (each.day, each.fen) for each in transfers
    ]
    assert all(
        each.reference in line.reference for each, line in zip(transfers, statement.lines, strict=True)
    )
    assert (statement.opening_fen, statement.closing_fen) == (0, sum(each.fen for each in transfers))


def test_the_bank_is_reconciled_for_every_month_that_is_over_and_not_for_this_one():
    transfers = demo_institution.payments_of(BEGAN)
    assert demo_bank.months_over(transfers, BEGAN) == ["2026-10"]
    assert demo_bank.months_over(demo_institution.payments_of(date(2027, 2, 3)), date(2027, 2, 3)) == [
        "2026-12",
        "2027-01",
    ]


def test_the_first_payment_comes_in_time_and_the_rest_only_when_a_letter_is_due():
    due_on = BEGAN - timedelta(days=demo_institution.DUE_DAYS_AGO)
    first, _, rest = demo_institution.payments_of(BEGAN)
    assert first.day <= due_on
    assert (rest.day - due_on).days >= 15
    assert first.fen + rest.fen == demo_institution.CARRIED_FEN


def test_every_instalment_of_the_contract_is_whole_fen():
    shares = [share_bp for _, share_bp in demo_institution.INSTALMENTS]
    assert sum(shares) == 10_000
    assert all(demo_institution.SOLD_FEN * share_bp % 10_000 == 0 for share_bp in shares)


SUMS = Sums(charged_fen=10, paid_fen=7, open_fen=3)
AGREED = Proof(plan=SUMS, journal=SUMS, items=SUMS, bank_fen=7, reporting_fen=demo_institution.SOLD_FEN)


@pytest.mark.parametrize(
    "odd",
    [
        {"journal": replace(SUMS, open_fen=4)},
        {"items": replace(SUMS, paid_fen=8)},
        {"bank_fen": 8},
        {"reporting_fen": 9},
    ],
)
def test_one_fen_that_anybody_tells_differently_of_the_institution_fails_the_demonstration(odd):
    demo_institution_proof.require(AGREED)
    with pytest.raises(CannotRun):
        demo_institution_proof.require(replace(AGREED, **odd))


@pytest.mark.parametrize("owed_fen", [99, 101, 0, -100])
def test_points_that_the_books_owe_differently_in_one_month_fail_the_demonstration(monkeypatch, owed_fen):
    part = demo_receipts.Slice(last_month=2)
    agreed = demo_books.Points(month=date(2017, 1, 1), told=100, owed_fen=100 * demo_books.POINT_FEN)
    odd = replace(agreed, month=date(2017, 2, 1), owed_fen=owed_fen * demo_books.POINT_FEN)
    monkeypatch.setattr(demo_books, "points_of", lambda _system, months: [agreed, agreed])
    demo._compare_points(None, part)
    monkeypatch.setattr(demo_books, "points_of", lambda _system, months: [agreed, odd])
    with pytest.raises(CannotRun, match="100 points in 2017-02"):
        demo._compare_points(None, part)
