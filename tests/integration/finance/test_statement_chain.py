"""Published statements are frozen, chained and proved: who changes one, or the journal, behind the books is found."""

import json
import random
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from finance.app import SERVICE
from finance.kernel.chart import Standard, chart_of
from finance.statement_figures.queries import Journal
from finance.statement_figures.rules import cash_flow
from finance.statements.commands import CHAIN
from shared import chain, ops
from tests.support.finance_builders import a_line, money
from tests.support.roles import behind
from tests.support.sealing import settle
from tests.support.statements import movements_of, proof


@pytest.fixture(scope="module")
def published(office):
    """The income statement of January, published, restated, and published again; the balance sheet is only prepared."""
    for sold_at in ("2026-01-10T02:00:00Z", "2026-02-10T02:00:00Z"):
        office.sell(sold_at=sold_at, lines=[a_line(expiry="2099-12-31")])
    office.seal()
    closed = office.post("/v1/periods/2026-01/close", role="finance_head")
    assert closed.status_code == 200, closed.json
    first = office.post(
        "/v1/financial-statements", {"kind": "income", "month": "2026-01"}, role="accountant"
    ).json
    publish(office, first["statement_id"])
    wrong = {"cause": "a branch was left out", "errors": [{"line": "revenue", "correct": money(9_900)}]}
    path = f"/v1/financial-statements/{first['statement_id']}/restate"
    second = office.post(path, wrong, role="accountant").json
    publish(office, second["statement_id"])
    office.post("/v1/financial-statements", {"kind": "balance", "month": "2026-01"}, role="accountant")
    seal(office)
    return office


def publish(office, statement_id):
    steps = (
        ("review", "finance_head"),
        ("sign", "unit_head"),
        ("sign", "chief_accountant"),
        ("sign", "accounting_head"),
        ("publish", "accountant"),
    )
    for step, role in steps:
        answer = office.post(f"/v1/financial-statements/{statement_id}/{step}", role=role)
        assert answer.status_code == 200, answer.json


def seal(office):
    with office.database.begin() as conn:
        while chain.seal(conn, CHAIN):
            pass


@pytest.mark.requirement("F2", "F17", "X7")
def test_what_is_published_and_restated_is_numbered_per_kind_and_year(published):
    rows = published.rows("select stream, chain_no, event from statement_history order by id")
    assert rows == [
        ("income-2026", 1, "published"),
        ("income-2026", 2, "restated"),
        ("income-2026", 3, "published"),
    ]
    with published.database.begin() as conn:
        assert list(chain.verify(conn, CHAIN)) == []


@pytest.mark.requirement("F17", "X7")
@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("update statements set content = jsonb_set(content, '{lines,0,amounts,period}', '1') where version = 1", (1, "altered")),
        ("update statements set published_on = published_on - 1 where version = 2 and kind = 'income'", (3, "altered")),
        ("update statement_decisions set person = person || '2'", (1, "altered")),
        ("update statement_errors set cause = 'nothing of note'", (2, "altered")),
        ("delete from statements where version = 2", (3, "altered")),
        ("delete from statement_history where chain_no = 2", (2, "missing")),
    ],
)  # fmt: skip
def test_an_altered_statement_is_found_and_the_database_refuses_the_change(published, tampering, found):
    with pytest.raises(IntegrityError), behind(published.database) as conn:
        conn.execute(text(tampering))
    with behind(published.database) as conn:
        # an administrator switches triggers off
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql(tampering)
        [fault] = list(chain.verify(conn, CHAIN))
        conn.rollback()
    assert (fault.stream, fault.no, fault.kind) == ("income-2026", *found)


@pytest.mark.requirement("X7")
def test_the_operator_is_told_of_an_altered_statement(published, monkeypatch, capsys):
    monkeypatch.setenv("APOTHECA_DATABASE_URL", published.database.url)
    monkeypatch.setenv("APOTHECA_TRANSPORT", "feed")
    monkeypatch.setenv("APOTHECA_FEED_TOKEN", "none")

    def verify():
        code = ops.main(["finance", "chains", "verify"])
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return code, [each for each in told if each["chain"] == "statements"]

    settle(published.database, SERVICE)
    assert verify() == (0, [{"chain": "statements", "result": "sound"}])
    raised = "update statements set content = jsonb_set(content, '{lines,0,amounts,period}', to_jsonb((content #>> '{lines,0,amounts,period}')::bigint + :more)) where version = 1 and kind = 'income'"  # fmt: skip
    try:
        tamper(published, raised, 1)
        code, [told] = verify()
        assert (code, told["stream"], told["no"], told["fault"]) == (1, "income-2026", 1, "altered")
    finally:
        tamper(published, raised, -1)
    assert verify()[0] == 0


