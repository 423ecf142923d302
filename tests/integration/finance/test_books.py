"""What bookkeepers do by hand: vouchers, reversals, re-opening, the year's end. The tests tell one story in order."""

import threading
from datetime import date

import pytest

from shared.clock import business_date, utc_now
from tests.support.finance_builders import a_line, a_receipt, money

LAST_YEAR = business_date(utc_now()).year - 1
NOV, DEC = f"{LAST_YEAR}-11", f"{LAST_YEAR}-12"
LINE = a_line(expiry="2099-12-31", tax_bp=1300)
TODAY = business_date(utc_now())


@pytest.fixture(scope="module")
def books(office):
    """A sale of three thousand nine hundred fen in the last two months of last year, in two branches."""
    for month in (NOV, DEC):
        for branch in ("S001", "S002"):
            office.sell(sold_at=f"{month}-10T02:00:00Z", branch_id=branch, lines=[LINE])
    office.sell(sold_at=utc_now().isoformat(), lines=[LINE])
    return office


def a_voucher(**odd):
    """Rent of 500 yuan paid from the bank."""
    return {
        "booked_on": f"{NOV}-20",
        "branch_id": "S001",
        "summary": "11月房租",
        "lines": [
            {"account": "6601.23", "debit": money(50000)},
            {"account": "1002", "credit": money(50000)},
        ],
        **odd,
    }


def draft(books, **odd):
    return books.post("/v1/vouchers", a_voucher(**odd), role="accountant")


def decide(books, voucher_id, *, approved=True, reason=None, **odd):
    body = {"decision": "approved" if approved else "rejected", "reason": reason}
    role = odd.pop("role", "finance_head")
    return books.post(f"/v1/vouchers/{voucher_id}/decisions", body, role=role, **odd)


@pytest.mark.requirement("F1", "F15")
def test_a_voucher_is_booked_when_another_person_approves_it(books):
    made = draft(books)
    assert (made.status_code, made.json["state"], made.json["total"]) == (201, "draft", money(50000))
    assert "6601.23" not in books.balances(NOV)
    own = decide(books, made.json["voucher_id"], person="the-accountant")
    assert (own.status_code, own.json["code"]) == (403, "approval_same_person")
    posted = decide(books, made.json["voucher_id"])
    assert (posted.json["state"], posted.json["decided_by"]) == ("posted", "the-finance_head")
    assert books.balances(NOV)["6601.23"] == 50000
    assert decide(books, made.json["voucher_id"]).json["code"] == "voucher_decided"
    listed = books.get(f"/v1/vouchers?month={NOV}&state=posted").json["items"]
    assert [each["voucher_id"] for each in listed] == [made.json["voucher_id"]]


@pytest.mark.requirement("F1", "F15")
def test_destroyed_goods_leave_what_is_pending_by_a_voucher_with_their_input_vat(books):
    before = books.balances(f"{TODAY:%Y-%m}")
    lines = [
        {"account": "6711", "debit": money(1_300)},
        {"account": "1901", "credit": money(1_150)},
        {"account": "2221.01.04", "credit": money(150)},
    ]
    made = draft(books, booked_on=str(TODAY), summary="退货报废", lines=lines)
    assert decide(books, made.json["voucher_id"]).json["state"] == "posted"
    after = books.balances(f"{TODAY:%Y-%m}")
    moved = {each["account"]: after[each["account"]] - before.get(each["account"], 0) for each in lines}
    assert moved == {"6711": 1_300, "1901": -1_150, "2221.01.04": -150}


