"""Purchase prices in, moving average out, and 1405 tells the value of what lies on the shelves."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from finance.costs import jobs
from finance.costs.queries import require_costed
from finance.costs.rules import CostRunMissing
from shared.clock import business_date, month_of, utc_now
from shared.identity import system_actor
from shared.sequencer import number_events
from shared.transaction import Tx
from tests.support.expenses_builders import a_branch, a_goods_line, a_goods_receipt, an_invoice, at_once
from tests.support.finance_builders import a_line, money, refused


def receive(office, branch, *lines, **odd):
    answer = office.post("/v1/goods-receipts", a_goods_receipt(branch, *lines, **odd), role="accountant")
    assert answer.status_code == 201, answer.json
    return answer.json


def sell(office, branch, quantity=2, *, day=3, cost=2_300, **odd):
    gross = {"unit_price": money(2_000), "discount": money(0)}
    return office.sell(
        branch_id=branch,
        sold_at=f"2026-03-{day:02}T02:00:00Z",
        lines=[a_line(quantity=quantity, cost=money(cost), **gross, **odd)],
    )


def cost(office, branch, month="2026-03", **who):
    return office.post("/v1/cost-runs", {"branch_id": branch, "month": month}, role="accountant", **who)


def stock(office, branch):
    rows = office.get(f"/v1/stock-balances?branch_id={branch}").json["items"]
    moved = office.rows(
        "select product_id, lot, sum(quantity)::bigint, sum(value_fen)::bigint from stock_moves"
        " where branch_id = :b group by product_id, lot order by 1, 2",
        b=branch,
    )
    shown = [(row["product_id"], row["lot"], row["quantity"], row["value"]["fen"]) for row in rows]
    assert shown == moved, "a lot's moves sum to its stock"
    return {(row[0], row[1]): (row[2], row[3]) for row in shown}


def reconciliation(office, branch):
    return office.get(f"/v1/stock-reconciliations?branch_id={branch}").json


def facts(office, event_type, branch):
    return [
        row[0]
        for row in office.rows(
            "select data from outbox where type = :type and data ->> 'branch_id' = :branch order by id",
            type=event_type,
            branch=branch,
        )
    ]


@pytest.mark.requirement("F1", "F5")
def test_a_receipt_is_booked_against_the_supplier_and_lies_on_the_shelf(office):
    branch = a_branch()
    made = receive(office, branch, a_goods_line(), a_goods_line(lot="L2", quantity=3, unit_price=money(333)))
    assert (made["net"], made["tax"], made["booked_on"]) == (money(10_999), money(1_430), "2026-03-01")
    posted = office.rows(
        "select account, debit_fen, credit_fen from journal_lines where branch_id = :b order by account",
        b=branch,
    )
    assert posted == [("1405", 10_999, 0), ("2202", 0, 12_429), ("2221.01.02", 1_430, 0)]
    assert stock(office, branch) == {("P-1", "L1"): (10, 10_000), ("P-1", "L2"): (3, 999)}
    assert reconciliation(office, branch)["difference"] == money(0)
    assert office.get(f"/v1/goods-receipts/{made['goods_receipt_id']}").json == made


@pytest.mark.requirement("F5")
def test_a_month_is_costed_at_the_moving_average_and_ties_to_the_ledger(office):
    """10 at 10.00 and 10 at 13.00 after 5 went: 5 × 10.00, then (50.00 + 130.00) ÷ 15 = 12.00 each."""
    branch = a_branch()
    receive(office, branch)
    sell(office, branch, 5, day=2, cost=4_000)
    receive(office, branch, a_goods_line(unit_price=money(1_300)), received_on="2026-03-05")
    sell(office, branch, 5, day=7, cost=4_000)
    assert reconciliation(office, branch)["difference"] != money(0)
    run = cost(office, branch).json
    assert (run["adjustment"], run["lots"], run["no"]) == (money(5_000 + 6_000 - 8_000), 1, 1)
    assert stock(office, branch) == {("P-1", "L1"): (10, 12_000)}
    told = reconciliation(office, branch)
    assert (told["ledger"], told["stock"], told["difference"]) == (money(12_000), money(12_000), money(0))
    assert told["costed_until"] == "2026-03-31"
    entry = office.rows(
        "select l.account, l.debit_fen, l.credit_fen, e.booked_on::text from journal_entries e join journal_lines l"
        " on l.entry_id = e.id and l.booked_on = e.booked_on where e.source_id = cast(:id as uuid)",
        id=run["run_id"],
    )
    assert set(entry) == {("6401", 3_000, 0, "2026-03-31"), ("1405", 0, 3_000, "2026-03-31")}
    [posted] = facts(office, "finance.cost_run.posted.v1", branch)
    assert (posted["month"], posted["no"], posted["adjustment_fen"]) == ("2026-03", 1, 3_000)


@pytest.mark.requirement("F5")
def test_quantity_and_value_reach_zero_together(office):
    branch = a_branch()
    receive(
        office,
        branch,
        a_goods_line(quantity=3, unit_price=money(333)),
        a_goods_line(quantity=4, unit_price=money(501)),
    )
    for _ in range(7):
        sell(office, branch, 1, cost=0)
    cost(office, branch)
    assert stock(office, branch) == {("P-1", "L1"): (0, 0)}
    assert reconciliation(office, branch)["ledger"] == money(0)


@pytest.mark.requirement("F5")
def test_a_lot_bought_sold_and_returned_in_several_spellings_is_one_lot(office):
    """10 at 10.00 and 10 at 13.00 are 11.50 each, whoever typed them how."""
    branch = a_branch()
    receive(office, branch, a_goods_line(lot="ab-1"), a_goods_line(lot="AB-1 ", unit_price=money(1_300)))
    sell(office, branch, 2, cost=0, lot="ＡＢ-1")
    sale = sell(office, branch, 3, cost=0, lot="aB - 1")
    back = office.settled(sale, [(0, 1, "restock", 1_770, 230, 0)], branch_id=branch, lot="AB-1")
    assert office.hear(back).parked == 0
    look(office)
    alerts = office.get(f"/v1/below-cost-alerts?branch_id={branch}").json["items"]
    assert alerts == []  # 17.70 a pack is not below 11.50
    assert cost(office, branch).json["adjustment"] == money(4 * 1_150)
    assert stock(office, branch) == {("P-1", "AB-1"): (16, 18_400)}
    assert reconciliation(office, branch)["difference"] == money(0)
    margins = office.get(f"/v1/margins?from_month=2026-03&branch_id={branch}&by=lot").json["items"]
    assert [(row["lot"], row["cost"]["fen"]) for row in margins] == [("AB-1", 4_600)]


@pytest.mark.requirement("F5")
def test_a_month_costed_again_posts_only_what_came_late(office):
    branch = a_branch()
    receive(office, branch)
    sell(office, branch, 4, cost=1_000)
    assert cost(office, branch).json["adjustment"] == money(3_000)
    again = cost(office, branch).json
    assert (again["adjustment"], again["lots"], again["no"]) == (money(0), 0, 2)
    sell(office, branch, 6, day=20, cost=1_000)
    assert cost(office, branch).json["adjustment"] == money(5_000)
    assert stock(office, branch) == {("P-1", "L1"): (0, 0)}
    assert reconciliation(office, branch)["difference"] == money(0)
    runs = office.get(f"/v1/cost-runs?month=2026-03&branch_id={branch}").json["items"]
    assert [run["no"] for run in runs] == [1, 2, 3]


@pytest.mark.requirement("F5")
def test_a_run_covers_the_months_nobody_costed_and_later_months_forbid_earlier_ones(office):
    branch = a_branch()
    receive(office, branch, received_on="2026-02-10")
    office.sell(branch_id=branch, sold_at="2026-02-11T02:00:00Z", lines=[a_line(cost=money(500))])
    sell(office, branch, 2, cost=500)
    run = cost(office, branch).json
    assert (run["from"], run["adjustment"]) == ("2026-02-10", money(3_000))
    refused(cost(office, branch, "2026-02"), 409, "cost_later_month_done")
    assert cost(office, branch, "2026-04").json["from"] == "2026-04-01"


@pytest.mark.requirement("F5", "F22")
def test_goods_that_come_back_return_at_the_average(office):
    branch = a_branch()
    receive(office, branch)
    sale = sell(office, branch, 4, cost=2_000)
    back = office.settled(sale, [(0, 1, "restock", 1_770, 230, 500)], branch_id=branch)
    assert office.hear(back).parked == 0
    assert cost(office, branch).json["adjustment"] == money(3_000 - 1_500)
    assert stock(office, branch) == {("P-1", "L1"): (7, 7_000)}
    assert reconciliation(office, branch)["difference"] == money(0)


@pytest.mark.requirement("F5")
def test_goods_without_purchase_record_keep_the_cost_of_the_till(office):
    branch = a_branch()
    receive(office, branch, a_goods_line(quantity=1))
    sell(office, branch, 3, cost=1_500)
    sell(office, branch, 1, cost=700, lot="OLD")
    assert cost(office, branch).json["adjustment"] == money(1_000 - 500)
    told = reconciliation(office, branch)
    assert (told["stock"], told["difference"]) == (money(0), money(-1_700))


@pytest.mark.requirement("F5")
def test_what_may_not_be_costed_or_received_is_refused(office):
    branch = a_branch()
    refused(cost(office, branch), 409, "cost_nothing_purchased")
    refused(cost(office, branch, f"{utc_now():%Y}-12"), 409, "period_not_over")
    refused(cost(office, branch, branches=["OTHER"]), 403, "foreign_branch")
    body = a_goods_receipt(branch)
    foreign = office.post("/v1/goods-receipts", body, role="accountant", branches=["OTHER"])
    refused(foreign, 403, "foreign_branch")
    future = office.post("/v1/goods-receipts", {**body, "received_on": "2099-01-01"}, role="accountant")
    refused(future, 422, "received_in_future")
    early = office.post("/v1/goods-receipts", {**body, "received_on": "2009-12-31"}, role="accountant")
    refused(early, 422, "before_the_books")
    dear = {**body["lines"][0], "quantity": 10**6, "unit_price": money(10**6)}
    assert office.value("select count(*) from periods where month < '2010-01-01'") == 0
    for lines, code in (([dear], None), ([dear, {**dear, "quantity": 1}], "purchase_too_large")):
        answer = office.post("/v1/goods-receipts", {**body, "lines": lines}, role="accountant")
        assert answer.json.get("code") == code, answer.text
    odd = a_goods_receipt(branch, a_goods_line(), a_goods_line(tax_bp=1700))
    told = refused(
        office.post("/v1/goods-receipts", odd, role="accountant"), 422, "purchase_vat_rate_unknown"
    )
    assert [fault["path"] for fault in told["errors"]] == ["lines.1.tax_bp"]
    receive(office, branch, invoice_no="DOUBLE" + branch)
    again = office.post(
        "/v1/goods-receipts", a_goods_receipt(branch, invoice_no="DOUBLE" + branch), role="accountant"
    )
    refused(again, 409, "supplier_invoice_taken")
    assert office.get(f"/v1/goods-receipts/{uuid4()}").json["code"] == "goods_receipt_not_found"


# --- variance and margin ----------------------------------------------------------------------------


@pytest.mark.requirement("F5")
def test_prices_are_compared_with_the_standard_else_with_the_last(office):
    branch, product = a_branch(), f"P-{uuid4().hex[:8]}"

    def line(price, quantity=10):
        return a_goods_line(product_id=product, unit_price=money(price), quantity=quantity)

    first = receive(office, branch, line(1_000))["lines"][0]
    assert (first["reference"], first["variance"]) == (None, None)
    second = receive(office, branch, line(1_100), received_on="2026-03-02")["lines"][0]
    assert (second["reference"], second["variance"]) == ("last", money(1_000))
    price = {"product_id": product, "effective_from": "2026-03-03", "unit_price": money(900)}
    assert office.post("/v1/standard-prices", price, role="finance_head").status_code == 201
    third = receive(office, branch, line(800, 5), received_on="2026-03-04")["lines"][0]
    assert (third["reference"], third["reference_price"], third["variance"]) == (
        "standard",
        money(900),
        money(-500),
    )
    told = office.get(f"/v1/purchase-price-variances?month=2026-03&branch_id={branch}").json["items"]
    assert told == [
        {
            "key": product,
            "lines": 3,
            "quantity": 25,
            "actual": money(25_000),
            "compared": money(15_000),
            "reference": money(14_500),
            "variance": money(500),
            "variance_bp": 345,
        }
    ]
    by_supplier = office.get(
        f"/v1/purchase-price-variances?month=2026-03&branch_id={branch}&by=supplier"
    ).json
    assert [row["key"] for row in by_supplier["items"]] == ["SUP-1"]
    lines = [
        line for each in facts(office, "finance.goods_receipt.booked.v1", branch) for line in each["lines"]
    ]
    assert [each["compared_with"] for each in lines] == [None, "last", "standard"]
    compared = [each for each in lines if each["compared_with"]]
    assert sum(each["net_fen"] - each["quantity"] * each["reference_price_fen"] for each in compared) == 500


@pytest.mark.requirement("F5")
def test_margin_by_product_lot_branch_channel_and_month(office):
    branch = a_branch()
    receive(office, branch)
    sale = sell(office, branch, 4, cost=2_000)
    sell(office, branch, 1, cost=700, lot="OLD", product={"product_id": "P-2"})
    office.hear(office.settled(sale, [(0, 1, "restock", 1_770, 230, 500)], branch_id=branch))
    office.hear(office.settled(sale, [(0, 1, "destroy", 1_770, 230, 500)], branch_id=branch))
    cost(office, branch)

    def margins(**args):
        query = "&".join(f"{name}={value}" for name, value in args.items())
        answer = office.get(f"/v1/margins?from_month=2026-03&branch_id={branch}&{query}")
        assert answer.status_code == 200, answer.json
        return {
            (row["key"], row["lot"]): (
                row["quantity"],
                row["net"]["fen"],
                row["cost"]["fen"],
                row["margin"]["fen"],
            )
            for row in answer.json["items"]
        }

    whole = (3, 7_080 + 1_770 - 3_540, 4_000 - 1_000 + 700)
    assert margins(by="product") == {
        ("P-1", None): (2, 3_540, 3_000, 540),
        ("P-2", None): (1, 1_770, 700, 1_070),
    }
    assert margins(by="lot").keys() == {("P-1", "L1"), ("P-2", "OLD")}
    assert margins(by="branch") == {(branch, None): (*whole, whole[1] - whole[2])}
    assert margins(by="month", until="2026-04") == {("2026-03", None): (*whole, whole[1] - whole[2])}
    by_channel = margins(by="channel")
    assert by_channel["adjustment", None] == (0, 0, 1_500, -1_500)
    assert by_channel.keys() == {("store", None), ("adjustment", None)}
    assert tuple(map(sum, zip(*by_channel.values(), strict=True))) == (*whole, whole[1] - whole[2])
    page = office.get(f"/v1/margins?from_month=2026-03&branch_id={branch}&limit=1").json
    rest = office.get(
        f"/v1/margins?from_month=2026-03&branch_id={branch}&limit=1&cursor={page['next_cursor']}"
    ).json
    assert [page["items"][0]["key"], rest["items"][0]["key"]] == ["P-1", "P-2"]
    for until in ("2026-02", "2028-04"):
        answer = office.get(f"/v1/margins?from_month=2026-03&until_month={until}")
        refused(answer, 422, "margin_span_invalid")


# --- below cost -------------------------------------------------------------------------------------


def look(office):
    while True:
        with office.database.begin() as conn:
            while number_events(conn):
                pass
        with office.database.begin() as conn:
            if not jobs.find_sales_below_cost(Tx(conn=conn, actor=system_actor("finance"), now=utc_now())):
                return


@pytest.mark.requirement("F5")
def test_sales_below_cost_are_told_once_and_acknowledged_by_another(office):
    branch = a_branch()
    receive(office, branch, a_goods_line(unit_price=money(1_900)))
    sell(office, branch, 1, cost=0, lot="l1")
    dear = sell(office, branch, 1, cost=1_771, lot="OLD")
    sell(office, branch, 1, cost=1_770, lot="OLD")
    look(office)
    look(office)
    path = f"/v1/below-cost-alerts?branch_id={branch}"
    found = office.get(path).json["items"]
    assert sorted((row["lot"], row["basis"], row["net"]["fen"], row["cost"]["fen"]) for row in found) == [
        ("OLD", "till", 1_770, 1_771),
        ("l1", "average", 1_770, 1_900),
    ]
    line_id = dear["lines"][0]["line_id"]
    acknowledge = f"/v1/below-cost-alerts/{line_id}/acknowledge"
    reason = {"reason": "short dated"}
    mine = {"role": "store_manager", "person": "the-till"}
    refused(office.post(acknowledge, reason, **mine), 403, "below_cost_seller")
    foreign = office.post(acknowledge, reason, role="store_manager", branches=["OTHER"])
    refused(foreign, 403, "foreign_branch")
    assert office.post(acknowledge, reason, role="store_manager").status_code == 200
    refused(office.post(acknowledge, reason, role="finance_auditor"), 409, "below_cost_alert_acknowledged")
    nowhere = office.post(f"/v1/below-cost-alerts/{uuid4()}/acknowledge", reason, role="store_manager")
    refused(nowhere, 404, "below_cost_alert_not_found")
    assert [row["lot"] for row in office.get(path).json["items"]] == ["l1"]
    assert len(office.get(f"{path}&open=false").json["items"]) == 2


# --- at once, and by themselves ---------------------------------------------------------------------


@pytest.mark.requirement("F5")
def test_receipts_of_one_lot_at_once_lose_nothing(office):
    branch = a_branch()
    lots = [a_goods_line(lot="L1", unit_price=money(333)), a_goods_line(lot="L2", quantity=7)]
    answers = at_once(
        [
            lambda lines=lines: office.post(
                "/v1/goods-receipts", a_goods_receipt(branch, *lines), role="accountant"
            )
            for lines in (lots, lots[::-1]) * 4
        ]
    )
    assert [answer.status_code for answer in answers] == [201] * 8
    assert stock(office, branch) == {("P-1", "L1"): (80, 26_640), ("P-1", "L2"): (56, 56_000)}
    assert reconciliation(office, branch)["difference"] == money(0)


@pytest.mark.requirement("F5")
def test_runs_and_receipts_at_once_post_every_adjustment_once(office):
    branch = a_branch()
    receive(office, branch)
    sell(office, branch, 5, cost=1_000)

    def again():
        return office.post("/v1/goods-receipts", a_goods_receipt(branch), role="accountant")

    answers = at_once([lambda: cost(office, branch), again, lambda: cost(office, branch), again])
    assert [answer.status_code for answer in answers] == [201] * 4
    cost(office, branch)
    posted = office.value(
        "select sum(debit_fen - credit_fen)::bigint from journal_lines where branch_id = :b and account = '6401'",
        b=branch,
    )
    assert posted == 5_000
    assert stock(office, branch) == {("P-1", "L1"): (25, 25_000)}
    assert reconciliation(office, branch)["difference"] == money(0)


@pytest.mark.requirement("F5")
def test_one_supplier_invoice_booked_at_once_by_many_is_booked_once(office):
    branch, invoice = a_branch(), an_invoice()
    answers = at_once(
        [
            lambda: office.post(
                "/v1/goods-receipts", a_goods_receipt(branch, invoice_no=invoice), role="accountant"
            )
            for _ in range(6)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert stock(office, branch) == {("P-1", "L1"): (10, 10_000)}


@pytest.mark.requirement("F5")
def test_the_month_that_is_over_is_costed_by_itself_one_branch_at_a_time(office):
    last = month_of(business_date(utc_now())) - timedelta(days=1)
    branch = a_branch()
    receive(office, branch, received_on=str(last))
    while True:
        with office.database.begin() as conn:
            if not jobs.cost_last_month(Tx(conn=conn, actor=system_actor("finance"), now=utc_now())):
                break
    runs = office.get(f"/v1/cost-runs?month={last:%Y-%m}&branch_id={branch}").json["items"]
    assert [(run["no"], run["run_by"]) for run in runs] == [(1, "system:finance")]


@pytest.mark.requirement("F2", "F5")
def test_a_month_does_not_close_before_it_is_costed(office):
    branch = a_branch()
    receive(office, branch, received_on="2011-03-01")
    with office.database.begin() as conn, pytest.raises(CostRunMissing):
        require_costed(conn, date(2011, 3, 1))
    assert cost(office, branch, "2011-03").status_code == 201
    with office.database.begin() as conn:
        require_costed(conn, date(2011, 3, 1))
