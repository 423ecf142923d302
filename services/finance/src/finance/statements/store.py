"""The rows of statements, and the chain of what was said of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, text
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.company import require_company
from finance.kernel.period import PeriodNotClosed, PeriodState, month_text
from finance.kernel.statement import Content, Kind, Span
from finance.statements.model import Statement
from finance.statements.rules import ErrorItem, StatementNotFound, StatementState
from finance.statements.tables import statements
from shared import audit
from shared.clock import new_id, next_month
from shared.languages import Text
from shared.transaction import Tx

_LATER = text(
    "select 1 from periods where state = 'open' and month <= :month"
    " union all select 1 from jsonb_each_text(cast(:as_of as jsonb)) known, lateral ("
    "  select 1 from journal_entries e where e.stream = known.key and e.chain_no > known.value::bigint"
    "   and e.booked_on < :until limit 1) later limit 1"
).bindparams(bindparam("as_of", type_=JSONB))


def require_closed(tx: Tx, first: date, month: date) -> None:
    """Every month of the span, and nobody opens one meanwhile; the row keeps two preparations apart, too."""
    rows = tx.conn.execute(
        text(
            "select month, state from periods where month >= :first and month <= :month order by month for update"
        ),
        {"first": first, "month": month},
    ).all()
    states = {row.month: row.state for row in rows}
    opened = [each for each, state in states.items() if state == PeriodState.OPEN]
    if opened or month not in states:
        waiting = opened[0] if opened else month
        raise PeriodNotClosed(
            Text("close {month} before its statements are prepared", month=month_text(waiting))
        )


def versions(conn: Connection, kind: Kind, span: Span, month: date) -> Sequence[Row[Any]]:
    """`version` and `state` of each, the oldest first."""
    return conn.execute(
        text(
            "select version, state from statements where kind = :kind and span = :span and month = :month"
            " order by version"
        ),
        {"kind": kind.value, "span": span.value, "month": month},
    ).all()


def heads(conn: Connection) -> dict[str, int]:
    """The number that each chain of the journal has reached."""
    rows = conn.execute(text("select stream, last_no from chain_heads where chain = 'journal'"))
    return {row.stream: row.last_no for row in rows}


def add(tx: Tx, content: Content, as_of: Mapping[str, int]) -> UUID:
    """Freeze what was prepared."""
    statement_id = new_id()
    tx.conn.execute(
        insert(statements).values(
            statement_id=statement_id,
            kind=content["kind"],
            span=content["span"],
            month=date.fromisoformat(f"{content['month']}-01"),
            version=content["version"],
            state=StatementState.PREPARED.value,
            as_of=dict(as_of),
            content=content,
            content_hash=audit.digest(content),
            prepared_by=tx.actor.id,
            prepared_at=tx.now,
        )
    )
    audit.record(tx, "statement.prepare", str(statement_id), after=content)
    return statement_id


def locked(tx: Tx, statement_id: UUID) -> Statement:
    """Raises StatementNotFound, CompanyNotCovered."""
    require_company(tx.actor)
    row = tx.conn.execute(
        text("select * from statements where statement_id = :statement_id for update"),
        {"statement_id": statement_id},
    ).one_or_none()
    if row is None:
        raise StatementNotFound("no such statement")
    return Statement(
        statement_id=row.statement_id,
        kind=Kind(row.kind),
        span=Span(row.span),
        month=row.month,
        version=row.version,
        state=StatementState(row.state),
        as_of=row.as_of,
        content=row.content,
        content_hash=row.content_hash,
        prepared_by=row.prepared_by,
        prepared_at=row.prepared_at,
    )


def withdraw(tx: Tx, statement: Statement, reason: str) -> None:
    tx.conn.execute(
        text(
            "update statements set state = 'withdrawn', withdrawn_by = :person, withdrawn_reason = :reason"
            " where statement_id = :statement_id"
        ),
        {"person": tx.actor.id, "reason": reason, "statement_id": statement.statement_id},
    )
    audit.record(tx, "statement.withdrawn", str(statement.statement_id), before=statement.state, after=reason)


def move(tx: Tx, statement: Statement, state: StatementState) -> None:
    tx.conn.execute(
        text("update statements set state = :state where statement_id = :statement_id"),
        {"state": state.value, "statement_id": statement.statement_id},
    )
    audit.record(
        tx,
        f"statement.{state.value}",
        str(statement.statement_id),
        before=statement.state,
        after=[state.value, statement.content_hash],
    )


def set_published(tx: Tx, statement: Statement, today: date, *, on_time: bool) -> None:
    tx.conn.execute(
        text(
            "update statements set published_on = :today, on_time = :on_time where statement_id = :statement_id"
        ),
        {"today": today, "on_time": on_time, "statement_id": statement.statement_id},
    )


def add_errors(tx: Tx, statement: Statement, cause: str, items: Sequence[ErrorItem]) -> None:
    tx.conn.execute(
        text(
            "insert into statement_errors (statement_id, line, reported_fen, correct_fen, cause, material)"
            " values (:statement_id, :line, :reported, :correct, :cause, :material)"
        ),
        [
            {
                "statement_id": statement.statement_id,
                "line": item.line,
                "reported": item.reported_fen,
                "correct": item.correct_fen,
                "cause": cause,
                "material": item.material,
            }
            for item in items
        ],
    )


def is_stale(tx: Tx, statement: Statement) -> bool:
    """Whether the books of its months are others than those it was made from; nobody opens them meanwhile."""
    tx.conn.execute(text("select 1 from periods where month = :month for share"), {"month": statement.month})
    given = {
        "month": statement.month,
        "until": next_month(statement.month),
        "as_of": statement.as_of,
    }
    return tx.conn.execute(_LATER, given).first() is not None


def chain(tx: Tx, statement: Statement, event: StatementState) -> None:
    """Say it in the chain of the kind and year."""
    tx.conn.execute(
        text(
            "insert into statement_history (stream, statement_id, event, actor, at)"
            " values (:stream, :statement_id, :event, :actor, :now)"
        ),
        {
            "stream": f"{statement.kind.value}-{statement.month.year}",
            "statement_id": statement.statement_id,
            "event": event.value,
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )
