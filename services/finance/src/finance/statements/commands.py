"""What is done to statements: prepared, withdrawn, reviewed, signed, published, restated; every step by its person.

Source: F2, F17, G28, M1
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, text
from sqlalchemy.dialects.postgresql import JSONB

from finance import statement_figures
from finance.book import book_of
from finance.kernel.company import require_company
from finance.kernel.period import PeriodNotClosed, PeriodState, month_text
from finance.kernel.statement import Kind, Span, first_month
from finance.settings import company_on
from finance.statements import queries
from finance.statements.events import statement_published, statement_restated
from finance.statements.rules import (
    SIGNERS,
    ErrorItem,
    StatementExists,
    StatementNotFound,
    StatementNotProvable,
    StatementNotReady,
    StatementStale,
    StatementState,
    due_on,
    error_items,
    require_kept,
    signatures,
)
from finance.statements.tables import statements
from shared import audit, outbox
from shared.approvals import Approval
from shared.chain import Chain, moment
from shared.clock import business_date, new_id, next_month
from shared.languages import Text
from shared.transaction import Tx

REVIEWER = "finance_head"
WAITING = frozenset({StatementState.PREPARED, StatementState.REVIEWED, StatementState.SIGNED})
CHAIN = Chain(
    name="statements",
    table="statement_history",
    content_sql=f"json_build_array(t.id, t.stream, t.statement_id, t.event, t.actor, {moment('t.at')},"
    " (select json_build_array(s.kind, s.month, s.version, s.as_of, s.content, s.content_hash, s.prepared_by,"
    f" {moment('s.prepared_at')}, s.published_on, s.on_time) from statements s where s.statement_id = t.statement_id),"
    f" (select json_agg(json_build_array(d.role, d.person, {moment('d.at')}, d.subject_hash) order by d.role)"
    " from statement_decisions d where d.statement_id = t.statement_id),"
    " (select json_agg(json_build_array(e.line, e.reported_fen, e.correct_fen, e.cause, e.material) order by e.line)"
    " from statement_errors e where e.statement_id = t.statement_id and t.event = 'restated'))::text",
)
"""One per kind and year: what was published with who reviewed and signed it, and what was restated and why."""


def prepare(
    tx: Tx, kind: Kind, span: Span, month: date, classifications: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Freeze a statement of closed months from the books, with the voucher numbers they had reached.

    `month` is the last of the span. Raises SpanMonthWrong, StatementNotKept, PeriodNotClosed, StatementExists,
    StatementUnbalanced, ClassificationInvalid, CompanyNotCovered.
    """
    require_company(tx.actor)
    first = first_month(span, month)
    require_kept(book_of(tx.conn).chart.standard, kind, span)
    _require_closed(tx, first, month)
    versions = tx.conn.execute(
        text(
            "select version, state from statements where kind = :kind and span = :span and month = :month"
            " order by version"
        ),
        {"kind": kind.value, "span": span.value, "month": month},
    ).all()
    if any(row.state != StatementState.WITHDRAWN for row in versions):
        raise StatementExists("the statement exists; a wrong one is restated", version=versions[-1].version)
    heads = tx.conn.execute(text("select stream, last_no from chain_heads where chain = 'journal'"))
    as_of = {row.stream: row.last_no for row in heads}
    subject = statement_figures.Subject(
        kind=kind,
        span=span,
        month=month,
        version=len(versions) + 1,
        company=company_on(month),
        classifications=classifications,
    )
    return _insert(tx, statement_figures.content_of(statement_figures.Folded(tx.conn), subject), as_of)


def _require_closed(tx: Tx, first: date, month: date) -> None:
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


def _insert(tx: Tx, content: Mapping[str, Any], as_of: Mapping[str, int]) -> dict[str, Any]:
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
    return queries.get(tx, statement_id)


def withdraw(tx: Tx, statement_id: UUID, reason: str) -> dict[str, Any]:
    """Take back what was not published yet, so that it can be prepared anew; a correction is carried through instead.

    Raises StatementNotFound, StatementNotReady.
    """
    row = _locked(tx, statement_id)
    if row["state"] not in WAITING:
        raise StatementNotReady(Text("the statement is {state}", state=row["state"]))
    if row["content"].get("corrections"):
        raise StatementNotReady("a correction is published and, when wrong, restated")
    tx.conn.execute(
        text(
            "update statements set state = 'withdrawn', withdrawn_by = :person, withdrawn_reason = :reason"
            " where statement_id = :statement_id"
        ),
        {"person": tx.actor.id, "reason": reason, "statement_id": statement_id},
    )
    audit.record(tx, "statement.withdrawn", str(statement_id), before=row["state"], after=reason)
    return queries.get(tx, statement_id)


# --- decisions --------------------------------------------------------------------------------------