@pytest.mark.requirement("F1")
@pytest.mark.parametrize(
    ("odd", "code", "path"),
    [
        ({"lines": [{"account": "6601.23", "debit": money(5)}, {"account": "1002", "credit": money(4)}]}, "voucher_invalid", "lines"),
        ({"lines": [{"account": "6601.23", "debit": money(5), "credit": money(5)}, {"account": "1002", "credit": money(5)}]}, "voucher_invalid", "lines.0"),
        ({"lines": [{"account": "6601", "debit": money(5)}, {"account": "1002", "credit": money(5)}]}, "voucher_invalid", "lines.0.account"),
        ({"lines": [{"account": "1122", "debit": money(5)}, {"account": "1002", "credit": money(5)}]}, "voucher_invalid", "lines.0.account"),
        ({"booked_on": "2099-01-01"}, "voucher_in_future", "booked_on"),
        ({"booked_on": "1999-01-01"}, "payload_invalid", "booked_on"),
        ({"lines": [{"account": "1002", "debit": money(5)}]}, "payload_invalid", "lines"),
    ],
)  # fmt: skip
def test_what_makes_no_voucher_is_refused_with_its_place(books, odd, code, path):
    answer = draft(books, **odd)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert path in [error["path"] for error in answer.json["errors"]]


def test_a_voucher_belongs_to_a_branch_of_the_token(books):
    answer = books.post("/v1/vouchers", a_voucher(), role="accountant", branches=["S002"])
    assert (answer.status_code, answer.json["code"]) == (403, "foreign_branch")
    hidden = draft(books).json["voucher_id"]
    assert books.get(f"/v1/vouchers/{hidden}", branches=["S002"]).json["code"] == "voucher_not_found"
    assert decide(books, hidden, approved=False).json["code"] == "approval_reason_missing"
    assert decide(books, hidden, approved=False, reason="重复").json["state"] == "rejected"


@pytest.mark.requirement("F2")
def test_a_draft_keeps_its_month_open(books):
    made = draft(books).json
    books.seal()
    refused = books.post(f"/v1/periods/{NOV}/close", role="finance_head")
    assert (refused.status_code, refused.json["code"], refused.json["drafts"]) == (409, "drafts_pending", 1)
    decide(books, made["voucher_id"], approved=False, reason="没有发票")


@pytest.mark.requirement("F1", "F27")
def test_an_entry_is_reversed_once_into_the_open_period_with_its_reason(books):
    entry_id = books.value("select id from journal_entries where kind = 'manual'")
    path = f"/v1/journal-entries/{entry_id}/reverse"
    before = books.balances(f"{TODAY:%Y-%m}").get("6601.23", 0)
    made = books.post(path, {"reason": "记错科目"}, role="finance_head")
    assert (made.status_code, made.json["booked_on"]) == (201, str(TODAY))
    assert books.balances(f"{TODAY:%Y-%m}")["6601.23"] == before - 50000
    assert books.balances(NOV)["6601.23"] == 50000
    [(corrects, reference)] = books.rows(
        "select corrects_id, reference from journal_entries where kind = 'reversal'"
    )
    assert corrects == entry_id
    assert reference.endswith(": 记错科目")
    again = books.post(path, {"reason": "记错科目"}, role="finance_head")
    assert (again.status_code, again.json["code"]) == (409, "journal_entry_reversed")
    reversal = books.value("select id from journal_entries where kind = 'reversal'")
    sale = books.value("select min(id) from journal_entries where kind = 'sale'")
    for other, code in ((reversal, "journal_entry_has_own_correction"), (sale, "journal_entry_has_own_correction"), (2**63, "journal_entry_not_found")):  # fmt: skip
        answer = books.post(f"/v1/journal-entries/{other}/reverse", {"reason": "x"}, role="finance_head")
        assert answer.json["code"] == code


