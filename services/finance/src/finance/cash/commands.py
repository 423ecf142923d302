"""What people do with cash. Every command of a branch waits for the one before it, so no fen is promised twice.

Sales never wait: a session's takings are read when it is counted.
Source: F3, F4, F21, X1, model 3.2 (CashSession)
"""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from finance import entries, periods
from finance.book import book_of
from finance.cash import queries, rules, store
from finance.cash.events import session_closed, variance_resolved
from finance.cash.model import Closed, Count, Drawer, Movement, Moving, Place, Resolved, Session
from finance.cash.rules import Kind, Outcome, Pieces
from finance.kernel.period import PeriodClosed, PeriodState, month_text
from finance.kernel.posting import PostingLine
from shared import audit, holidays, outbox
from shared.approvals import SamePerson
from shared.clock import business_date, month_of, new_id
from shared.languages import Text
from shared.transaction import Tx


def register_drawer(tx: Tx, branch_id: str, drawer: str, till: str) -> Drawer:
    """Raises ForeignBranch, DrawerTaken."""
    store.hold_branch(tx, branch_id)
    if store.is_taken(tx, branch_id, drawer, till):
        raise rules.DrawerTaken("the branch has a drawer of this name or for this till")
    registered = Drawer(
        branch_id=branch_id,
        drawer=drawer,
        till=till,
        registered_by=tx.actor.id,
        registered_at=tx.now,
    )
    store.add_drawer(tx, registered)
    audit.record(tx, "cash_drawer.register", f"{branch_id}:{drawer}", after=asdict(registered))
    return registered


def open_session(tx: Tx, branch_id: str, drawer: str, float_fen: int) -> UUID:
    """Open the drawer with a float: what is left in it from before, and the rest from the safe (or back to it).

    Raises ForeignBranch, DrawerNotFound, SessionOpen, SafeShort.
    """
    store.hold_branch(tx, branch_id)
    till = store.till_of(tx, branch_id, drawer)
    from_safe = float_fen - store.carried_fen(tx, branch_id, drawer)
    if from_safe > 0:
        _require_in_safe(tx, branch_id, from_safe)
    session = Session(
        session_id=new_id(),
        branch_id=branch_id,
        drawer=drawer,
        till=till,
        state="open",
        float_fen=float_fen,
        from_safe_fen=from_safe,
        opened_by=tx.actor.id,
        opened_at=tx.now,
    )
    store.add_session(tx, session)
    audit.record(tx, "cash_session.open", str(session.session_id), after=asdict(session))
    return session.session_id


def move(tx: Tx, session_id: UUID, moving: Moving) -> Movement:
    """Money in or out of an open drawer for a reason. Raises SessionNotOpen, SafeShort, DrawerShort, ReasonUnknown."""
    session = open_held(tx, session_id)
    if moving.kind == Kind.TOP_UP:
        _require_in_safe(tx, session.branch_id, moving.fen)
    elif moving.kind not in rules.INCOMING:
        require_in_drawer(tx, session, moving.fen)
    return _movement(tx, session.branch_id, session_id, moving)


def move_safe(tx: Tx, branch_id: str, moving: Moving) -> Movement:
    """Money in or out of the safe. Raises ForeignBranch, SafeShort, ReasonUnknown."""
    store.hold_branch(tx, branch_id)
    if moving.kind not in rules.INCOMING:
        _require_in_safe(tx, branch_id, moving.fen)
    return _movement(tx, branch_id, None, moving)


def open_held(tx: Tx, session_id: UUID) -> Session:
    """The session of an open drawer, its branch's cash held. Raises SessionNotFound, SessionNotOpen."""
    session = store.session_held(tx, session_id)
    _require_open(session)
    return session


def require_in_drawer(tx: Tx, session: Session, fen: int) -> None:
    """Raises DrawerShort."""
    if fen > queries.expected(tx.conn, session):
        raise rules.DrawerShort("the drawer does not hold that much")


def pay_out(tx: Tx, session: Session, fen: int, refund_id: UUID) -> Movement:
    """Take the cash of a refund out of the drawer; whoever calls has checked that it holds so much."""
    moving = Moving(kind=Kind.REFUND.value, fen=fen, refund_id=refund_id)
    return _movement(tx, session.branch_id, session.session_id, moving)