def review(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Prepared → reviewed, by a finance head who did not prepare it.

    Raises StatementNotFound, StatementNotReady, StatementStale, CashFlowUnclassified, SamePerson.
    """
    row = _locked(tx, statement_id)
    _require_state(row, StatementState.PREPARED)
    _require_fresh(tx, row)
    if row["content"].get("unclassified"):
        raise statement_figures.CashFlowUnclassified(
            "say what every movement of cash was for", unclassified=len(row["content"]["unclassified"])
        )
    _decide(tx, row, {REVIEWER})
    _move(tx, row, StatementState.REVIEWED)
    return queries.get(tx, statement_id)


def sign(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """One signature; with the last of those the law asks for the statement is signed. Five persons in all.

    Raises StatementNotFound, StatementNotReady, StatementStale, SamePerson, RoleNotAwaited.
    """
    row = _locked(tx, statement_id)
    _require_state(row, StatementState.REVIEWED)
    _require_fresh(tx, row)
    if _decide(tx, row, SIGNERS) == "approved":
        _move(tx, row, StatementState.SIGNED)
    return queries.get(tx, statement_id)


def _decide(tx: Tx, row: Mapping[str, Any], roles: frozenset[str] | set[str]) -> str:
    """Store the actor's decision; returns whether every one is there."""
    given = {
        "required": frozenset(
            {REVIEWER, *(each.role for each in signatures(business_date(row["prepared_at"])))}
        ),
        "excluded": frozenset({row["prepared_by"]}),
        "subject_hash": row["content_hash"],
    }
    before = queries.decisions(tx, [row["statement_id"]])
    decision = Approval(decisions=before, **given).decide(
        person=tx.actor.id, roles=roles & tx.actor.roles, approved=True, reason=None, at=tx.now
    )
    tx.conn.execute(
        text(
            "insert into statement_decisions (statement_id, role, person, at, subject_hash)"
            " values (:statement_id, :role, :person, :at, :subject_hash)"
        ),
        {
            "statement_id": row["statement_id"],
            "role": decision.role,
            "person": decision.person,
            "at": decision.at,
            "subject_hash": decision.subject_hash,
        },
    )
    audit.record(tx, f"statement.decide.{decision.role}", str(row["statement_id"]), after=row["content_hash"])
    return Approval(decisions=[*before, decision], **given).state


def publish(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Signed → published today, on time or not. Raises StatementNotFound, StatementNotReady, StatementStale."""
    row = _locked(tx, statement_id)
    _require_state(row, StatementState.SIGNED)
    _require_fresh(tx, row)
    today = business_date(tx.now)
    span = Span(row["span"])
    on_time = today <= due_on(span, row["month"])
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
            span=span.value,
            month=month_text(first_month(span, row["month"])),
            last_month=month_text(row["month"]),
            version=row["version"],
            leaf_lines=sum(1 for fen in queries.correctable(row["content"]).values() if fen),
            on_time=on_time,
            published_on=today,
        ),
    )
    return queries.get(tx, statement_id)


# --- corrections ------------------------------------------------------------------------------------


def restate(tx: Tx, statement_id: UUID, cause: str, corrections: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Correct a published statement: error items, and a new version that is reviewed, signed and published anew.

    Raises StatementNotFound, StatementNotReady, StatementNotProvable, StatementUnbalanced, ErrorItemInvalid.
    """
    row = _locked(tx, statement_id)
    _require_state(row, StatementState.PUBLISHED)
    old = row["content"]
    if "form" not in old:
        raise StatementNotProvable("this statement names no form to make a new version of")
    today = business_date(tx.now)
    items = error_items(statement_figures.correctable(old), corrections, today)
    fixed = {item.line: item.correct_fen for item in items}
    reported = {
        each["column"]: {line["line"]: line["amounts"][each["column"]] for line in old["lines"]}
        for each in old["columns"]
    }
    amounts = statement_figures.with_corrections(
        book_of(tx.conn).chart.standard, Kind(row["kind"]), row["month"], reported, fixed
    )
    lines = [
        {**line, "amounts": {name: amounts[name][line["line"]] for name in line["amounts"]}}
        for line in old["lines"]
    ]
    _move(tx, row, StatementState.RESTATED)
    _chain(tx, row, StatementState.RESTATED)
    _record_errors(tx, row, cause, items)
    span = Span(row["span"])
    outbox.append(
        tx,
        statement_restated(
            statement_id=str(statement_id),
            kind=row["kind"],
            span=span.value,
            month=month_text(first_month(span, row["month"])),
            last_month=month_text(row["month"]),
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
            day=today,
        ),
    )
    new = {
        **old,
        "version": row["version"] + 1,
        "lines": lines,
        "corrections": {**old["corrections"], **fixed},
    }
    return _insert(tx, new, row["as_of"])


def _record_errors(tx: Tx, row: Mapping[str, Any], cause: str, items: Sequence[ErrorItem]) -> None:
    tx.conn.execute(
        text(
            "insert into statement_errors (statement_id, line, reported_fen, correct_fen, cause, material)"
            " values (:statement_id, :line, :reported, :correct, :cause, :material)"
        ),
        [
            {
                "statement_id": row["statement_id"],
                "line": item.line,
                "reported": item.reported_fen,
                "correct": item.correct_fen,
                "cause": cause,
                "material": item.material,
            }
            for item in items
        ],
    )


# --- what the steps share ---------------------------------------------------------------------------


def _require_state(row: Mapping[str, Any], state: StatementState) -> None:
    if row["state"] != state:
        raise StatementNotReady(Text("the statement is {state}", state=row["state"]))


_LATER = text(
    "select 1 from periods where state = 'open' and month <= :month"
    " union all select 1 from jsonb_each_text(cast(:as_of as jsonb)) known, lateral ("
    "  select 1 from journal_entries e where e.stream = known.key and e.chain_no > known.value::bigint"
    "   and e.booked_on < :until limit 1) later limit 1"
).bindparams(bindparam("as_of", type_=JSONB))


def _require_fresh(tx: Tx, row: Mapping[str, Any]) -> None:
    """The books of its months are those it was made from; a correction says itself what it changes."""
    if row["content"].get("corrections"):
        return
    given = {"month": row["month"], "until": next_month(row["month"]), "as_of": row["as_of"]}
    tx.conn.execute(text("select 1 from periods where month = :month for share"), {"month": row["month"]})
    if tx.conn.execute(_LATER, given).first() is not None:
        raise StatementStale("its months were opened again; withdraw it and prepare it anew")


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
