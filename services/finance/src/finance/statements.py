"""Statements from preparation to publication and restatement; three persons, one frozen content.

Source: F2, F17, G28, M1
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from finance import balances
from finance.booking import book_of
from finance.domain.company import require_company
from finance.domain.period import PeriodNotClosed, PeriodState, month_text
from finance.domain.statement import (
    Kind,
    StatementExists,
    StatementNotFound,
    StatementNotReady,
    StatementState,
    due_on,
    error_items,
    lines_of,
    with_totals,
)
from finance.events import statement_published, statement_restated
from shared import audit, outbox
from shared.approvals import Approval, Decision
from shared.chain import Chain
from shared.clock import business_date, new_id, next_month
from shared.transaction import Tx

REVIEWER, SIGNER = "finance_head", "unit_head"
CHAIN = Chain(
    name="statements",
    table="statement_history",
    content_sql="json_build_array(t.id, t.stream, t.statement_id, t.event, t.actor, t.at,"
    " (select json_build_array(s.kind, s.month, s.version, s.as_of, s.content, s.content_hash, s.prepared_by,"
    " s.prepared_at, s.published_on, s.on_time) from statements s where s.statement_id = t.statement_id),"
    " (select json_agg(json_build_array(d.role, d.person, d.at, d.subject_hash) order by d.role)"
    " from statement_decisions d where d.statement_id = t.statement_id),"
    " (select json_agg(json_build_array(e.line, e.reported_fen, e.correct_fen, e.cause, e.material) order by e.line)"
    " from statement_errors e where e.statement_id = t.statement_id and t.event = 'restated'))::text",
)
"""One per kind and year: what was published with who reviewed and signed it, and what was restated and why."""
_INSERT = text(
    "insert into statements (statement_id, kind, month, version, state, as_of, content, content_hash, prepared_by,"
    " prepared_at) values (:statement_id, :kind, :month, :version, 'prepared', :as_of, :content, :content_hash,"
    " :prepared_by, :now)"
).bindparams(bindparam("as_of", type_=JSONB), bindparam("content", type_=JSONB))


def prepare(tx: Tx, kind: Kind, month: date) -> dict[str, Any]:
    """Freeze a statement of a closed month from the journal as it is numbered now.

    Raises PeriodNotClosed, PeriodUnknown, StatementExists, StatementUnbalanced, CompanyNotCovered.
    """
    require_company(tx.actor)
    # The month's row keeps two preparations apart.
    state = tx.conn.execute(
        text("select state from periods where month = :month for update"), {"month": month}
    ).scalar_one_or_none()
    if state in {None, PeriodState.OPEN}:
        raise PeriodNotClosed(f"close {month_text(month)} before its statements are prepared")
    version = tx.conn.execute(
        text("select count(*) from statements where kind = :kind and month = :month"),
        {"kind": kind.value, "month": month},
    ).scalar_one()
    if version:
        raise StatementExists("the statement exists; a wrong one is restated", version=version)
    lines = lines_of(kind, book_of(tx.conn).chart, _amounts(tx, kind, month))
    heads = tx.conn.execute(text("select stream, last_no from chain_heads where chain = 'journal'"))
    as_of = {row.stream: row.last_no for row in heads}
    return _insert(tx, kind.value, month, 1, lines, as_of)


def _amounts(tx: Tx, kind: Kind, month: date) -> dict[str, int]:
    """Debit less credit per account: balances at the end, or the month's movements but for the year's transfer."""
    if kind is Kind.BALANCE:
        moved = balances.accounts(tx.conn, next_month(month), next_month(month), None)
        return {code: each.opening_fen for code, each in moved.items()}
    moved = balances.accounts(tx.conn, month, next_month(month), None, opening=False, transfers=False)
    return {code: each.debit_fen - each.credit_fen for code, each in moved.items()}


def _insert(
    tx: Tx, kind: str, month: date, version: int, lines: Sequence[Mapping[str, Any]], as_of: Mapping[str, int]
) -> dict[str, Any]:
    statement_id = new_id()
    content = {"kind": kind, "month": month_text(month), "version": version, "lines": list(lines)}
    tx.conn.execute(
        _INSERT,
        {
            "statement_id": statement_id,
            "kind": kind,
            "month": month,
            "version": version,
            "as_of": dict(as_of),
            "content": content,
            "content_hash": audit.digest(content),
            "prepared_by": tx.actor.id,
            "now": tx.now,
        },
    )
    audit.record(tx, "statement.prepare", str(statement_id), after=content)
    return get(tx, statement_id)


def decide(tx: Tx, statement_id: UUID, role: str) -> dict[str, Any]:
    """Review as finance head, or sign as unit head; never by who prepared it or who decided before.

    Raises StatementNotFound, StatementNotReady, SamePerson, RoleNotAwaited.
    """
    row = _locked(tx, statement_id)
    before, after = {
        REVIEWER: (StatementState.PREPARED, StatementState.REVIEWED),
        SIGNER: (StatementState.REVIEWED, StatementState.SIGNED),
    }[role]
    if row["state"] != before:
        raise StatementNotReady(f"the statement is {row['state']}")
    approval = Approval(
        required=frozenset({REVIEWER, SIGNER}),
        excluded=frozenset({row["prepared_by"]}),
        subject_hash=row["content_hash"],
        decisions=_decisions(tx, statement_id),
    )
    decision = approval.decide(
        person=tx.actor.id, roles={role} & tx.actor.roles, approved=True, reason=None, at=tx.now
    )
    tx.conn.execute(
        text(
            "insert into statement_decisions (statement_id, role, person, at, subject_hash)"
            " values (:statement_id, :role, :person, :at, :subject_hash)"
        ),
        {
            "statement_id": statement_id,
            "role": decision.role,
            "person": decision.person,
            "at": decision.at,
            "subject_hash": decision.subject_hash,
        },
    )
    _move(tx, row, after)
    return get(tx, statement_id)


def _decisions(tx: Tx, statement_id: UUID) -> list[Decision]:
    rows = tx.conn.execute(
        text(
            "select role, person, at, subject_hash from statement_decisions"
            " where statement_id = :statement_id order by at"
        ),
        {"statement_id": statement_id},
    )
    return [
        Decision(
            role=row.role,
            person=row.person,
            approved=True,
            reason=None,
            at=row.at,
            subject_hash=row.subject_hash,
        )
        for row in rows
    ]


def publish(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Signed → published today, on time or not. Raises StatementNotFound, StatementNotReady."""
    row = _locked(tx, statement_id)
    if row["state"] != StatementState.SIGNED:
        raise StatementNotReady(f"the statement is {row['state']}")
    today = business_date(tx.now)
    on_time = today <= due_on(row["month"])
    tx.conn.execute(
        text(
            "update statements set published_on = :today, on_time = :on_time where statement_id = :statement_id"
        ),
        {"today": today, "on_time": on_time, "statement_id": statement_id},
    )
    _move(tx, row, StatementState.PUBLISHED)
    _chain(tx, row, StatementState.PUBLISHED)
    outbox.append(
        tx,
        statement_published(
            statement_id=str(statement_id),
            kind=row["kind"],
            month=month_text(row["month"]),
            version=row["version"],
            leaf_lines=sum(1 for line in row["content"]["lines"] if line["leaf"]),
            on_time=on_time,
            published_on=today,
        ),
    )
    return get(tx, statement_id)