@pytest.mark.requirement("F1")
def test_of_many_reversals_at_once_one_is_booked(books):
    made = draft(books).json
    decide(books, made["voucher_id"])
    entry_id = books.value(
        "select id from journal_entries where source_id = cast(:id as uuid)", id=made["voucher_id"]
    )
    answers = []
    barrier = threading.Barrier(4)

    def reverse():
        barrier.wait()
        path = f"/v1/journal-entries/{entry_id}/reverse"
        answers.append(books.post(path, {"reason": "重复"}, role="finance_head").status_code)

    threads = [threading.Thread(target=reverse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]
    assert books.value("select count(*) from journal_entries where corrects_id = :id", id=entry_id) == 1


@pytest.mark.requirement("F2")
def test_a_closed_month_is_re_opened_by_two_persons_who_did_not_ask(books):
    books.seal()
    closed = books.post(f"/v1/periods/{NOV}/close", role="finance_head")
    assert (closed.status_code, closed.json["state"]) == (200, "soft_closed")
    expected_late = (TODAY - date(LAST_YEAR, 12, 5)).days
    assert closed.json["late_days"] == max(0, expected_late)
    assert draft(books).json["code"] == "period_not_open"
    path = f"/v1/periods/{NOV}/reopenings"
    asked = books.post(path, {"reason": "漏记电费"}, role="finance_head", person="head-1")
    assert (asked.status_code, asked.json["state"]) == (201, "pending")
    assert books.post(path, {"reason": "x"}, role="accountant").json["code"] == "reopening_pending"
    decision = f"/v1/periods/{NOV}/reopenings/{asked.json['reopening_id']}/decisions"
    yes = {"decision": "approved"}
    own = books.post(decision, yes, role="finance_head", person="head-1")
    assert own.json["code"] == "approval_same_person"
    assert books.post(decision, yes, role="finance_head", person="head-2").json["state"] == "pending"
    same = books.post(decision, yes, role="management", person="head-2")
    assert same.json["code"] == "approval_same_person"
    done = books.post(decision, yes, role="management", person="boss")
    assert done.json["state"] == "approved"
    states = {row["month"]: row["state"] for row in books.get("/v1/periods").json["items"]}
    assert states[NOV] == "open"
    versions = books.rows(
        "select type, version from outbox where subject = :subject order by id", subject=f"main:{NOV}"
    )
    assert versions == [("finance.period.closed.v1", 1), ("finance.period.reopened.v1", 2)]
    assert books.post(decision, yes, role="management", person="boss-2").json["code"] in {
        "period_not_closed",
        "approval_already_decided",
    }


@pytest.mark.requirement("F2")
def test_only_the_last_closed_month_opens_and_a_locked_one_never(books):
    books.seal()
    assert books.post(f"/v1/periods/{NOV}/close", role="finance_head").status_code == 200
    path = f"/v1/periods/{NOV}/reopenings"
    asked = books.post(path, {"reason": "漏记"}, role="accountant").json
    rejected = books.post(
        f"/v1/periods/{NOV}/reopenings/{asked['reopening_id']}/decisions",
        {"decision": "rejected", "reason": "下月更正"},
        role="finance_head",
    )
    assert rejected.json["state"] == "rejected"
    assert books.post(f"/v1/periods/{NOV}/lock", role="unit_head").json["state"] == "locked"
    refused = books.post(path, {"reason": "漏记"}, role="accountant")
    assert (refused.status_code, refused.json["code"]) == (409, "period_not_closed")
    assert books.post("/v1/periods/2031-01/reopenings", {"reason": "x"}, role="accountant").json["code"] == "period_unknown"  # fmt: skip
    assert books.post("/v1/periods/2031-01/reopenings/00000000-0000-0000-0000-000000000000/decisions", {"decision": "approved"}, role="management").json["code"] == "reopening_not_found"  # fmt: skip
    assert [each["state"] for each in books.get(path).json["items"]] == ["approved", "rejected"]
    assert books.get("/v1/reopenings?state=pending", role="management").json["items"] == []
    answered = books.get("/v1/reopenings?state=rejected", role="management").json["items"]
    assert [each["reopening_id"] for each in answered] == [asked["reopening_id"]]


@pytest.mark.requirement("F2", "F17")
def test_the_year_ends_with_its_profit_in_the_distribution(books):
    books.seal()
    refused = books.post(f"/v1/periods/{DEC}/close", role="finance_head")
    assert refused.json["code"] == "year_not_transferred"
    rent = {"branch_id": "S001", "booked_on": f"{DEC}-20"}
    assert decide(books, draft(books, **rent).json["voucher_id"]).status_code == 200
    expenses = books.get(f"/v1/branch-expenses?month={DEC}").json
    assert [each["amount"] for each in expenses["items"]] == [money(50000)]
    before = books.get(f"/v1/income-statements?from_month={LAST_YEAR}-01&until_month={DEC}").json
    profit = next(line["amount"]["fen"] for line in before["lines"] if line["line"] == "net_profit")
    assert profit == 4 * (3451 - 2300) - 3 * 50000
    done = books.post(f"/v1/fiscal-years/{LAST_YEAR}/transfer", role="finance_head")
    assert (done.status_code, done.json["entries"]) == (201, 4)
    assert done.json["profit"] == done.json["distribution"] == money(profit)
    closing = books.balances(DEC)
    assert {code: fen for code, fen in closing.items() if code[0] in "56" and fen} == {}
    assert (closing["4104"], closing["4103"]) == (-profit, 0)
    after = books.get(f"/v1/income-statements?from_month={LAST_YEAR}-01&until_month={DEC}").json
    assert after == before
    assert books.get(f"/v1/branch-expenses?month={DEC}").json == expenses
    again = books.post(f"/v1/fiscal-years/{LAST_YEAR}/transfer", role="finance_head")
    assert again.json["code"] == "nothing_to_transfer"
    books.seal()
    assert books.get(f"/v1/income-statements?from_month={LAST_YEAR}-01&until_month={DEC}").json == before
    assert books.post(f"/v1/periods/{DEC}/close", role="finance_head").json["state"] == "soft_closed"
    made = books.post("/v1/financial-statements", {"kind": "income", "month": DEC}, role="accountant").json
    assert next(each["amount"]["fen"] for each in made["lines"] if each["line"] == "revenue") == 2 * 3451
    this_year = books.post(f"/v1/fiscal-years/{LAST_YEAR + 1}/transfer", role="finance_head")
    assert this_year.json["code"] == "period_not_over"


@pytest.mark.requirement("F27")
def test_the_database_itself_refuses_an_entry_of_a_closed_period(books):
    """No program, ours or another, books into a closed month."""
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError, match="not open"), books.database.begin() as conn:
        conn.exec_driver_sql(
            "insert into journal_entries (booked_on, stream, branch_id, kind, source_id, total_fen, actor, recorded_at)"
            f" values ('{DEC}-05', 'main-{LAST_YEAR}', 'S001', 'manual', gen_random_uuid(), 1, 'x', now())"
        )


