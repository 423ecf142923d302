"""Bank accounts over HTTP: statements in, matches proposed and confirmed, the month reconciled and closed."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from finance.bank_matching.queries import reconciliations
from shared.clock import business_date, utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support.banking import Bank, post_to_bank, sold
from tests.support.expenses_builders import Desk
from tests.support.finance_builders import Office, money


@pytest.fixture
def office(migrated_database, tmp_path_factory):
    """One database per test: bank reconciliation looks at the whole book."""
    office = Office(migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    yield office
    office.close()


def refused(answer):
    return answer.status_code, answer.json["code"]


@pytest.mark.requirement("F3", "F16")
def test_a_wallet_settlement_empties_the_clearing_account_into_the_bank_less_its_fee(office):
    bank = Bank(office)
    for fen, branch in ((60_000, "S001"), (30_000, "S001"), (10_000, "S002")):
        sold(office, fen, "2026-03-02", branch=branch)
    sold(office, 5_000, "2026-03-03")
    bank.load([("2026-03-03", "994.00", "WX1", "结算", "财付通支付")])
    assert office.value("select count(*) from journal_entries where kind like 'bank%'") == 0
    [line] = bank.lines("bank-match-proposals")
    assert (line["clearing"], [each["rule"] for each in line["proposals"]]) == ("wechat", ["settlement"])
    answer = bank.accept(line)
    assert (answer.status_code, answer.json["fee"]) == (201, money(600))
    assert (bank.balance("1002"), bank.balance("6603"), bank.balance("1012.01")) == (99_400, 600, 5_000)
    assert (bank.balance("6603", "S001"), bank.balance("6603", "S002")) == (540, 60)
    assert bank.lines() == []
    assert "财付通" not in str(office.rows("select * from bank_lines"))


@pytest.mark.requirement("F3")
def test_a_bag_dropped_at_the_bank_is_matched_by_its_number_and_interest_and_fees_directly(office):
    bank = Bank(office)
    office.post("/v1/safe-movements", {"branch_id": "S001", "kind": "pay_in", "amount": money(80_000), "reason": "deposit_received"}, role="cashier")  # fmt: skip
    for bag in ("BAG-7", "BAG-8"):
        answer = office.post("/v1/safe-movements", {"branch_id": "S001", "kind": "bank_drop", "amount": money(30_000), "reference": bag}, role="cashier")  # fmt: skip
        assert answer.status_code == 201, answer.json
    today = str(business_date(utc_now()))
    bank.load(
        [(today, "300.00", "", "现金存入 BAG-8", ""), (today, "1.20", "", "结息", ""), (today, "-15.00", "", "手续费", "")],
        number="now", first=today, last=today,
    )  # fmt: skip
    lines = {line["amount"]["fen"]: line for line in bank.lines("bank-match-proposals")}
    best = lines[30_000]["proposals"]
    assert [(each["rule"], each["items"][0]["reference"]) for each in best] == [("reference", "BAG-8"), ("date", "BAG-7")]  # fmt: skip
    assert bank.accept(lines[30_000]).status_code == 201
    assert refused(bank.confirm(lines[120], "direct", reason="bank_fee", branch_id="S001")) == (
        422,
        "bank_reason_unknown",
    )
    assert refused(bank.confirm(lines[120], "direct", reason="interest")) == (422, "bank_foreign_batch")
    assert bank.confirm(lines[120], "direct", reason="interest", branch_id="S001").status_code == 201
    assert bank.confirm(lines[-1500], "direct", reason="bank_fee", branch_id="S001").status_code == 201
    assert (bank.balance("1002"), bank.balance("1012.05"), bank.balance("6603")) == (28_620, 30_000, 1_380)


@pytest.mark.requirement("F3", "F16")
def test_the_same_statement_again_changes_nothing_and_a_longer_one_adds_only_what_is_new(office):
    bank = Bank(office)
    rows = [("2026-03-02", "10.00", "A", "x", ""), ("2026-03-02", "10.00", "A", "x", ""), ("2026-03-04", "-3.00", "B", "y", "")]  # fmt: skip
    first = bank.load(rows[:2], number="early", last="2026-03-03", opening=500)
    again = bank.send(rows[:2], number="early", last="2026-03-03", opening=500)
    assert (again.status_code, again.json["bank_statement_id"]) == (200, first["bank_statement_id"])
    longer = bank.load(rows, number="whole", opening=500)
    assert (longer["lines"], longer["new_lines"]) == (3, 1)
    assert office.value("select count(*) from bank_lines where account_id = :id", id=bank.id) == 4
    assert [line["amount"]["fen"] for line in bank.lines()] == [500, 1_000, 1_000, -300]
    assert len(office.get(f"/v1/bank-accounts/{bank.id}/statements").json["items"]) == 2


def test_a_statement_that_cannot_be_true_is_refused(office):
    bank = Bank(office)
    rows = [("2026-03-02", "10.00", "A", "x", ""), ("2026-03-09", "5.00", "B", "x", "")]
    assert refused(bank.send(rows, closing=1)) == (422, "bank_statement_unbalanced")
    assert refused(bank.send(rows, last="2026-03-08")) == (422, "bank_statement_days_wrong")
    assert refused(bank.send(rows, last="2999-03-08")) == (422, "bank_statement_days_wrong")
    early = {"number": "2009", "first": "2009-12-01", "last": "2010-01-31"}
    assert refused(bank.send([("2009-12-31", "10.00", "A", "x", "")], **early)) == (422, "before_the_books")
    assert refused(bank.send([("x", "1", "", "", "")], closing=1)) == (422, "bank_statement_unreadable")
    assert refused(bank.send(rows, file="%%%")) == (422, "payload_invalid")
    assert refused(bank.send(rows, dialect=None)) == (422, "payload_invalid")
    bank.load(rows)
    assert refused(bank.send(rows[:1])) == (409, "bank_statement_contradicts")
    april = {"number": "2026-04", "first": "2026-04-01", "last": "2026-04-30"}
    assert refused(bank.send([], opening=1, **april)) == (409, "bank_statement_gap")
    assert refused(bank.send(rows[:1], number="other", closing=1000)) == (409, "bank_statement_contradicts")
    bank.load([], opening=1_500, **april)
    assert refused(office.post("/v1/bank-accounts", {"name": "a", "bank": "b", "number": "CN0012345"}, role="finance_head")) == (409, "bank_account_known")  # fmt: skip
    nowhere = "/v1/unmatched-bank-lines?account_id=0199b1c0-0000-7000-8000-00000000ffff"
    assert refused(office.get(nowhere)) == (404, "bank_account_not_found")
    assert refused(office.get(f"/v1/unmatched-bank-lines?account_id={bank.id}", branches=["S001"])) == (404, "bank_account_not_found")  # fmt: skip


@pytest.mark.requirement("F3")
def test_an_mt940_file_is_imported_by_what_it_says_itself(office):
    bank = Bank(office)
    text = (
        ":20:E\n:25:CN 0012 345\n:28C:3/1\n:60F:C260228CNY100,00\n"
        ":61:2603010301C38,60NTRFREF1//B1\n:86:支付宝结算\n:62F:C260331CNY138,60\n-\n"
    )
    body = {
        "format": "mt940",
        "file": base64.b64encode(text.encode("gb18030")).decode(),
    }
    path = f"/v1/bank-accounts/{bank.id}/statements"
    answer = office.post(path, body, role="accountant")
    assert (answer.status_code, answer.json["number"], answer.json["closing"]) == (
        201,
        "2026-3/1",
        money(13_860),
    )
    assert [(line["amount"]["fen"], line["clearing"]) for line in bank.lines()] == [
        (10_000, None),
        (3_860, "alipay"),
    ]
    assert office.post(path, body, role="accountant").status_code == 200
    other = Bank(office, "CN999999")
    answer = office.post(f"/v1/bank-accounts/{other.id}/statements", body, role="accountant")
    assert refused(answer) == (422, "bank_account_differs")


def test_a_match_must_make_the_line_of_what_is_open(office):
    bank = Bank(office)
    sale = sold(office, 10_000, "2026-03-02")
    bank.load([("2026-03-03", "80.00", "", "", ""), ("2026-03-03", "99.40", "", "", "微信")])
    small, line = sorted(bank.lines(), key=lambda each: each["amount"]["fen"])
    batch = {"branch_id": "S001", "day": "2026-03-02"}
    assert refused(bank.confirm(small, "settlement", clearing="wechat", batches=[batch])) == (
        409,
        "bank_amounts_differ",
    )
    for odd in ([batch, batch], [{**batch, "day": "2026-03-01"}], [{**batch, "branch_id": "S009"}]):
        assert refused(bank.confirm(line, "settlement", clearing="wechat", batches=odd)) == (
            409,
            "bank_item_not_open",
        )
    item = {"source_id": sale["sale_id"], "entry_kind": "sale"}
    for kind in ("book", "transit"):
        assert refused(bank.confirm(line, kind, items=[item])) == (409, "bank_item_not_open")
    unknown = {"source_id": "0199b1c0-0000-7000-8000-00000000ffff", "entry_kind": "sale"}
    assert refused(bank.confirm(line, "book", items=[unknown])) == (409, "bank_item_not_open")
    assert refused(bank.confirm(line, "direct", reason="what", branch_id="S001")) == (
        422,
        "bank_reason_unknown",
    )
    assert refused(bank.confirm(line, "settlement")) == (422, "payload_invalid")
    assert refused(bank.confirm({"line_id": unknown["source_id"]}, "direct", reason="interest")) == (404, "bank_line_not_found")  # fmt: skip
    assert (
        bank.confirm(line, "settlement", role="cashier", clearing="wechat", batches=[batch]).status_code
        == 403
    )
    assert bank.confirm(line, "settlement", clearing="wechat", batches=[batch]).status_code == 201
    assert refused(bank.confirm(line, "direct", reason="unidentified_receipt", branch_id="S001")) == (409, "bank_line_matched")  # fmt: skip
    assert office.value("select count(*) from bank_matches") == 1


def test_an_account_of_one_branch_settles_that_branch_alone(office):
    Bank(office, "MAIN1")
    bank = Bank(office, "OF-S002", branch="S002")
    sold(office, 10_000, "2026-03-02", branch="S001")
    sold(office, 10_000, "2026-03-02", branch="S002")
    bank.load([("2026-03-03", "100.00", "", "", "支付宝"), ("2026-03-03", "200.00", "", "", "微信")])
    line = bank.lines("bank-match-proposals")[1]
    assert line["proposals"] == []
    both = [{"branch_id": each, "day": "2026-03-02"} for each in ("S001", "S002")]
    assert refused(bank.confirm(line, "settlement", clearing="wechat", batches=both)) == (
        422,
        "bank_foreign_batch",
    )


@pytest.mark.requirement("F16")
def test_lines_that_nobody_matched_for_five_business_days_are_listed_as_overdue(office):
    bank = Bank(office)
    today = business_date(utc_now())
    bank.load([(str(today - timedelta(days=12)), "1.00", "", "", ""), (str(today), "2.00", "", "", "")], number="n", first=str(today - timedelta(days=12)), last=str(today))  # fmt: skip
    assert [(line["amount"]["fen"], line["overdue"]) for line in bank.lines()] == [(100, True), (200, False)]


@pytest.mark.requirement("F16", "F2")
def test_a_month_is_reconciled_with_what_only_one_side_knows_and_closes_only_then(office):
    bank = Bank(office)
    for fen, day in ((50_000, "2026-03-30"), (20_000, "2026-03-31")):
        sold(office, fen, day)
    opening = 7_000
    bank.load(
        [("2026-03-31", "500.00", "", "", "微信"), ("2026-03-31", "-2.00", "", "年费", "")], opening=opening
    )
    lines = {line["amount"]["fen"]: line for line in bank.lines("bank-match-proposals")}
    assert bank.confirm(lines[opening], "direct", reason="capital_paid_in", branch_id="HQ").status_code == 201
    assert bank.accept(lines[50_000]).status_code == 201
    sheet = bank.sheet()
    assert (sheet["book"], sheet["statement"]) == (money(57_000), money(56_800))
    assert [each["amount"]["fen"] for each in sheet["paid_by_bank_only"]] == [-200]
    assert (sheet["adjusted_book"], sheet["adjusted_statement"], sheet["difference"]) == (money(56_800), money(56_800), money(0))  # fmt: skip
    assert refused(bank.complete("2026-04")) == (409, "bank_statement_missing")
    assert refused(bank.complete(f"{business_date(utc_now()):%Y-%m}")) == (409, "period_not_over")
    assert bank.complete(role="cashier").status_code == 403
    office.seal()
    for month in office.rows(
        "select to_char(month, 'YYYY-MM') from periods where month < '2026-03-01' order by 1"
    ):
        assert office.post(f"/v1/periods/{month[0]}/close", role="finance_head").status_code == 200
    assert refused(office.post("/v1/periods/2026-03/close", role="finance_head")) == (
        409,
        "bank_not_reconciled",
    )
    done = bank.complete()
    assert (done.status_code, done.json["version"], done.json["lines"]) == (201, 1, 2)
    sold(office, 1_000, "2026-03-31")
    assert bank.confirm(lines[-200], "direct", reason="bank_fee", branch_id="HQ").status_code == 201
    office.seal()
    assert refused(office.post("/v1/periods/2026-03/close", role="finance_head")) == (
        409,
        "bank_not_reconciled",
    )
    assert bank.complete().json["version"] == 2
    told = office.rows("select version, data from outbox where type = 'finance.bank_reconciliation.completed.v1' order by version")  # fmt: skip
    assert [(each[0], each[1]["book_fen"]) for each in told] == [(1, 57_000), (2, 56_800)]
    closed = office.post("/v1/periods/2026-03/close", role="finance_head")
    assert closed.status_code == 200, closed.json
    assert refused(bank.complete()) == (409, "period_closed")
    assert len(office.get(f"/v1/bank-accounts/{bank.id}/reconciliations").json["items"]) == 1


@pytest.mark.requirement("F3", "F16")
def test_a_balance_that_its_entries_do_not_explain_is_not_reconciled(office):
    bank = Bank(office)
    sold(office, 50_000, "2026-03-30")
    bank.load([("2026-03-31", "500.00", "", "", "微信")])
    assert bank.accept(bank.lines("bank-match-proposals")[0]).status_code == 201
    office.seal()
    with office.database.engine.begin() as conn:
        # somebody changed the sums behind the books
        changed = conn.exec_driver_sql(
            "update running_balances set debit_fen = debit_fen + 1 where account = '1002'"
        )
        assert changed.rowcount == 1
    assert bank.sheet()["difference"] != money(0)
    assert refused(bank.complete()) == (409, "bank_reconciliation_differs")


@pytest.mark.requirement("F16")
def test_an_opening_line_that_stands_for_what_is_booked_begins_no_month(office):
    """Nothing was ever booked to April, so nobody has to close it before May."""
    bank = Bank(office)
    with office.database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
        source = post_to_bank(tx, date(2026, 3, 31), 40_000)
    bank.load([], number="2026-05", first="2026-05-01", last="2026-05-31", opening=40_000)
    [line] = bank.lines()
    answer = bank.confirm(line, "book", items=[{"source_id": source, "entry_kind": "test_payment"}])
    assert (answer.status_code, answer.json["booked_on"]) == (201, "2026-04-30")
    assert office.value("select count(*) from periods where month = '2026-04-01'") == 0
    assert bank.complete("2026-05").status_code == 201


@pytest.mark.requirement("F16")
def test_what_the_bank_shows_a_month_later_is_carried_forward_and_then_cleared(office):
    """Another part of finance posts to 1002 in March; the bank shows it in April, after March was closed."""
    bank = Bank(office)
    with office.database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
        source = post_to_bank(tx, date(2026, 3, 31), 40_000)
    bank.load([])
    march = bank.sheet()
    assert [each["amount"]["fen"] for each in march["received_by_book_only"]] == [40_000]
    assert (march["book"], march["adjusted_statement"], march["difference"]) == (
        money(40_000),
        money(40_000),
        money(0),
    )
    assert bank.complete().status_code == 201
    office.seal()
    for month in office.rows(
        "select to_char(month, 'YYYY-MM') from periods where month < '2026-04-01' order by 1"
    ):
        answer = office.post(f"/v1/periods/{month[0]}/close", role="finance_head")
        assert answer.status_code == 200, answer.json
    bank.load(
        [("2026-04-02", "400.00", "", "货款", "")], number="2026-04", first="2026-04-01", last="2026-04-30"
    )
    assert [each["amount"]["fen"] for each in bank.sheet("2026-04")["received_by_book_only"]] == [40_000]
    [line] = bank.lines("bank-match-proposals")
    assert [each["kind"] for each in line["proposals"]] == ["book"]
    assert bank.accept(line).status_code == 201
    april = bank.sheet("2026-04")
    assert (april["received_by_book_only"], april["received_by_bank_only"]) == ([], [])
    assert (april["book"], april["statement"]) == (money(40_000), money(40_000))
    assert bank.sheet("2026-03")["received_by_book_only"][0]["source_id"] == source
    assert bank.balance("1002") == 40_000


@pytest.mark.requirement("F3")
def test_money_between_own_accounts_is_in_transit_until_both_banks_show_it(office):
    main, other = Bank(office, "MAIN1"), Bank(office, "OTHER")
    main.load([("2026-03-05", "-100.00", "", "转账", "")], opening=50_000)
    other.load([("2026-03-06", "100.00", "", "转账", "")])
    opening, out = main.lines()
    assert main.confirm(opening, "direct", reason="capital_paid_in", branch_id="HQ").status_code == 201
    assert main.confirm(out, "direct", reason="own_transfer", branch_id="HQ").status_code == 201
    [line] = other.lines("bank-match-proposals")
    assert [each["kind"] for each in line["proposals"]] == ["transit"]
    assert other.accept(line).status_code == 201
    assert (main.balance("1012.05"), main.balance("1002")) == (0, 50_000)
    assert (main.sheet()["book"], other.sheet()["book"]) == (money(40_000), money(10_000))
    assert main.sheet()["difference"] == other.sheet()["difference"] == money(0)


@pytest.mark.requirement("F16", "F21")
def test_of_parallel_confirmations_one_posts(office):
    """Eight accountants confirm one line, and eight others claim one day of takings for eight lines."""
    bank = Bank(office)
    sold(office, 10_000, "2026-03-02")
    sold(office, 20_000, "2026-03-02", tender="alipay")
    rows = [("2026-03-03", "200.00", "", "", "支付宝")] + [
        ("2026-03-04", "100.00", str(no), "", "微信") for no in range(8)
    ]
    bank.load(rows)
    lines = bank.lines()
    batch = [{"branch_id": "S001", "day": "2026-03-02"}]
    with ThreadPoolExecutor(8) as pool:
        one_line = list(pool.map(lambda _: bank.confirm(lines[0], "settlement", clearing="alipay", batches=batch).status_code, range(8)))  # fmt: skip
        one_day = list(pool.map(lambda line: bank.confirm(line, "settlement", clearing="wechat", batches=batch).status_code, lines[1:]))  # fmt: skip
    assert sorted(one_line) == sorted(one_day) == [201] + [409] * 7
    assert (bank.balance("1002"), bank.balance("1012.01"), bank.balance("1012.02")) == (30_000, 0, 0)


@pytest.mark.requirement("F16", "X1")
def test_a_wrong_match_is_taken_back_by_somebody_else_and_everything_is_open_again(office):
    bank = Bank(office)
    sold(office, 10_000, "2026-03-02")
    fees = Desk(office).budget("S001", 50, category="finance", **{"from": "2026-03-01"})
    with office.database.begin() as conn:
        source = post_to_bank(
            Tx(conn=conn, actor=system_actor("finance"), now=utc_now()), date(2026, 3, 3), 9_940
        )
    bank.load([("2026-03-03", "99.40", "", "", "微信")])
    [line] = bank.lines("bank-match-proposals")
    settled, booked = sorted(line["proposals"], key=lambda each: each["kind"], reverse=True)
    match = bank.accept(line, line["proposals"].index(settled)).json["match_id"]
    assert Desk(office).counters(fees) == (0, 60), "a fee that the bank took is spent, beyond the budget"
    path = f"/v1/bank-matches/{match}/undo"
    why = {"reason": "it was the hospital's payment"}
    same = office.post(path, why, role="finance_head", person="the-accountant")
    assert refused(same) == (403, "approval_same_person")
    back = office.post(path, why, role="finance_head")
    assert (back.status_code, back.json["undone_by"]) == (200, "the-finance_head")
    assert refused(office.post(path, why, role="finance_head")) == (409, "bank_match_undone")
    nothing = office.post(f"/v1/bank-matches/{source}/undo", why, role="finance_head")
    assert refused(nothing) == (404, "bank_match_not_found")
    assert (bank.balance("1002"), bank.balance("1012.01"), bank.balance("6603")) == (9_940, 10_000, 0)
    assert Desk(office).counters(fees) == (0, 0)
    [again] = bank.lines("bank-match-proposals")
    assert again["proposals"] == line["proposals"]
    ticked = bank.accept(again, again["proposals"].index(booked))
    assert ticked.status_code == 201
    sheet = bank.sheet(f"{business_date(utc_now()):%Y-%m}")
    assert (sheet["received_by_bank_only"], sheet["received_by_book_only"], sheet["difference"]) == (
        [],
        [],
        money(0),
    )
    assert (
        office.post(f"/v1/bank-matches/{ticked.json['match_id']}/undo", why, role="finance_head").status_code
        == 200
    )
    assert len(bank.lines()) == 1


@pytest.mark.requirement("F3", "F16")
def test_an_entry_of_a_closed_month_is_open_again_when_its_match_is_undone(office):
    """What March's reconciliation took for shown, April's must name: else both sides never meet again."""
    bank = Bank(office)
    with office.database.begin() as conn:
        post_to_bank(Tx(conn=conn, actor=system_actor("finance"), now=utc_now()), date(2026, 3, 3), 9_940)
    bank.load([("2026-03-03", "99.40", "", "", "")])
    [line] = bank.lines("bank-match-proposals")
    match = bank.accept(line).json["match_id"]
    assert bank.complete().status_code == 201
    office.seal()
    for month in office.rows("select to_char(month, 'YYYY-MM') from periods where month < '2026-04-01' order by 1"):  # fmt: skip
        assert office.post(f"/v1/periods/{month[0]}/close", role="finance_head").status_code == 200
    bank.load([], number="2026-04", first="2026-04-01", last="2026-04-30", opening=9_940)
    why = {"reason": "another payment"}
    assert office.post(f"/v1/bank-matches/{match}/undo", why, role="finance_head").status_code == 200
    april = bank.sheet("2026-04")
    assert [each["amount"]["fen"] for each in april["received_by_book_only"]] == [9_940]
    assert [each["amount"]["fen"] for each in april["received_by_bank_only"]] == [9_940]
    assert bank.complete("2026-04").status_code == 201
    [line] = bank.lines("bank-match-proposals")
    assert bank.accept(line).status_code == 201
    assert bank.sheet("2026-04")["difference"] == money(0)


def test_a_transfer_that_reached_the_other_account_is_taken_back_there_first(office):
    main, other = Bank(office, "MAIN1"), Bank(office, "OTHER")
    main.load([("2026-03-05", "-100.00", "", "", "")], opening=50_000)
    other.load([("2026-03-06", "100.00", "", "", "")])
    sent = main.confirm(main.lines()[1], "direct", reason="own_transfer", branch_id="HQ").json["match_id"]
    arrived = other.accept(other.lines("bank-match-proposals")[0]).json["match_id"]
    why = {"reason": "wrong account"}
    assert refused(office.post(f"/v1/bank-matches/{sent}/undo", why, role="finance_head")) == (
        409,
        "bank_item_not_open",
    )
    for match in (arrived, sent):
        assert office.post(f"/v1/bank-matches/{match}/undo", why, role="finance_head").status_code == 200
    assert (main.balance("1002"), main.balance("1012.05")) == (0, 0)
    assert other.lines("bank-match-proposals")[0]["proposals"] == []


def test_an_account_registered_after_a_month_does_not_keep_it_from_closing(office):
    Bank(office)
    with office.database.begin() as conn:
        assert reconciliations.unreconciled(conn, date(2026, 1, 1)) == []
        this_month = business_date(utc_now()).replace(day=1)
        assert len(reconciliations.unreconciled(conn, this_month)) == 1