def restate(tx: Tx, statement_id: UUID, cause: str, corrections: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Correct a published statement: error items, and a new version that is reviewed, signed and published anew.

    Raises StatementNotFound, StatementNotReady, ErrorItemInvalid.
    """
    row = _locked(tx, statement_id)
    if row["state"] != StatementState.PUBLISHED:
        raise StatementNotReady(f"the statement is {row['state']}")
    items = error_items(row["content"]["lines"], corrections)
    corrected = {line["line"]: line["fen"] for line in row["content"]["lines"] if line["leaf"]}
    corrected |= {item.line: item.correct_fen for item in items}
    lines = with_totals(Kind(row["kind"]), corrected)
    _move(tx, row, StatementState.RESTATED)
    _chain(tx, row, StatementState.RESTATED)
    for item in items:
        tx.conn.execute(
            text(
                "insert into statement_errors (statement_id, line, reported_fen, correct_fen, cause, material)"
                " values (:statement_id, :line, :reported, :correct, :cause, :material)"
            ),
            {
                "statement_id": statement_id,
                "line": item.line,
                "reported": item.reported_fen,
                "correct": item.correct_fen,
                "cause": cause,
                "material": item.material,
            },
        )
    outbox.append(
        tx,
        statement_restated(
            statement_id=str(statement_id),
            kind=row["kind"],
            month=month_text(row["month"]),
            version=row["version"],
            errors=[
                {
                    "line": item.line,
                    "reported_fen": item.reported_fen,
                    "correct_fen": item.correct_fen,
                    "material": item.material,
                }
                for item in items
            ],
            day=business_date(tx.now),
        ),
    )
    return _insert(tx, row["kind"], row["month"], row["version"] + 1, lines, row["as_of"])


def _move(tx: Tx, row: Mapping[str, Any], state: StatementState) -> None:
    tx.conn.execute(
        text("update statements set state = :state where statement_id = :statement_id"),
        {"state": state.value, "statement_id": row["statement_id"]},
    )
    audit.record(
        tx,
        f"statement.{state.value}",
        str(row["statement_id"]),
        before=row["state"],
        after=[state.value, row["content_hash"]],
    )


def _chain(tx: Tx, row: Mapping[str, Any], event: StatementState) -> None:
    tx.conn.execute(
        text(
            "insert into statement_history (stream, statement_id, event, actor, at)"
            " values (:stream, :statement_id, :event, :actor, :now)"
        ),
        {
            "stream": f"{row['kind']}-{row['month'].year}",
            "statement_id": row["statement_id"],
            "event": event.value,
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )


def _locked(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    require_company(tx.actor)
    row = (
        tx.conn.execute(
            text("select * from statements where statement_id = :statement_id for update"),
            {"statement_id": statement_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise StatementNotFound("no such statement")
    return dict(row)


def get(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """One statement with its lines, decisions and error items. Raises StatementNotFound, CompanyNotCovered."""
    require_company(tx.actor)
    row = (
        tx.conn.execute(
            text("select * from statements where statement_id = :statement_id"),
            {"statement_id": statement_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise StatementNotFound("no such statement")
    errors = tx.conn.execute(
        text("select * from statement_errors where statement_id = :statement_id order by line"),
        {"statement_id": statement_id},
    ).mappings()
    return {
        **row,
        "month": month_text(row["month"]),
        "lines": row["content"]["lines"],
        "decisions": [
            {"role": each.role, "person": each.person, "at": each.at} for each in _decisions(tx, statement_id)
        ],
        "errors": [dict(each) for each in errors],
    }


def of_month(tx: Tx, month: date) -> list[dict[str, Any]]:
    """Every statement of a month, versions in order. Raises CompanyNotCovered."""
    require_company(tx.actor)
    rows = tx.conn.execute(
        text("select statement_id from statements where month = :month order by kind, version"),
        {"month": month},
    )
    return [get(tx, row.statement_id) for row in rows]
