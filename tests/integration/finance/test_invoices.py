"""Invoices over HTTP: equal to their sales to the fen, never twice, taken back by red ones alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest

from shared.clock import business_date, month_of, new_id, utc_now
from tests.support import refunding
from tests.support.finance_builders import a_line, money
from tests.support.roles import behind
from tests.support.watermarks import level_with

TODAY = business_date(utc_now())
NOW = f"{TODAY:%Y-%m}"
LINE = a_line(expiry="2099-12-31")
NINE = a_line(expiry="2099-12-31", lot="L9", tax_bp=900, product={"product_id": "P-9"})
WHOLE = [{"tax_bp": 1300, "net": money(3451), "tax": money(449)}]
HALF = (0, 1, "restock", 1725, 225, 1150)
BACK = [{"tax_bp": 1300, "net": money(1725), "tax": money(225)}]
numbers = count(1)


def number():
    return f"2631{next(numbers):016d}"


def sold(office, customer=None, lines=None, **odd):
    return office.sell(
        sold_at=utc_now().isoformat(), lines=lines or [LINE], **({"customer_id": customer} if customer else {}), **odd
    )  # fmt: skip


def a_buyer(office, kind="hospital"):
    customer = str(uuid4())
    office.hear(office.permit(customer, kind=kind))
    return customer


def invoice(office, *sales, rates=WHOLE, parts=None, role="invoicing_clerk", **odd):
    body = {
        "number": number(),
        "kind": "ordinary",
        "issued_on": str(TODAY),
        "sales": [{"sale_id": sale["sale_id"]} | ({"rates": parts} if parts else {}) for sale in sales],
        "rates": rates,
        **odd,
    }
    return office.post("/v1/invoices", body, role=role)


def issued(office, *sales, **odd):
    answer = invoice(office, *sales, **odd)
    assert answer.status_code == 201, answer.json
    return answer.json


def red(office, blue, rates, **odd):
    body = {"number": number(), "issued_on": str(TODAY), "rates": rates, **odd}
    return office.post(f"/v1/invoices/{blue['invoice_id']}/red-invoices", body, role="invoicing_clerk")


def returned(office, sale, taken=HALF):
    [refund_id] = refunding.told(office, office.settled(sale, [taken], settled_on=str(TODAY)))
    return refund_id


def code(answer):
    return answer.status_code, answer.json.get("code")


@pytest.mark.requirement("F15", "F24")
def test_an_invoice_is_its_sale_to_the_fen_with_the_amount_in_words(office):
    sale = sold(office, lines=[LINE, NINE])
    rates = [*WHOLE, {"tax_bp": 900, "net": money(3578), "tax": money(322)}]
    made = issued(office, sale, rates=rates)
    assert (made["net"], made["tax"], made["total"]) == (money(7029), money(771), money(7800))
    assert (made["words"], made["colour"], made["customer_id"]) == ("柒拾捌元整", "blue", None)
    assert made["keep_until"] == str(TODAY.replace(year=TODAY.year + 5))
    [event] = office.rows(
        "select data, amount_fen from outbox where type = 'finance.invoice.issued.v1' and subject = :id",
        id=made["invoice_id"],
    )
    assert (event[0]["total_fen"], event[1], event[0]["sale_ids"]) == (7800, 7800, [sale["sale_id"]])
    for query in (f"number={made['number']}", f"sale_id={sale['sale_id']}"):
        found = office.get(f"/v1/invoices?{query}").json["items"]
        assert [each["invoice_id"] for each in found] == [made["invoice_id"]]
    said = refunding.paper(office.get(f"/v1/invoices/{made['invoice_id']}/pdf"))
    for words in ("销售货物清单", made["number"], "阿莫西林胶囊", "35.78", "9%", "柒拾捌元整", "零散顾客"):
        assert words in said


@pytest.mark.requirement("F15")
@pytest.mark.parametrize(
    ("odd", "wanted"),
    [
        ({"rates": [{"tax_bp": 1300, "net": money(3450), "tax": money(450)}]}, "invoice_amounts_differ"),
        ({"rates": [{"tax_bp": 900, "net": money(3451), "tax": money(449)}]}, "invoice_amounts_differ"),
        ({"number": "123"}, "invoice_number_unfit"),
        ({"issued_on": str(TODAY + timedelta(days=1))}, "invoice_day_unfit"),
        ({"issued_on": str(TODAY - timedelta(days=1))}, "invoice_day_unfit"),
        ({"kind": "special"}, "invoice_special_unfit"),
        ({"sales": [{"sale_id": str(uuid4())}]}, "invoice_sale_unknown"),
    ],
)
def test_an_invoice_that_is_not_its_sales_is_refused(office, odd, wanted):
    assert code(invoice(office, sold(office), **odd))[1] == wanted


@pytest.mark.requirement("F15")
def test_a_sale_is_invoiced_once_and_a_number_is_used_once(office):
    sale = sold(office)
    made = issued(office, sale)
    assert code(invoice(office, sale)) == (409, "invoice_exceeds_sale")
    assert code(invoice(office, sold(office), number=made["number"])) == (409, "invoice_number_used")


@pytest.mark.requirement("F15")
def test_parts_of_a_sale_are_invoiced_until_nothing_is_left(office):
    sale = sold(office)
    part = [{"tax_bp": 1300, "net": money(1000), "tax": money(130)}]
    rest = [{"tax_bp": 1300, "net": money(2451), "tax": money(319)}]
    first = issued(office, sale, rates=part, parts=part)
    assert "一部分" in refunding.paper(office.get(f"/v1/invoices/{first['invoice_id']}/pdf"))
    assert code(invoice(office, sale, rates=WHOLE, parts=WHOLE)) == (409, "invoice_exceeds_sale")
    issued(office, sale, rates=rest)
    assert code(invoice(office, sale, rates=part, parts=part)) == (409, "invoice_exceeds_sale")


@pytest.mark.requirement("F15")
def test_several_sales_of_one_institution_go_on_one_special_invoice(office):
    buyer, other = a_buyer(office), a_buyer(office)
    sales = [sold(office, buyer) for _ in range(3)]
    rates = [{"tax_bp": 1300, "net": money(3 * 3451), "tax": money(3 * 449)}]
    for strange in (sold(office, other), sold(office), sold(office, buyer, branch_id="S002")):
        assert code(invoice(office, *sales, strange, rates=rates)) == (422, "invoice_sales_mixed")
    made = issued(office, *sales, rates=rates, kind="special")
    assert (made["customer_id"], made["total"]) == (buyer, money(11_700))
    patient = a_buyer(office, kind="patient")
    assert code(invoice(office, sold(office, patient), kind="special")) == (422, "invoice_special_unfit")


@pytest.mark.requirement("F15")
def test_a_special_invoice_of_a_customer_registered_a_second_ago_is_awaited(office):
    buyer = str(new_id())
    sale = sold(office, buyer)
    level_with(office.database, "customers", age_s=4)
    assert code(invoice(office, sale, kind="special")) == (503, "customer_not_yet_known")
    level_with(office.database, "customers")
    assert code(invoice(office, sale, kind="special")) == (409, "customer_unknown")
    assert office.hear(office.permit(buyer)).parked == 0
    issued(office, sale, kind="special")


@pytest.mark.requirement("F22")
def test_a_red_invoice_takes_back_what_came_back_and_no_more(office):
    sale = sold(office)
    made = issued(office, sale)
    strange = returned(office, sold(office))
    assert code(red(office, made, BACK, refund_id=strange)) == (404, "invoice_refund_unknown")
    refund_id = returned(office, sale)
    more = [{"tax_bp": 1300, "net": money(1726), "tax": money(225)}]
    assert code(red(office, made, more, refund_id=refund_id)) == (409, "invoice_red_exceeds")
    early = red(office, made, BACK, refund_id=refund_id, issued_on=str(TODAY - timedelta(days=1)))
    assert code(early) == (422, "invoice_day_unfit")
    taken = red(office, made, BACK, refund_id=refund_id)
    assert taken.status_code == 201, taken.json
    assert (taken.json["colour"], taken.json["reverses"]) == ("red", made["invoice_id"])
    assert code(red(office, made, BACK, refund_id=refund_id)) == (409, "invoice_red_exceeds")
    assert code(red(office, taken.json, BACK, refund_id=refund_id)) == (409, "invoice_not_blue")
    assert code(invoice(office, sale)) == (409, "invoice_exceeds_sale")
    shown = office.get(f"/v1/invoices/{made['invoice_id']}").json
    assert [each["number"] for each in shown["reds"]] == [taken.json["number"]]
    said = refunding.paper(office.get(f"/v1/invoices/{taken.json['invoice_id']}/pdf"))
    for words in ("红字", "-17.25", "负壹拾玖元伍角整"):
        assert words in said


@pytest.mark.requirement("F22", "X3")
def test_a_red_invoice_prints_the_goods_of_its_day_though_the_refund_is_withdrawn_and_owed_anew(office):
    sale = sold(office)
    made = issued(office, sale)
    told = office.settled(sale, [HALF], settled_on=str(TODAY))
    [refund_id] = refunding.told(office, told)
    taken = red(office, made, BACK, refund_id=refund_id).json
    paper = f"/v1/invoices/{taken['invoice_id']}/pdf"
    printed = refunding.paper(office.get(paper))
    assert "-17.25" in printed
    with office.database.begin() as conn:
        assert refunding.accepted(conn, [refunding.lost_of(told)])
    assert refunding.paper(office.get(paper)) == printed
    whole = (0, 2, "destroy", 3451, 449, 2300)
    again = office.settled(sale, [whole], return_id=told.data["return_id"], settled_on=str(TODAY))
    assert refunding.told(office, again) == [refund_id]
    assert refunding.paper(office.get(paper)) == printed
    rest = [{"tax_bp": 1300, "net": money(1726), "tax": money(224)}]
    second = red(office, made, rest, refund_id=refund_id)
    assert second.status_code == 201, second.json
    said = refunding.paper(office.get(f"/v1/invoices/{second.json['invoice_id']}/pdf"))
    assert ("-34.51" in said, "-17.25" in said) == (True, False)


@pytest.mark.requirement("F22")
def test_goods_that_came_back_before_the_invoice_are_not_on_it(office):
    sale = sold(office)
    refund_id = returned(office, sale)
    assert code(invoice(office, sale)) == (422, "invoice_amounts_differ")
    kept = [{"tax_bp": 1300, "net": money(1726), "tax": money(224)}]
    made = issued(office, sale, rates=kept)
    assert code(red(office, made, BACK, refund_id=refund_id)) == (409, "invoice_red_exceeds")


@pytest.mark.requirement("F15")
def test_a_wrong_invoice_is_taken_back_whole_and_its_sale_is_invoiced_anew(office):
    sale = sold(office)
    made = issued(office, sale)
    assert code(red(office, made, BACK)) == (422, "invoice_amounts_differ")
    assert red(office, made, WHOLE).json["reason"] == "error"
    assert code(red(office, made, WHOLE)) == (409, "invoice_red_exceeds")
    assert issued(office, sale)["total"] == money(3900)


@pytest.mark.requirement("F15")
def test_two_clerks_with_one_sale_issue_one_invoice(office):
    for _ in range(5):
        sale = sold(office)
        with ThreadPoolExecutor(3) as clerks:
            answers = list(clerks.map(lambda _, s=sale: invoice(office, s), range(3)))
        assert sorted(each.status_code for each in answers) == [201, 409, 409]


@pytest.mark.requirement("F22")
def test_a_refund_and_an_invoice_of_one_sale_wait_for_each_other(office):
    for _ in range(4):
        sale = sold(office)
        told = office.settled(sale, [HALF], settled_on=str(TODAY))
        with ThreadPoolExecutor(2) as people:
            heard = people.submit(office.hear, told)
            answer = people.submit(invoice, office, sale).result()
            assert heard.result().parked == 0
        made = answer.status_code == 201
        assert made or code(answer) == (422, "invoice_amounts_differ")
        if made:
            refund_id = refunding.refund_of(office, told.data["return_id"])
            assert red(office, answer.json, BACK, refund_id=refund_id).status_code == 201


@pytest.mark.requirement("F16")
def test_the_list_of_what_is_not_invoiced_names_the_sales_of_institutions(office):
    buyer = a_buyer(office)
    sales = [sold(office, buyer) for _ in range(4)]
    sold(office, a_buyer(office, kind="patient"))
    issued(office, sales[0])
    made = issued(office, sales[1])
    refund_id = returned(office, sales[1])
    path = f"/v1/uninvoiced-sales?month={NOW}&customer_id={buyer}"
    first = office.get(f"{path}&limit=2").json
    rest = office.get(f"{path}&limit=2&cursor={first['next_cursor']}").json
    left = {each["sale_id"]: each["left"]["fen"] for each in first["items"] + rest["items"]}
    assert left == {
        sales[1]["sale_id"]: -1950,
        sales[2]["sale_id"]: 3900,
        sales[3]["sale_id"]: 3900,
    }
    red(office, made, BACK, refund_id=refund_id)
    left = {each["sale_id"] for each in office.get(path).json["items"]}
    assert left == {sales[2]["sale_id"], sales[3]["sale_id"]}


@pytest.mark.requirement("F22")
def test_a_red_invoice_is_due_for_what_a_walk_in_customer_brought_back(office):
    branch = "S010"
    sales = [sold(office, branch_id=branch) for _ in range(2)]
    made = issued(office, sales[0])
    told = office.settled(sales[0], [HALF], settled_on=str(TODAY), branch_id=branch)
    [refund_id] = refunding.told(office, told)
    path = f"/v1/uninvoiced-sales?month={NOW}&branch_id={branch}"
    [due] = office.get(path).json["items"]
    assert (due["sale_id"], due["left"], due["customer_id"]) == (sales[0]["sale_id"], money(-1950), None)
    red(office, made, BACK, refund_id=refund_id)
    assert office.get(path).json["items"] == []


@pytest.mark.requirement("F15")
def test_output_vat_of_books_sales_and_invoices_is_laid_side_by_side(office):
    branch = "S009"
    one = sold(office, branch_id=branch, lines=[LINE, NINE])
    sold(office, branch_id=branch)
    rates = [*WHOLE, {"tax_bp": 900, "net": money(3578), "tax": money(322)}]
    made = issued(office, one, rates=rates)
    told = office.settled(one, [HALF], settled_on=str(TODAY), branch_id=branch)
    [refund_id] = refunding.told(office, told)
    red(office, made, BACK, refund_id=refund_id)
    vat = office.get(f"/v1/vat-figures?month={NOW}&branch_id={branch}").json
    by_rate = {each["tax_bp"]: each for each in vat["rates"]}
    assert {bp: each["sold_tax"]["fen"] for bp, each in by_rate.items()} == {900: 322, 1300: 898}
    assert {bp: each["returned_tax"]["fen"] for bp, each in by_rate.items()} == {900: 0, 1300: 225}
    assert {bp: each["invoiced_tax"]["fen"] for bp, each in by_rate.items()} == {900: 322, 1300: 224}
    assert {bp: each["not_invoiced_tax"]["fen"] for bp, each in by_rate.items()} == {900: 0, 1300: 449}
    assert (vat["ledger_tax"], vat["sales_tax"], vat["agrees"]) == (money(995), money(995), True)
    assert {each["kind"]: each["tax"]["fen"] for each in vat["ledger"]} == {"refund_due": -225, "sale": 1220}
    whole = office.get(f"/v1/vat-figures?month={month_of(TODAY):%Y-%m}").json
    assert whole["agrees"]


def test_invoices_stay_as_they_were_issued(office):
    made = issued(office, sold(office))
    for sql in ("update invoices set number = number", "delete from invoice_amounts"):
        with pytest.raises(Exception, match="append-only"), behind(office.database) as conn:
            conn.exec_driver_sql(sql)
    assert code(office.get(f"/v1/invoices/{uuid4()}")) == (404, "invoice_unknown")
    assert invoice(office, sold(office), role="accountant").status_code == 403
    assert office.get(f"/v1/invoices?month={NOW}&limit=1").json["next_cursor"]
    assert made["issued_by"] == "the-invoicing_clerk"
