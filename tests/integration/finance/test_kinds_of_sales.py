"""Every kind of sale: many tenders and rates, walk-in customers, late tills; and finding what a customer bought."""

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.clock import business_date, utc_now
from tests.support.finance_builders import CUSTOMER, Office, a_line, a_receipt, money

TODAY = business_date(utc_now())
LINE = a_line(expiry="2099-12-31")
TENDERS = {
    "cash": "1001",
    "wechat": "1012.01",
    "alipay": "1012.02",
    "card": "1012.03",
    "medical_insurance": "1012.04",
    "credit": "1122",
}


def lines_of(office, sale_id, kind="sale"):
    return {
        account: debit - credit
        for account, debit, credit in office.rows(
            "select l.account, l.debit_fen, l.credit_fen from journal_entries e join journal_lines l"
            " on l.entry_id = e.id where e.source_id = cast(:id as uuid) and e.kind = :kind",
            id=sale_id,
            kind=kind,
        )
    }


@pytest.mark.requirement("F1", "F15")
def test_a_receipt_is_paid_in_several_tenders_each_on_its_account(office):
    office.hear(office.permit())
    parts = dict(zip(TENDERS, (1, 20, 300, 400, 500, 2679), strict=True))
    sale = office.sell(
        customer_id=CUSTOMER,
        tenders=[{"tender": tender, "amount": money(fen)} for tender, fen in parts.items()],
    )
    booked = lines_of(office, sale["sale_id"])
    assert {tender: booked[account] for tender, account in TENDERS.items()} == parts
    shown = office.get(f"/v1/sales/{sale['sale_id']}").json
    assert {each["tender"]: each["amount"]["fen"] for each in shown["tenders"]} == parts


@pytest.mark.requirement("F15")
@pytest.mark.parametrize(
    ("day", "taxes"),
    [
        ("2017-01-03", {1700: 567, 1300: 449, 0: 0}),
        ("2018-06-03", {1600: 538, 1000: 355, 0: 0}),
        ("2026-03-03", {1300: 449, 900: 322, 0: 0}),
    ],
)
def test_each_line_has_the_rate_in_force_on_its_day(office, day, taxes):
    lines = [a_line(lot=f"L{bp}", tax_bp=bp, expiry="2099-12-31") for bp in taxes]
    sale = office.sell(sold_at=f"{day}T02:00:00Z", lines=lines)
    assert [line["tax"]["fen"] for line in sale["lines"]] == list(taxes.values())
    assert lines_of(office, sale["sale_id"])["2221.01.01"] == -sum(taxes.values())
    wrong = a_receipt(sold_at=f"{day}T02:00:00Z", lines=[a_line(tax_bp=1234, expiry="2099-12-31")])
    assert office.post("/v1/sales", wrong).status_code == 422


@pytest.mark.requirement("F24")
def test_a_walk_in_customer_leaves_goods_and_money_but_no_name(office):
    sale = office.sell()
    shown = office.get(f"/v1/sales/{sale['sale_id']}").json
    assert shown["customer_id"] is None
    [event] = office.rows(
        "select data from outbox where type = 'finance.sale.posted.v1' and subject = :id", id=sale["sale_id"]
    )
    assert event[0]["customer_id"] is None
    [line] = shown["lines"]
    assert (line["generic_name"], line["lot"], line["quantity"]) == ("阿莫西林胶囊", "L1", 2)


@pytest.mark.requirement("F1", "F2")
def test_a_till_that_was_offline_is_booked_to_its_day_while_the_month_is_open_and_to_today_after(
    migrated_database, tmp_path
):
    office = Office(migrated_database("finance"), tmp_path)
    sold_at = "2026-01-10T02:00:00Z"
    late = office.sell(sold_at=sold_at, lines=[LINE], late=True)
    assert (late["business_date"], late["booked_on"]) == ("2026-01-10", "2026-01-10")
    office.seal()
    assert office.post("/v1/periods/2026-01/close", role="finance_head").status_code == 200
    refused = office.post("/v1/sales", a_receipt(sold_at=sold_at, lines=[LINE]))
    assert refused.json["code"] == "period_closed"
    after = office.sell(sold_at=sold_at, lines=[LINE], late=True)
    assert (after["business_date"], after["booked_on"]) == ("2026-01-10", str(TODAY))
    found = office.value(
        "select reference from journal_entries where source_id = cast(:id as uuid)", id=after["sale_id"]
    )
    assert found == "late:2026-01"
    office.close()


