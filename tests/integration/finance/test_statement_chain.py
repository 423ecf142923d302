"""Published statements are frozen and chained: who changes one behind the books is found."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from finance.statements.commands import CHAIN
from shared import chain, ops
from tests.support.finance_builders import a_line, money


@pytest.fixture(scope="module")
def published(office):
    """The income statement of January, published, restated, and published again; the balance sheet is only prepared."""
    office.sell(sold_at="2026-01-10T02:00:00Z", lines=[a_line(expiry="2099-12-31")])
    office.seal()
    closed = office.post("/v1/periods/2026-01/close", role="finance_head")
    assert closed.status_code == 200, closed.json
    first = office.post("/v1/statements", {"kind": "income", "month": "2026-01"}, role="accountant").json
    publish(office, first["statement_id"])
    wrong = {"cause": "a branch was left out", "errors": [{"line": "revenue", "correct": money(9_900)}]}
    path = f"/v1/statements/{first['statement_id']}/restate"
    second = office.post(path, wrong, role="accountant").json
    publish(office, second["statement_id"])
    office.post("/v1/statements", {"kind": "balance", "month": "2026-01"}, role="accountant")
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
        answer = office.post(f"/v1/statements/{statement_id}/{step}", role=role)
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
    with pytest.raises(IntegrityError), published.database.begin() as conn:
        conn.execute(text(tampering))
    with published.database.engine.connect() as conn:
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
    with office.database.engine.begin() as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.execute(text(sql), {"more": more})