def before_safe_pays(tx: Tx, branch_id: str, fen: int) -> None:
    """Make the branch's cash wait, and require that the safe holds so much. Raises ForeignBranch, SafeShort."""
    store.hold_branch(tx, branch_id)
    _require_in_safe(tx, branch_id, fen)


def begin_count(tx: Tx, session_id: UUID) -> None:
    """Open → counting: sales from now on are not the session's. The answer tells no amount (blind count)."""
    session = open_held(tx, session_id)
    store.begin_count(tx, session_id)
    audit.record(tx, "cash_session.begin_count", str(session_id), before=asdict(session))


def close_session(tx: Tx, session_id: UUID, counted: Sequence[Pieces], carried_fen: int) -> None:
    """Counting → closed: compare, post the difference to 1901, take all but `carried_fen` to the safe.

    Raises SessionNotCounting, DenominationUnknown, CarriedExceedsCount.
    """
    session = store.session_held(tx, session_id)
    if session.state != "counting":
        raise rules.SessionNotCounting(Text("the session is {state}", state=session.state))
    today = business_date(tx.now)
    counted_fen = rules.total_of(counted, today)
    if carried_fen > counted_fen:
        raise rules.CarriedExceedsCount("more would stay in the drawer than was counted")
    sold = queries.takings(tx.conn, session)
    moved = queries.movements(tx.conn, session_id)
    expected_fen = rules.expected(float_fen=session.float_fen, cash_sales_fen=sold, movements=[moved])
    variance_fen = counted_fen - expected_fen
    found = Closed(
        denominations=counted,
        cash_sales_fen=sold,
        movements_fen=moved,
        expected_fen=expected_fen,
        counted_fen=counted_fen,
        variance_fen=variance_fen,
        carried_fen=carried_fen,
    )
    store.close_session(tx, session_id, found)
    assert session.count_began_by is not None, "a count that closes was begun"
    place = Place(session.branch_id, session.drawer, session.till)
    _found(tx, session_id, place, variance_fen, [session.opened_by, session.count_began_by])
    outbox.append(
        tx,
        session_closed(
            session_id=str(session_id),
            branch_id=session.branch_id,
            drawer=session.drawer,
            expected_fen=expected_fen,
            counted_fen=counted_fen,
            day=today,
        ),
    )
    closed = queries.session(tx, session_id)
    audit.record(tx, "cash_session.close", str(session_id), before=asdict(session), after=closed)


def surprise_count(tx: Tx, branch_id: str, session_id: UUID | None, counted: Sequence[Pieces]) -> Count:
    """Count an open drawer, or the safe, without notice, by somebody who did not handle it; post the difference.

    Raises SessionNotOpen, CountedByKeeper, DenominationUnknown.
    """
    store.hold_branch(tx, branch_id)
    today = business_date(tx.now)
    counted_fen = rules.total_of(counted, today)
    if session_id is None:
        place = Place(branch_id)
        keepers = store.safe_keepers(tx, branch_id)
        expected_fen = queries.safe_holds(tx.conn, branch_id)
    else:
        session = store.session_held(tx, session_id)
        if session.branch_id != branch_id:
            raise rules.SessionNotFound("no such session in this branch")
        _require_open(session)
        place = Place(branch_id, session.drawer, session.till)
        keepers = [session.opened_by, session.till]
        expected_fen = queries.expected(tx.conn, session)
    if tx.actor.id in keepers:
        raise rules.CountedByKeeper("a surprise count is done by another person")
    count = Count(
        count_id=new_id(),
        branch_id=branch_id,
        session_id=session_id,
        denominations=counted,
        expected_fen=expected_fen,
        counted_fen=counted_fen,
        variance_fen=counted_fen - expected_fen,
        counted_by=tx.actor.id,
        counted_at=tx.now,
    )
    store.add_count(tx, count)
    _found(tx, count.count_id, place, count.variance_fen, keepers)
    if session_id is not None and count.variance_fen:
        moving = Moving(kind=Kind.VARIANCE.value, fen=abs(count.variance_fen))
        store.add_movement(tx, branch_id, session_id, moving, count.variance_fen)
    audit.record(tx, "cash.count", str(count.count_id), after=asdict(count))
    return count


