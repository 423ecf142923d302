"""What is done to statements: prepared, withdrawn, reviewed, signed, published, restated; every step by its person.

Source: F2, F17, G28, M1
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from finance import statement_figures
from finance.book import book_of
from finance.kernel.company import require_company
from finance.kernel.period import month_text
from finance.kernel.statement import Content, Kind, Span, StatedLine, first_month
from finance.settings import company_on
from finance.statements import queries, store
from finance.statements.events import statement_published, statement_restated
from finance.statements.model import Statement
from finance.statements.rules import (
    SIGNERS,
    StatementExists,
    StatementNotProvable,
    StatementNotReady,
    StatementStale,
    StatementState,
    due_on,
    error_items,
    require_kept,
    signatures,
)
from finance.statements.tables import statement_decisions
from shared import audit, outbox
from shared.approvals import Approval, decide_and_store
from shared.chain import Chain, moment
from shared.clock import business_date
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
) -> UUID:
    """Freeze a statement of closed months from the books, with the voucher numbers they had reached.

    `month` is the last of the span. Raises SpanMonthWrong, StatementNotKept, PeriodNotClosed, StatementExists,
    StatementUnbalanced, ClassificationInvalid, CompanyNotCovered.
    """
    require_company(tx.actor)
    first = first_month(span, month)
    require_kept(book_of(tx.conn).chart.standard, kind, span)
    store.require_closed(tx, first, month)
    versions = store.versions(tx.conn, kind, span, month)
    if any(row.state != StatementState.WITHDRAWN for row in versions):
        raise StatementExists("the statement exists; a wrong one is restated", version=versions[-1].version)
    as_of = store.heads(tx.conn)
    subject = statement_figures.Subject(
        kind=kind,
        span=span,
        month=month,
        version=len(versions) + 1,
        company=company_on(month),
        classifications=classifications,
    )
    return store.add(tx, statement_figures.content_of(statement_figures.Folded(tx.conn), subject), as_of)


def withdraw(tx: Tx, statement_id: UUID, reason: str) -> None:
    """Take back what was not published yet, so that it can be prepared anew; a correction is carried through instead.

    Raises StatementNotFound, StatementNotReady.
    """
    statement = store.locked(tx, statement_id)
    if statement.state not in WAITING:
        raise StatementNotReady(Text("the statement is {state}", state=statement.state))
    if statement.content.get("corrections"):
        raise StatementNotReady("a correction is published and, when wrong, restated")
    store.withdraw(tx, statement, reason)


# --- decisions --------------------------------------------------------------------------------------


def review(tx: Tx, statement_id: UUID) -> None:
    """Prepared → reviewed, by a finance head who did not prepare it.

    Raises StatementNotFound, StatementNotReady, StatementStale, CashFlowUnclassified, SamePerson.
    """
    statement = store.locked(tx, statement_id)
    _require_state(statement, StatementState.PREPARED)
    _require_fresh(tx, statement)
    if statement.content.get("unclassified"):
        raise statement_figures.CashFlowUnclassified(
            "say what every movement of cash was for", unclassified=len(statement.content["unclassified"])
        )
    _decide(tx, statement, frozenset({REVIEWER}))
    store.move(tx, statement, StatementState.REVIEWED)


def sign(tx: Tx, statement_id: UUID) -> None:
    """One signature; with the last of those the law asks for the statement is signed. Five persons in all.

    Raises StatementNotFound, StatementNotReady, StatementStale, SamePerson, RoleNotAwaited.
    """
    statement = store.locked(tx, statement_id)
    _require_state(statement, StatementState.REVIEWED)
    _require_fresh(tx, statement)
    if _decide(tx, statement, SIGNERS) == "approved":
        store.move(tx, statement, StatementState.SIGNED)


def _decide(tx: Tx, statement: Statement, roles: frozenset[str]) -> str:
    """Store the actor's decision in one of the roles; returns whether every one is there."""
    signers = {each.role for each in signatures(business_date(statement.prepared_at))}
    decision, state = decide_and_store(
        tx,
        statement_decisions,
        {"statement_id": statement.statement_id},
        Approval(
            required=frozenset({REVIEWER, *signers}),
            excluded=frozenset({statement.prepared_by}),
            subject_hash=statement.content_hash,
            acting_as=roles & tx.actor.roles,
        ),
        approved=True,
        reason=None,
    )
    audit.record(
        tx,
        f"statement.decide.{decision.role}",
        str(statement.statement_id),
        after=statement.content_hash,
    )
    return state


def publish(tx: Tx, statement_id: UUID) -> None:
    """Signed → published today, on time or not. Raises StatementNotFound, StatementNotReady, StatementStale."""
    statement = store.locked(tx, statement_id)
    _require_state(statement, StatementState.SIGNED)
    _require_fresh(tx, statement)
    today = business_date(tx.now)
    span = statement.span
    on_time = today <= due_on(span, statement.month)
    store.set_published(tx, statement, today, on_time=on_time)
    store.move(tx, statement, StatementState.PUBLISHED)
    store.chain(tx, statement, StatementState.PUBLISHED)
    outbox.append(
        tx,
        statement_published(
            statement_id=str(statement_id),
            kind=statement.kind.value,
            span=span.value,
            month=month_text(first_month(span, statement.month)),
            last_month=month_text(statement.month),
            version=statement.version,
            leaf_lines=sum(1 for fen in queries.correctable(statement.content).values() if fen),
            on_time=on_time,
            published_on=today,
        ),
    )


# --- corrections ------------------------------------------------------------------------------------


def restate(tx: Tx, statement_id: UUID, cause: str, corrections: Sequence[tuple[str, int]]) -> UUID:
    """Correct a published statement: error items, and a new version that is reviewed, signed and published anew.

    Raises StatementNotFound, StatementNotReady, StatementNotProvable, StatementUnbalanced, ErrorItemInvalid.
    """
    statement = store.locked(tx, statement_id)
    _require_state(statement, StatementState.PUBLISHED)
    old = statement.content
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
        book_of(tx.conn).chart.standard, statement.kind, statement.month, reported, fixed
    )
    lines: list[StatedLine] = [
        {**line, "amounts": {name: amounts[name][line["line"]] for name in line["amounts"]}}
        for line in old["lines"]
    ]
    store.move(tx, statement, StatementState.RESTATED)
    store.chain(tx, statement, StatementState.RESTATED)
    store.add_errors(tx, statement, cause, items)
    span = statement.span
    outbox.append(
        tx,
        statement_restated(
            statement_id=str(statement_id),
            kind=statement.kind.value,
            span=span.value,
            month=month_text(first_month(span, statement.month)),
            last_month=month_text(statement.month),
            version=statement.version,
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
    new: Content = {
        **old,
        "version": statement.version + 1,
        "lines": lines,
        "corrections": {**old["corrections"], **fixed},
    }
    return store.add(tx, new, statement.as_of)


# --- what the steps share ---------------------------------------------------------------------------


def _require_state(statement: Statement, state: StatementState) -> None:
    if statement.state != state:
        raise StatementNotReady(Text("the statement is {state}", state=statement.state))


def _require_fresh(tx: Tx, statement: Statement) -> None:
    """The books of its months are those it was made from; a correction says itself what it changes."""
    if not statement.content.get("corrections") and store.is_stale(tx, statement):
        raise StatementStale("its months were opened again; withdraw it and prepare it anew")