def test_balances_are_exact_while_part_is_sealed_and_tills_sell(books):
    """Sealing and selling run beside the reader; every reading balances and none counts an entry twice."""
    month = f"{TODAY:%Y-%m}"
    stop = threading.Event()

    def seal():
        while not stop.is_set():
            books.seal()

    sealer = threading.Thread(target=seal)
    sealer.start()
    try:
        start = books.balances(month).get("6001", 0)
        for sold in range(1, 16):
            books.sell(sold_at=utc_now().isoformat(), lines=[LINE])
            assert books.balances(month)["6001"] == start - 3451 * sold
    finally:
        stop.set()
        sealer.join()


def test_a_receipt_cannot_be_posted_to_what_the_year_closed(books):
    answer = books.post("/v1/sales", a_receipt(sold_at=f"{DEC}-10T02:00:00Z", lines=[LINE]))
    assert answer.json["code"] == "period_closed"


@pytest.mark.requirement("F1")
def test_the_chart_tells_which_accounts_a_voucher_may_name(books):
    chart = books.get("/v1/ledger-accounts").json
    by_hand = {each["account"]: each["by_hand"] for each in chart["items"]}
    assert (chart["standard"], chart["begins_on"]) == ("cas", "2010-01-01")
    assert (by_hand["6601.23"], by_hand["6601"], by_hand["1122"]) == (True, False, False)