# --- what a customer bought -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bought(office):
    """Three receipts of one customer on three days and two branches, among those of others."""
    customer = str(uuid4())
    office.hear(office.permit(customer), office.permit())
    sales = []
    for back, branch, lots in ((40, "S001", ("A1", "B1")), (10, "S001", ("A1",)), (1, "S002", ("A2",))):
        day = TODAY - timedelta(days=back)
        lines = [a_line(lot=lot, product={"product_id": f"P-{lot[0]}"}, expiry="2099-12-31") for lot in lots]
        for customer_id in (customer, CUSTOMER, None):
            sale = office.sell(
                sold_at=f"{day}T02:00:00Z", branch_id=branch, lines=lines, customer_id=customer_id
            )
            if customer_id == customer:
                sales.append(sale)
    return customer, sales


def found(office, query, **identity):
    answer = office.get(f"/v1/sale-lines?{query}", **identity)
    assert answer.status_code == 200, answer.json
    return [(each["sale_id"], each["lot"]) for each in answer.json["items"]]


@pytest.mark.requirement("F24", "F15")
def test_what_a_customer_bought_is_found_by_product_lot_day_and_branch(office, bought):
    customer, (old, middle, new) = bought
    every = [
        (old["sale_id"], "A1"),
        (old["sale_id"], "B1"),
        (middle["sale_id"], "A1"),
        (new["sale_id"], "A2"),
    ]
    of = f"customer_id={customer}"
    assert found(office, of) == every
    assert found(office, f"{of}&product_id=P-A") == [every[0], *every[2:]]
    assert found(office, f"{of}&product_id=P-A&lot=A1") == [every[0], every[2]]
    assert found(office, f"{of}&from={TODAY - timedelta(days=20)}") == every[2:]
    assert found(office, f"{of}&until={TODAY - timedelta(days=20)}") == every[:2]
    assert found(office, f"{of}&branch_id=S002") == every[3:]
    assert found(office, of, branches=("S002",)) == every[3:]
    assert found(office, f"customer_id={uuid4()}") == []


@pytest.mark.requirement("F24")
def test_a_customers_lines_come_page_by_page(office, bought):
    customer, _ = bought
    seen, cursor = [], ""
    while True:
        page = office.get(f"/v1/sale-lines?customer_id={customer}&limit=1{cursor}").json
        seen += [(each["sale_id"], each["lot"]) for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == found(office, f"customer_id={customer}")


@pytest.mark.parametrize("query", ["", "lot=A1", f"customer_id={CUSTOMER}&lot=A1", "customer_id=nobody"])
def test_lines_of_nothing_named_are_refused(office, query):
    assert office.get(f"/v1/sale-lines?{query}").status_code == 422


def test_a_product_is_found_in_all_its_lots_of_some_days(office, bought):
    first = TODAY - timedelta(days=2)
    assert len(found(office, f"product_id=P-A&from={first}&until={TODAY}")) == 3
    assert len(found(office, "product_id=P-A")) == 9


def test_an_index_leads_from_a_customer_to_its_sales(office, bought):
    customer, _ = bought
    with office.database.begin() as conn:
        conn.exec_driver_sql("set local enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in conn.exec_driver_sql(
                "explain select sale_id from sales where customer_id = %s order by sale_id limit 51",
                (customer,),
            )
        )
    assert "customer_id_sale_id" in plan or "sales_customer" in plan
