"""The books: trial balance, chain, closing of months, statements. The tests tell one story in order."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from finance.balances import store
from shared import chain as chains
from shared.clock import business_date, month_of, utc_now
from tests.support.eventually import eventually
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.roles import behind

JAN, FEB, MAR = ("2026-01-10T02:00:00Z", "2026-02-10T02:00:00Z", "2026-03-10T02:00:00Z")
MONTH = month_of(business_date(utc_now()))
NOW = f"{MONTH:%Y-%m}"
LINE = a_line(expiry="2099-12-31")


@pytest.fixture(scope="module")
def chain(office):
    """Sales of three months in two branches, and one of today."""
    for sold_at in (JAN, FEB, MAR):
        for branch in ("S001", "S002"):
            for _ in range(3):
                office.sell(sold_at=sold_at, branch_id=branch, lines=[LINE])
    office.sell(sold_at=utc_now().isoformat(), lines=[LINE])
    return office


@pytest.mark.requirement("F1", "F15")
def test_the_trial_balance_opens_with_what_earlier_months_left(chain):
    assert chain.balances("2026-01") == {"1012.01": 23400, "1405": -13800, "2221.01.01": -2694, "6001": -20706, "6401": 13800}  # fmt: skip
    assert chain.balances("2026-03")["6001"] == 3 * -20706
    assert chain.balances("2026-03", branch_id="S001")["6001"] == 3 * -10353
    rows = chain.get("/v1/trial-balances/2026-02").json["rows"]
    revenue = next(row for row in rows if row["account"] == "6001")
    assert (revenue["opening"], revenue["credit"], revenue["debit"]) == (
        money(-20706),
        money(20706),
        money(0),
    )
    assert revenue["zh"] == "主营业务收入"


def test_a_store_manager_sees_the_trial_balance_of_the_store_alone(chain):
    path = "/v1/trial-balances/2026-01"
    mine = chain.get(path, role="store_manager", branches=["S001"]).json
    assert mine["credit"] == chain.get(f"{path}?branch_id=S001").json["credit"]
    assert chain.get(f"{path}?branch_id=S002", role="store_manager", branches=["S001"]).status_code == 403
    assert chain.get("/v1/trial-balances/2031-01").status_code == 404
    assert chain.get("/v1/trial-balances/2026-13").status_code == 422


def test_the_journal_is_read_page_by_page_with_its_lines(chain):
    first = chain.get("/v1/journal-entries?month=2026-01&limit=4").json
    second = chain.get(f"/v1/journal-entries?month=2026-01&limit=4&cursor={first['next_cursor']}").json
    entries = first["items"] + second["items"]
    assert (len(entries), second["next_cursor"]) == (6, None)
    for entry in entries:
        debit = sum(line["debit"]["fen"] for line in entry["lines"])
        assert debit == sum(line["credit"]["fen"] for line in entry["lines"]) == entry["total"]["fen"]


@pytest.mark.requirement("F2")
def test_a_month_closes_only_when_it_is_over_numbered_and_next_in_line(chain):
    def refusal(month, **odd):
        answer = chain.post(f"/v1/periods/{month}/close", role="finance_head", **odd)
        return answer.status_code, answer.json.get("code")

    assert refusal(NOW) == (409, "period_not_over")
    assert refusal("2031-01") == (409, "period_not_over")
    assert refusal("2020-01") == (404, "period_unknown")
    assert refusal("x") == (422, "period_month_invalid")
    assert refusal("2026-02") == (409, "earlier_period_open")
    assert refusal("2026-01") == (503, "journal_not_sealed")
    assert chain.post("/v1/periods/2026-01/close", role="accountant").status_code == 403


@pytest.mark.requirement("X7")
def test_vouchers_are_numbered_without_gap_per_year_and_the_chain_verifies(chain):
    chain.seal()
    streams = chain.rows(
        "select stream, count(*), min(chain_no), max(chain_no) from journal_entries group by stream order by stream"
    )
    assert all(count == last and first == 1 for _, count, first, last in streams)
    assert chain.faults() == []


@pytest.mark.requirement("F2")
def test_closing_freezes_the_month_and_tells_it(chain):
    before = chain.balances("2026-01")
    closed = chain.post("/v1/periods/2026-01/close", role="finance_head")
    assert (closed.status_code, closed.json["state"]) == (200, "soft_closed")
    assert chain.balances("2026-01") == before
    assert chain.balances("2026-03")["6001"] == 3 * -20706
    [(day, data)] = chain.rows("select day::text, data from outbox where type = 'finance.period.closed.v1'")
    assert (day, data) == ("2026-01-31", {"book": "main", "month": "2026-01"})
    again = chain.post("/v1/periods/2026-01/close", role="finance_head")
    assert again.json["code"] == "period_not_open"


def test_a_closed_month_takes_only_late_receipts_and_books_them_to_today(chain):
    receipt = a_receipt("LATE-1", sold_at=JAN, lines=[LINE])
    refused = chain.post("/v1/sales", receipt)
    assert (refused.status_code, refused.json["code"]) == (409, "period_closed")
    posted = chain.post("/v1/sales", receipt | {"late": True})
    today = str(business_date(utc_now()))
    assert (posted.json["business_date"], posted.json["booked_on"]) == ("2026-01-10", today)
    assert chain.value("select reference from journal_entries where source_id = cast(:id as uuid)", id=posted.json["sale_id"]) == "late:2026-01"  # fmt: skip
    assert chain.post("/v1/sales", receipt).status_code == 200  # known, whatever the month's state
    results = chain.results(
        ndjson([a_receipt("L-2", sold_at=JAN, lines=[LINE]), a_receipt("L-3", sold_at=JAN, lines=[LINE], late=True), receipt])
    )  # fmt: skip
    assert [(each["state"], each.get("code")) for each in results] == [
        ("refused", "period_closed"),
        ("posted", None),
        ("duplicate", None),
    ]
    [late] = chain.get("/v1/sales?branch_id=S001&receipt_number=L-3").json["items"]
    assert late["booked_on"] == today


def test_a_month_before_a_closed_one_is_born_closed(chain):
    early = chain.post("/v1/sales", a_receipt(sold_at="2025-12-31T02:00:00Z", lines=[LINE]))
    assert early.json["code"] == "period_closed"


def test_a_refund_of_a_closed_month_is_booked_to_today(chain):
    sale = chain.sell(sold_at=FEB, lines=[LINE])
    chain.hear(chain.settled(sale, [(0, 2, "restock", 3451, 449, 2300)], settled_on="2026-01-20"))
    [(booked_on, reference)] = chain.rows(
        "select distinct e.booked_on::text, e.reference from journal_entries e join refunds r on r.refund_id ="
        " e.source_id where r.sale_id = cast(:id as uuid)",
        id=sale["sale_id"],
    )
    assert (booked_on, reference) == (str(business_date(utc_now())), "late:2026-01")


def test_a_closed_month_is_locked_by_another_person(chain):
    same = chain.post("/v1/periods/2026-01/lock", role="finance_head")
    assert (same.status_code, same.json["code"]) == (403, "approval_same_person")
    assert chain.post("/v1/periods/2026-02/lock", role="unit_head").json["code"] == "period_not_closed"
    locked = chain.post("/v1/periods/2026-01/lock", role="unit_head")
    assert (locked.status_code, locked.json["state"]) == (200, "locked")
    states = {row["month"]: row["state"] for row in chain.get("/v1/periods").json["items"]}
    assert (states["2026-01"], states["2026-02"]) == ("locked", "open")


@pytest.mark.requirement("F2", "F17")
def test_a_statement_goes_through_five_persons_to_publication(chain):
    early = chain.post("/v1/financial-statements", {"kind": "income", "month": "2026-02"}, role="accountant")
    assert early.json["code"] == "period_not_closed"
    made = chain.post(
        "/v1/financial-statements", {"kind": "income", "month": "2026-01"}, role="accountant"
    ).json
    amounts = {line["line"]: line["amount"]["fen"] for line in made["lines"] if line["amount"]}
    assert (amounts["revenue"], amounts["cost_of_goods"], amounts["net_profit"]) == (20706, 13800, 6906)
    again = chain.post("/v1/financial-statements", {"kind": "income", "month": "2026-01"}, role="accountant")
    assert again.json["code"] == "statement_exists"
    path = f"/v1/financial-statements/{made['statement_id']}"
    assert chain.post(f"{path}/sign", role="unit_head").json["code"] == "statement_not_ready"
    assert chain.post(f"{path}/publish", role="accountant").json["code"] == "statement_not_ready"
    own = chain.post(f"{path}/review", role="finance_head", person="the-accountant")
    assert (own.status_code, own.json["code"]) == (403, "approval_same_person")
    assert chain.post(f"{path}/review", role="finance_head").json["state"] == "reviewed"
    twice = chain.post(f"{path}/sign", role="unit_head", person="the-finance_head")
    assert (twice.status_code, twice.json["code"]) == (403, "approval_same_person")
    assert chain.post(f"{path}/sign", role="unit_head").json["state"] == "reviewed"
    assert chain.post(f"{path}/sign", role="unit_head").json["code"] == "approval_same_person"
    again = chain.post(f"{path}/sign", role="unit_head", person="another")
    assert (again.status_code, again.json["code"]) == (403, "approval_role_not_awaited")
    assert chain.post(f"{path}/sign", role="chief_accountant").json["state"] == "reviewed"
    assert chain.post(f"{path}/publish", role="accountant").json["code"] == "statement_not_ready"
    assert chain.post(f"{path}/sign", role="accounting_head").json["state"] == "signed"
    published = chain.post(f"{path}/publish", role="accountant").json
    assert (published["state"], published["on_time"]) == ("published", False)
    assert [each["person"] for each in published["decisions"]] == [
        f"the-{role}" for role in ("finance_head", "unit_head", "chief_accountant", "accounting_head")
    ]
    assert published["content_hash"] == made["content_hash"]
    [(data,)] = chain.rows("select data from outbox where type = 'finance.statement.published.v1'")
    assert (data["kind"], data["month"], data["version"], data["leaf_lines"]) == ("income", "2026-01", 1, 2)
    assert (data["span"], data["last_month"]) == ("month", "2026-01")


@pytest.mark.requirement("F2", "F17")
def test_a_wrong_statement_is_restated_by_error_items_and_a_new_version(chain):
    [statement] = chain.get("/v1/financial-statements?month=2026-01").json["items"]
    path = f"/v1/financial-statements/{statement['statement_id']}/restate"

    def body(line="revenue", fen=520706):
        return {"cause": "a branch was left out", "errors": [{"line": line, "correct": money(fen)}]}

    for wrong in (body("no_such"), body("net_profit"), body(fen=20706)):
        assert chain.post(path, wrong, role="accountant").json["code"] == "error_item_invalid"
    answer = chain.post(path, body(), role="accountant")
    assert (answer.status_code, answer.json["version"], answer.json["state"]) == (201, 2, "prepared")
    amounts = {line["line"]: line["amount"]["fen"] for line in answer.json["lines"] if line["amount"]}
    assert (amounts["revenue"], amounts["net_profit"]) == (520706, 506906)
    [(data,)] = chain.rows("select data from outbox where type = 'finance.statement.restated.v1'")
    assert (data["statement_id"], data["version"]) == (statement["statement_id"], 1)
    assert data["errors"] == [
        {"line": "revenue", "reported_fen": 20706, "correct_fen": 520706, "material": True}
    ]
    old, new = chain.get("/v1/financial-statements?month=2026-01").json["items"]
    assert (old["state"], new["state"], old["errors"][0]["cause"]) == (
        "restated",
        "prepared",
        "a branch was left out",
    )
    assert chain.post(path, body(), role="accountant").json["code"] == "statement_not_ready"


@pytest.mark.requirement("F17")
def test_the_balance_sheet_balances(chain):
    made = chain.post(
        "/v1/financial-statements", {"kind": "balance", "month": "2026-01"}, role="accountant"
    ).json
    amounts = {line["line"]: line["amount"]["fen"] for line in made["lines"] if line["amount"]}
    assert amounts["total_assets"] == amounts["total_liabilities_and_equity"] == 9600
    assert (amounts["cash"], amounts["inventory"], amounts["taxes_payable"]) == (23400, -13800, 2694)
    assert amounts["retained_earnings"] == 6906


@pytest.mark.requirement("X7")
@pytest.mark.parametrize(
    ("tampering", "kind"),
    [
        ("update journal_lines set debit_fen = debit_fen + 1 where booked_on = '2026-02-10' and debit_fen > 0", "altered"),
        ("update journal_entries set total_fen = total_fen + 1 where booked_on = '2026-02-10'", "altered"),
        ("delete from journal_entries where booked_on = '2026-02-10'", "missing"),
    ],
)  # fmt: skip
def test_the_chain_finds_what_someone_changed_behind_the_books(chain, tampering, kind):
    chain.seal()
    assert chain.faults() == []
    with behind(chain.database) as conn:
        # an administrator switches triggers off
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql(tampering)
        [fault] = list(chains.verify(conn, store.CHAIN))
        conn.rollback()
    assert (fault.stream, fault.kind) == ("main-2026", kind)
    assert chain.faults() == []


@pytest.mark.requirement("F2")
def test_closing_waits_for_a_till_that_is_writing_and_no_till_slips_in_behind_it(chain):
    """Two connections meet at the month: the till first, then the closing, then another till."""
    chain.seal()
    with chain.database.engine.begin() as till:
        assert till.exec_driver_sql("select hold_month('2026-02-01')").scalar_one() == "open"
        with ThreadPoolExecutor(2) as others:
            closing = others.submit(chain.post, "/v1/periods/2026-02/close", role="finance_head")
            eventually(
                lambda: chain.value(
                    "select count(*) from pg_locks where locktype = 'advisory' and not granted"
                )
            )
            late_till = others.submit(chain.post, "/v1/sales", a_receipt(sold_at=FEB, lines=[LINE]))
            eventually(
                lambda: (
                    chain.value("select count(*) from pg_locks where locktype = 'advisory' and not granted")
                    == 2
                )
            )
            till.commit()
    assert closing.result().json["state"] == "soft_closed"
    assert late_till.result().json["code"] == "period_closed"