def resolve(tx: Tx, variance_id: UUID, outcome: Outcome, person: str | None, reason: str) -> None:
    """Clear a variance out of 1901, by the right post and nobody involved.

    Raises VarianceNotFound, VarianceResolved, SamePerson, RoleNotAwaited, OutcomeUnfit, CalendarUnknown.
    """
    variance = store.variance_locked(tx, variance_id)
    if variance.outcome is not None:
        raise rules.VarianceResolved("the variance is resolved")
    role = rules.resolver_role(
        variance.fen, variance.found_on, person=tx.actor.id, roles=tx.actor.roles, involved=variance.involved
    )
    if outcome is Outcome.PERSON and not person:
        raise rules.OutcomeUnfit(
            "name the person who makes good", errors=[{"path": "person", "message": "required"}]
        )
    if person == tx.actor.id:
        raise SamePerson("nobody charges themselves")
    postings = rules.resolution_postings(book_of(tx.conn).chart, variance.fen, outcome)
    today = business_date(tx.now)
    on_time = rules.is_on_time(holidays.calendar(tx.conn), variance.found_on, today)
    store.resolve(tx, variance_id, Resolved(outcome.value, person, reason, role))
    _post(tx, variance.branch_id, "cash_variance_resolved", variance_id, postings)
    outbox.append(
        tx,
        variance_resolved(
            variance_id=str(variance_id),
            branch_id=variance.branch_id,
            variance_fen=variance.fen,
            outcome=outcome.value,
            on_time=on_time,
            day=today,
        ),
    )
    audit.record(
        tx,
        "cash_variance.resolve",
        str(variance_id),
        before=asdict(variance),
        after=[outcome.value, person, reason, role],
    )


def _require_open(session: Session) -> None:
    if session.state != "open":
        raise rules.SessionNotOpen(Text("the session is {state}", state=session.state))


def _require_in_safe(tx: Tx, branch_id: str, fen: int) -> None:
    if fen > queries.safe_holds(tx.conn, branch_id):
        raise rules.SafeShort(
            "the safe does not hold that much; cash is brought in as a safe movement (bank_withdrawal, pay_in)"
        )


def _movement(tx: Tx, branch_id: str, session_id: UUID | None, moving: Moving) -> Movement:
    kind, today = Kind(moving.kind), business_date(tx.now)
    postings = rules.movement_postings(book_of(tx.conn).chart, kind, moving.fen, moving.reason, today)
    made = store.add_movement(tx, branch_id, session_id, moving, rules.signed(kind, moving.fen))
    _post(tx, branch_id, f"cash_{kind}", made.movement_id, postings, reference=moving.reference)
    audit.record(tx, f"cash.{kind}", str(made.movement_id), after=asdict(made))
    return made


def _found(tx: Tx, variance_id: UUID, place: Place, variance_fen: int, keepers: Sequence[str]) -> None:
    """Post a difference and keep it until it is resolved; no difference, nothing."""
    if not variance_fen:
        return
    involved = {each for each in (*keepers, tx.actor.id, place.till) if each is not None}
    store.add_variance(tx, variance_id, place, variance_fen, sorted(involved))
    postings = rules.variance_postings(book_of(tx.conn).chart, variance_fen)
    _post(tx, place.branch_id, "cash_variance", variance_id, postings)


def _post(
    tx: Tx,
    branch_id: str,
    kind: str,
    source_id: UUID,
    postings: Sequence[PostingLine],
    *,
    reference: str | None = None,
) -> None:
    """Book to today. Raises PeriodClosed when even this month is closed."""
    if not postings:
        return
    today = business_date(tx.now)
    if periods.hold_months(tx.conn, [today])[month_of(today)] != PeriodState.OPEN:
        raise PeriodClosed(Text("{month} is closed", month=month_text(today)))
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=today,
            branch_id=branch_id,
            kind=kind,
            source_id=str(source_id),
            postings=postings,
            reference=reference,
        ),
    )
