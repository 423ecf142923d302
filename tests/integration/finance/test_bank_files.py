"""Bank files in the database: pages, repeated numbers, value dates, several accounts, dialects, accounts that close."""

import base64
import os
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finance.bank_files import Upload
from finance.bank_matching.queries import reconciliations
from finance.bank_statements import commands, store
from finance.bank_statements.model import NewAccount
from shared.clock import business_date, next_month, utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support.bank_writers import FIRST, LAST, split, statements, written
from tests.support.banking import Bank
from tests.support.finance_builders import Office, money

EXAMPLES = int(os.environ.get("APOTHECA_BANK_EXAMPLES", "15"))


@pytest.fixture
def office(migrated_database, tmp_path_factory):
    office = Office(migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    yield office
    office.close()


def encoded(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def refused(answer):
    return answer.status_code, answer.json["code"]


def sent(office, bank, text, kind="mt940", **odd):
    body = {"format": kind, "file": encoded(text), **odd}
    return office.post(f"/v1/bank-accounts/{bank.id}/statements", body, role="accountant")


def message(*lines, opening, closing, head=":25:CN0012345\n:28C:00000/001\n", kinds="FF"):
    return (
        f":20:X\n{head}:60{kinds[0]}:{opening}\n"
        + "".join(f"{each}\n" for each in lines)
        + f":62{kinds[1]}:{closing}\n-\n"
    )


@pytest.mark.requirement("F3", "F16")
def test_days_of_one_number_pages_and_statements_of_one_day_continue_each_other(office):
    bank = Bank(office)
    files = [
        message(":61:2603020302C5,00NTRFA", opening="C260301CNY10,00", closing="C260302CNY15,00"),
        message(":61:2603030303C5,00NTRFA", opening="C260302CNY15,00", closing="C260303CNY20,00"),
        message(":61:2603030303C5,00NTRFA", opening="C260303CNY20,00", closing="C260303CNY25,00"),
        message(":61:2603040304D5,00NTRFB", opening="C260303CNY25,00", closing="C260304CNY20,00", kinds="FM"),
        message(":61:2603040304C5,00NTRFB", opening="C260304CNY20,00", closing="C260304CNY25,00", kinds="MF", head=":25:CN0012345\n:28C:4/2\n"),
        message(":61:2603050305C0,00NTRFZ", opening="C260304CNY25,00", closing="C260305CNY25,00"),
    ]  # fmt: skip
    for each in files:
        answer = sent(office, bank, each)
        assert (answer.status_code, answer.json["new_lines"]) == (201, 1), answer.json
    for each in [*files, *reversed(files)]:
        assert sent(office, bank, each).status_code == 200
    whole = message(
        *[line for each in files for line in each.splitlines() if line[:4] == ":61:"],
        opening="C260301CNY10,00",
        closing="C260305CNY25,00",
    )
    assert sent(office, bank, whole).json["new_lines"] == 0
    assert office.value("select sum(fen) from bank_lines") == 2_500
    assert [each["amount"]["fen"] for each in bank.lines()] == [1_000, 500, 500, 500, -500, 500]
    assert refused(sent(office, bank, message(opening="C260305CNY26,00", closing="C260306CNY26,00"))) == (
        409,
        "bank_statement_gap",
    )


@pytest.mark.requirement("F16")
def test_an_opening_line_and_a_line_of_nothing_wait_for_nobody(office):
    bank = Bank(office)
    done = bank.load([("2026-03-02", "0.00", "Z", "x", "")], opening=500)
    lines = {each["amount"]["fen"]: each for each in bank.lines("bank-lines")}
    assert {each["bank_statement_id"] for each in lines.values()} == {done["bank_statement_id"]}
    assert [(each["amount"]["fen"], each["overdue"]) for each in bank.lines()] == [(500, False)]
    assert lines[0]["overdue"] is False
    assert refused(bank.confirm(lines[0], "direct", reason="interest", branch_id="HQ")) == (
        409,
        "bank_line_moves_nothing",
    )
    assert (bank.sheet()["lines"], bank.sheet()["statement"]) == (0, money(500))


@pytest.mark.requirement("F3")
def test_a_line_valued_in_the_next_month_is_in_the_month_whose_statement_has_it(office):
    bank = Bank(office)
    text = message(
        ":61:260401C5,00NTRFB",
        ":61:260227D1,00NTRFC",
        opening="C260228CNY1000,00",
        closing="C260331CNY1004,00",
    )
    assert sent(office, bank, text).status_code == 201
    assert (bank.sheet("2026-03")["statement"], bank.sheet("2026-02")["statement"]) == (
        money(100_400),
        money(100_000),
    )
    assert [each["valued_on"] for each in bank.lines() if each["valued_on"]] == ["2026-02-27", "2026-04-01"]
    april = message(":61:2604020402C5,00NTRFB", opening="C260331CNY1004,00", closing="C260430CNY1009,00")
    assert sent(office, bank, april).status_code == 201


@pytest.mark.requirement("F3")
def test_a_file_of_several_accounts_goes_to_each_and_says_which_are_not_ours(office):
    main, other = Bank(office, "CN0012345"), Bank(office, "CN 999-000")
    mine = message(":61:2603020302C5,00NTRFA", opening="C260301CNY0,", closing="C260302CNY5,00")
    text = mine + mine.replace("CN0012345", "cn999000") + mine.replace("CN0012345", "DE777888")
    answer = sent(office, main, text)
    assert (answer.status_code, answer.json["passed_over"]) == (201, ["…7888"])
    assert [each["account_id"] for each in answer.json["also"]] == [other.id]
    assert [each["amount"]["fen"] for each in other.lines()] == [500]
    assert sent(office, main, text).status_code == 200
    third = Bank(office, "CN4444")
    answer = sent(office, third, text)
    assert refused(answer) == (422, "bank_account_differs")
    assert "…2345" in answer.json["detail"]


@pytest.mark.requirement("F3")
def test_an_account_is_known_with_its_bank_before_it_and_its_currency_behind_it(office):
    bank, other = Bank(office, "6222 0202"), Bank(office, "CN 999-000")
    days = [
        message(":61:2603020302C5,00NTRFA", opening="C260301CNY0,", closing="C260302CNY5,00", head=":25:BKCHCNBJ/62220202\n:28C:1\n"),
        message(":61:2603030303C5,00NTRFB", opening="C260302CNY5,00", closing="C260303CNY10,00", head=":25:62220202CNY\n:28C:2\n"),
        message(":61:2603030303C7,00NTRFC", opening="C260302CNY0,00", closing="C260303CNY7,00", head=":25:X/CN999000\n:28C:2\n"),
    ]  # fmt: skip
    answer = sent(office, bank, "".join(days))
    assert (answer.status_code, answer.json["new_lines"]) == (201, 2), answer.json
    assert [each["amount"]["fen"] for each in bank.lines()] == [500, 500]
    assert [each["amount"]["fen"] for each in other.lines()] == [700]


def test_a_file_finds_the_account_whose_number_was_registered_with_its_currency(office):
    bank = Bank(office, "62220202CNY")
    for number in ("62220202", "6222 0202-RMB"):
        answer = office.post("/v1/bank-accounts", {"name": "a", "bank": "b", "number": number}, role="finance_head")  # fmt: skip
        assert refused(answer) == (409, "bank_account_known"), number
    assert Bank(office, "62220203CNY").id != bank.id
    text = ":20:X\n:25:BKCHCNBJ/62220202\n:28C:1\n:60F:C260228CNY0,\n:61:2603020302C5,00NTRFA\n:62F:C260331CNY5,00\n-\n"
    assert sent(office, bank, text).json["new_lines"] == 1


def test_a_statement_that_begins_before_any_time_is_refused(office):
    bank = Bank(office)
    for first in ("0001-01-01", "1999-12-31"):
        answer = bank.send([("2026-03-02", "5.00", "A", "x", "")], first=first, opening=100)
        assert refused(answer) == (422, "bank_statement_days_wrong"), answer.json


def test_another_spelling_is_the_same_account_and_a_closed_one_is_not_asked_for(office):
    main, bank = Bank(office, "6222 0200-0001"), Bank(office, "CN0012345")
    for number in (
        "622202000001",
        "６２２２０２０００００１",
        "6222-0200 0001",
        "622202000001CNY",
        "622202000001 RMB",
    ):
        answer = office.post(
            "/v1/bank-accounts", {"name": "a", "bank": "b", "number": number}, role="finance_head"
        )
        assert refused(answer) == (409, "bank_account_known"), number
    bank.load([("2026-03-02", "10.00", "A", "x", ""), ("2026-03-05", "-10.00", "B", "x", "")])
    close = f"/v1/bank-accounts/{bank.id}/close"
    for day in ("2026-03-05", "2026-03-03"):
        answer = office.post(close, {"closed_on": day}, role="finance_head")
        assert refused(answer) == (409, "bank_account_in_use")
    assert answer.json["balance_fen"] == 1_000
    received, paid = bank.lines()
    assert bank.confirm(received, "direct", reason="interest", branch_id="HQ").status_code == 201
    assert bank.confirm(paid, "direct", reason="bank_fee", branch_id="HQ").status_code == 201
    assert office.post(close, {"closed_on": "2026-03-05"}, role="accountant").status_code == 403
    assert (
        office.post(close, {"closed_on": "2026-03-05"}, role="finance_head").json["closed_on"] == "2026-03-05"
    )
    assert refused(office.post(close, {"closed_on": "2026-03-05"}, role="finance_head")) == (
        409,
        "bank_account_closed",
    )
    late = bank.send(
        [("2026-04-02", "1.00", "C", "x", "")], number="4", first="2026-04-01", last="2026-04-30"
    )
    assert refused(late) == (409, "bank_account_closed")
    with office.database.begin() as conn:
        assert [each["account_id"] for each in reconciliations.unreconciled(conn, date(2026, 3, 1))] == [
            bank.id
        ]
        assert reconciliations.unreconciled(conn, date(2026, 4, 1)) == []
    # The main account, which was never used, hands over.
    close = f"/v1/bank-accounts/{main.id}/close"
    third = Bank(office, "CN777888")
    assert refused(office.post(close, {"closed_on": "2026-03-31"}, role="finance_head")) == (
        409,
        "bank_account_in_use",
    )
    body = {"closed_on": "2026-03-31", "successor_id": third.id}
    assert office.post(close, body, role="finance_head").json["is_main"] is False
    assert [
        each["account_id"] for each in office.get("/v1/bank-accounts").json["items"] if each["is_main"]
    ] == [third.id]
    with office.database.begin() as conn:
        assert [
            each["account_id"]
            for each in reconciliations.unreconciled(conn, business_date(utc_now()).replace(day=1))
        ] == [third.id]


def test_a_dialect_is_tried_then_kept_and_each_change_is_a_version(office):
    bank = Bank(office)
    definition = {
        "amount_rule": "direction", "columns": {"date": ["日子"], "amount": ["钱"], "direction": ["去向"], "summary": ["说明"]},
        "in_words": ["进"], "out_words": ["出"], "footer_words": ["合计"], "date_formats": ["%d/%m/%Y"],
    }  # fmt: skip
    text = "某银行\n日子,钱,去向,说明\n02/03/2026,5.00,进,甲\n03/03/2026,x,出,乙\n合计,7.00,,\n"
    path = "/v1/bank-dialects"
    tried = office.post(
        "/v1/bank-dialect-trials", {"file": encoded(text), "definition": definition}, role="accountant"
    ).json
    assert (tried["count"], tried["sum"], tried["headings_row"], tried["passed_over"]) == (
        1,
        money(500),
        2,
        [1, 5],
    )
    assert [(each["row"], each["column"], each["value"]) for each in tried["faults"]] == [(4, "钱", "x")]
    assert (
        office.value("select count(*) from bank_dialects") + office.value("select count(*) from bank_lines")
        == 0
    )
    kept = office.post(path, {"dialect": "our_bank", **definition}, role="accountant")
    assert (kept.status_code, kept.json["version"]) == (201, 1)
    assert office.post(path, {"dialect": "our_bank", **definition}, role="finance_head").json["version"] == 1
    definition["columns"]["reference"] = ["号"]
    assert office.post(path, {"dialect": "our_bank", **definition}, role="finance_head").json["version"] == 2
    versions = office.get(f"{path}/our_bank").json["items"]
    assert [each["version"] for each in versions] == [2, 1]
    assert all(each["kept_by"] and each["kept_at"] for each in versions)
    assert refused(office.post(path, {"dialect": "plain", **definition}, role="accountant")) == (
        409,
        "bank_dialect_delivered",
    )
    assert office.post(path, {"dialect": "our_bank", **definition}, role="cashier").status_code == 403
    for odd in ({"date_formats": ["%Y%Y"]}, {"date_formats": ["%d"]}, {"out_words": ["出", " 进"]}):
        wrong = {**definition, **odd}
        assert refused(office.post(path, {"dialect": "x", **wrong}, role="accountant")) == (
            422,
            "payload_invalid",
        )
        body = {"file": encoded(text), "definition": wrong}
        assert refused(office.post("/v1/bank-dialect-trials", body, role="accountant")) == (
            422,
            "payload_invalid",
        )
    assert refused(office.post(path, {"dialect": "x", **definition, "in_words": []}, role="accountant")) == (
        422,
        "payload_invalid",
    )
    days = {"from": "2026-03-01", "until": "2026-03-31", "opening": money(0), "closing": money(500)}
    answer = sent(office, bank, text, "csv", dialect="our_bank", **days)
    assert refused(answer) == (422, "bank_statement_unreadable")
    assert [(each["row"], each["column"], each["value"]) for each in answer.json["errors"]] == [
        (4, "钱", "x")
    ]
    good = text.replace("03/03/2026,x,出,乙\n", "")
    assert sent(office, bank, good.encode("gb18030"), "csv", dialect="our_bank", **days).status_code == 201
    assert refused(sent(office, bank, good, "csv", dialect="nobody", **days)) == (422, "bank_dialect_unknown")
    for odd in (b"PK\x03\x04", b"", b"%PDF-1.4"):
        assert refused(sent(office, bank, odd, "csv", dialect="plain", **{**days, "closing": money(0)})) == (
            422,
            "bank_statement_unreadable",
        )


@pytest.mark.requirement("F3", "F16")
def test_however_pages_are_split_and_repeated_each_month_closes_as_at_the_bank(office):
    """`APOTHECA_BANK_EXAMPLES` sets how many statements are generated."""
    count = 0

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(statements(), st.data())
    def holds(logical, data):
        nonlocal count
        count += 1
        number = f"T{count:06d}"
        files = split(logical, number, data)
        with office.database.begin() as conn:
            tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
            account = commands.register_account(
                tx, NewAccount(name="a", bank="b", number=number, branch_id=None)
            ).account_id
            for content in files:
                for _ in range(data.draw(st.integers(1, 2))):
                    commands.import_file(tx, account, Upload(format="mt940", file=content))
            whole = written(logical, number)["mt940"]
            done = commands.import_file(tx, account, Upload(format="mt940", file=whole))
            assert not done.is_new or done.statement.new_lines == 0
            month = FIRST
            while month <= LAST:
                end = next_month(month) - timedelta(days=1)
                assert store.balance_at(conn, account, end) == logical.balance(end)
                month = next_month(month)

    holds()
    assert count >= EXAMPLES