def tamper(office, sql, more):
    with behind(office.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.execute(text(sql), {"more": more})


# --- proof ------------------------------------------------------------------------------------------

SOLD, LATER = "'2026-01-10'", "'2026-02-10'"
TAMPERING = {
    "a line is raised": (
        f"update journal_lines set debit_fen = debit_fen + 1 where booked_on = {SOLD} and account = '1012.01'",
        f"update journal_lines set debit_fen = debit_fen - 1 where booked_on = {SOLD} and account = '1012.01'",
    ),
    "a line is moved to another account": (
        f"update journal_lines set account = '2202' where booked_on = {SOLD} and account = '6001'",
        f"update journal_lines set account = '6001' where booked_on = {SOLD} and account = '2202'",
    ),
    "a line is deleted": (
        f"update journal_lines set entry_id = -entry_id where booked_on = {SOLD} and no = 1",
        f"update journal_lines set entry_id = -entry_id where booked_on = {SOLD} and no = 1",
    ),
    "an entry is deleted": (
        f"update journal_entries set id = -id where booked_on = {SOLD}",
        f"update journal_entries set id = -id where booked_on = {SOLD}",
    ),
    "an entry that changes no figure of the month is deleted": (
        f"create table kept as select * from journal_entries where booked_on = {LATER}; delete from journal_entries where booked_on = {LATER}",
        "insert into journal_entries select * from kept; drop table kept",
    ),
    "an entry is inserted under a number that was given": (
        f"""insert into journal_entries select 999, '2026-01-11', stream, branch_id, kind, gen_random_uuid(), total_fen,
         reference, corrects_id, actor, recorded_at, chain_no, chain_hash from journal_entries where booked_on = {SOLD};
        insert into journal_lines select 999, no, '2026-01-11', branch_id, account, customer_id, debit_fen, credit_fen
         from journal_lines where booked_on = {SOLD}""",
        "delete from journal_lines where entry_id = 999; delete from journal_entries where id = 999",
    ),
    "the statement is changed": (
        "update statements set content = jsonb_set(content, '{version}', '7') where kind = 'balance'",
        "update statements set content = jsonb_set(content, '{version}', '1') where kind = 'balance'",
    ),
}


@pytest.mark.requirement("F17", "X7")
@pytest.mark.parametrize("case", TAMPERING)
def test_the_proof_finds_what_was_done_in_the_database(published, case):
    done, undone = TAMPERING[case]
    [made] = published.get("/v1/financial-statements?month=2026-01&kind=balance").json["items"]
    assert proof(published, made["statement_id"])["agrees"]
    try:
        behind_the_books(published, done)
        found = proof(published, made["statement_id"])
    finally:
        behind_the_books(published, undone)
    is_statement, is_later = case == "the statement is changed", "no figure" in case
    assert (found["agrees"], found["content_is_intact"]) == (False, not is_statement)
    assert bool(found["differences"] or found["imbalance"]) != (is_statement or is_later), found
    entries = {"an entry is inserted under a number that was given": 3, "an entry that changes no figure of the month is deleted": 1}  # fmt: skip
    expected = [{"stream": "main-2026", "numbered": 2, "entries": entries[case]}] if case in entries else []
    assert found["gaps"] == expected
    assert proof(published, made["statement_id"])["agrees"]


def behind_the_books(office, sql):
    with behind(office.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        for each in sql.split(";"):
            conn.exec_driver_sql(each)


@pytest.mark.requirement("F17")
def test_cash_summed_in_the_database_is_what_the_rule_says_of_every_entry(published):
    chance = random.Random(17)
    chart = chart_of(Standard.CAS)
    codes = ["1001", "1002", "1012.01", "1601", "2202", "6602", "6603", "1221"]
    entries = []
    for _ in range(400):
        parts = [(chance.choice(codes), chance.choice([-1, 1]) * chance.randint(1, 900)) for _ in range(chance.randint(1, 5))]  # fmt: skip
        rest = -sum(fen for _, fen in parts)
        kind = chance.choice(["manual", "manual", "reversal", "sale", "cash_variance"])
        entries.append((kind, [*parts, *([(chance.choice(codes), rest)] if rest else [])]))
    with behind(published.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql("select ensure_month('2026-05-01')")
        for number, (kind, lines) in enumerate(entries, 1):
            write(conn, number, kind, lines)
        figures = Journal(conn, {"main-2026": 2 + len(entries)}, date(2026, 6, 1))
        found = figures.cash(date(2026, 5, 1), date(2026, 6, 1))
        gaps = figures.gaps()
        conn.rollback()
    summed = []
    for kind, lines in entries:
        by_account: dict[str, int] = {}
        for code, fen in lines:
            by_account[code] = by_account.get(code, 0) + fen
        summed.append((kind, by_account))
    assert cash_flow.classified(chart, found, {}) == cash_flow.classified(
        chart, movements_of(chart, summed), {}
    )
    assert gaps == []


def write(conn, number, kind, lines):
    given = {"id": 10_000 + number, "no": 2 + number, "kind": kind, "source": UUID(int=number)}
    conn.execute(
        text(
            "insert into journal_entries (id, booked_on, stream, branch_id, kind, source_id, total_fen, actor, recorded_at,"
            " chain_no, chain_hash) values (:id, '2026-05-07', 'main-2026', 'S001', :kind, :source, 1, 'test', now(), :no, '')"
        ),
        given,
    )
    conn.execute(
        text(
            "insert into journal_lines (entry_id, no, booked_on, branch_id, account, debit_fen, credit_fen)"
            " values (:id, :no, '2026-05-07', 'S001', :account, greatest(-:fen, 0), greatest(:fen, 0))"
        ),
        [
            {"id": given["id"], "no": no, "account": code, "fen": fen}
            for no, (code, fen) in enumerate(lines, 1)
        ],
    )
