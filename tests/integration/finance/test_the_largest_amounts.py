"""The largest amounts that the API takes, a whole month of them: booked, closed, stated, exported; no sum overflows anywhere."""

from uuid import UUID

import pytest

from finance.kernel.receipt import QUANTITY_MAX, SALE_FEN_MAX
from finance.vouchers import commands as vouchers
from shared.clock import business_date, utc_now
from shared.money import FEN_MAX
from shared.texts import SUM_MAX
from tests.support.finance_builders import a_line, a_receipt, money
from tests.support.statements import SIGNERS, book, close, column, prepared
from tests.support.waiting import acts, the_second_waits

MONTH = f"{business_date(utc_now()).year - 1}-03"
VOUCHERS = 4
MONTHLY = {
    "month": MONTH, "from_month": MONTH, "until_month": MONTH, "from": f"{MONTH}-01", "until": f"{MONTH}-31", "first": f"{MONTH}-01",
    "as_of": f"{MONTH}-31", "branch_id": "S001",
}  # fmt: skip


SOLD = []
"""What the sales of the month were answered."""


OF_SOMETHING = {
    "/v1/product-versions",
    "/v1/sale-lines",
    "/v1/unmatched-bank-lines",
    "/v1/bank-lines",
    "/v1/bank-matches",
    "/v1/bank-match-proposals",
    "/v1/sales-targets",
    "/v1/credit-terms",
}
"""Asked for one customer, product, account or year, which this month does not name."""


@pytest.fixture(scope="module")
def month(office):
    """Eight vouchers of the largest amount, four to each account, and sales of the largest worth, cost and quantity."""
    for _ in range(VOUCHERS):
        book(office, f"{MONTH}-02", ("1002", FEN_MAX), ("4001", -FEN_MAX))
        book(office, f"{MONTH}-03", ("6601.21", FEN_MAX), ("1002", -FEN_MAX))
    line = {"expiry": "2099-12-31", "discount": money(0)}
    largest = [
        a_line(quantity=1, unit_price=money(10**10), cost=money(SALE_FEN_MAX), **line),
        a_line(quantity=QUANTITY_MAX, unit_price=money(1), cost=money(0), **line),
        a_line(quantity=SALE_FEN_MAX // 10**10, unit_price=money(10**10), cost=money(0), **line),
    ]
    for each in largest:
        answer = office.post("/v1/sales", a_receipt(sold_at=f"{MONTH}-10T02:00:00Z", lines=[each]))
        assert answer.status_code == 201, answer.text
        SOLD.append(answer.json)
    close(office, MONTH)
    return office


def test_vouchers_are_refused_before_their_sums_are_inexact(month):
    of_two = [
        {"account": "1002", "debit": money(FEN_MAX)},
        {"account": "1002", "debit": money(1)},
        {"account": "4001", "credit": money(FEN_MAX)},
        {"account": "4001", "credit": money(1)},
    ]
    day = f"{MONTH[:4]}-04-02"
    body = {"booked_on": day, "branch_id": "S001", "summary": "s", "lines": of_two}
    answer = month.post("/v1/vouchers", body, role="accountant")
    assert (answer.status_code, answer.json["code"]) == (422, "voucher_invalid"), answer.text
    book(month, day, ("1002", FEN_MAX), ("4001", -FEN_MAX))
    body["lines"] = [of_two[0], of_two[2]]
    tenth = month.post("/v1/vouchers", body, role="accountant").json["voucher_id"]
    approved = {"decision": "approved", "reason": None}
    answer = month.post(f"/v1/vouchers/{tenth}/decisions", approved, role="finance_head")
    assert (answer.status_code, answer.json["code"]) == (409, "voucher_sums_too_large"), answer.text


def test_of_two_vouchers_that_only_one_has_room_for_one_is_approved(month):
    posted_fen = month.value("select sum(total_fen)::bigint from vouchers where state = 'posted'")
    fen = min(FEN_MAX, (SUM_MAX - posted_fen) * 2 // 3)
    assert posted_fen + fen <= SUM_MAX < posted_fen + 2 * fen, "or else the test is about nothing"
    lines = [{"account": "1002", "debit": money(fen)}, {"account": "4001", "credit": money(fen)}]
    body = {"booked_on": f"{MONTH[:4]}-04-02", "branch_id": "S001", "summary": "s", "lines": lines}
    one, other = (
        UUID(month.post("/v1/vouchers", body, role="accountant").json["voucher_id"]) for _ in range(2)
    )
    approve = [
        acts("finance_head", vouchers.decide, voucher_id, approved=True, reason=None)
        for voucher_id in (one, other)
    ]
    assert the_second_waits(month, *approve) == "voucher_sums_too_large"


def test_statements_of_the_largest_month_are_exact_and_printed(month):
    income = column(prepared(month, "income", MONTH), "period")
    assert income["selling_expenses"] == VOUCHERS * FEN_MAX
    assert income["revenue"] == sum(answer["net"]["fen"] for answer in SOLD)
    balance = prepared(month, "balance", MONTH)
    assert prepared(month, "cashflow", MONTH)["state"] == "prepared"
    of = f"/v1/financial-statements/{balance['statement_id']}"
    for step, role in (
        ("review", "finance_head"),
        *(("sign", each) for each in SIGNERS),
        ("publish", "accountant"),
    ):
        answer = month.post(f"{of}/{step}", role=role)
        assert answer.status_code == 200, answer.text
    for paper in ("pdf", "xlsx"):
        assert month.get(f"{of}/{paper}").status_code == 200
    assert month.get(f"/v1/financial-statement-proofs/{balance['statement_id']}").status_code == 200


def test_every_list_and_report_of_the_largest_month_is_answered(month):
    answered, unanswered = 0, set()
    for address, operations in month.app.extensions["openapi"]["paths"].items():
        told = operations.get("get")
        path = address.replace("{month}", MONTH)
        if told is None or "{" in path or path.startswith("/internal"):
            continue
        names = {each["name"] for each in told.get("parameters", []) if each["in"] == "query"}
        query = "&".join(f"{name}={value}" for name, value in MONTHLY.items() if name in names)
        answer = month.get(f"{path}?{query}", role=told["x-roles"][0])
        assert answer.status_code < 500, (path, query, answer.text)
        answered += answer.status_code == 200
        if answer.status_code != 200:
            unanswered.add(path)
    assert answered > 60
    assert unanswered == OF_SOMETHING
