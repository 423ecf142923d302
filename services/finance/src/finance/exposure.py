"""What a customer owes and has ordered, held against the limit that customers granted.

Exposure = what is open of every branch, debts less payments and credit notes not yet set against them, + what orders
hold that is not shipped yet. Everything that raises it locks the customer's row first, and counts after: parallel
sales and orders of a customer wait for each other, and together they end within the limit. The row is locked after
those of order and contract, and before the month of a booking and open items. Lowering is always possible. A limit that falls below the exposure takes nothing back: it stops what comes next.
Source: F21, F27, C31
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, text

from finance.subscriptions import CreditChanged
from shared import watermark
from shared.clock import business_date
from shared.errors import Conflict, DomainError, Unavailable
from shared.events import Envelope
from shared.languages import Text
from shared.transaction import Tx

CREDIT_CHANGED = "customers.credit.changed.v1"


class CreditNotGranted(Conflict):
    """Nobody granted the customer credit, or the grant has ended."""

    code = "credit_not_granted"


class CreditNotYetKnown(Unavailable):
    """Customers said things we have not heard yet; a grant of credit may be one of them."""

    code = "credit_not_yet_known"


class CreditOnHold(Conflict):
    """Finance holds the customer: nothing more on credit, whoever approved what."""

    code = "credit_on_hold"


class CreditOverdue(Conflict):
    """More is past due than the customer is allowed."""

    code = "credit_overdue"


class CreditLimitExceeded(Conflict):
    code = "credit_limit_exceeded"


class Override(Struct, frozen=True, kw_only=True):
    """An order of at most `fen` that finance approved in spite of limit and overdue debts, until `expires_at`.

    It never passes a hold, nor a customer without credit.
    """

    approval_id: UUID
    fen: int
    expires_at: datetime


class Position(Struct, frozen=True, kw_only=True):
    """Where a customer stands, in fen; `limit_fen` is None without a grant."""

    customer_id: UUID
    limit_fen: int | None
    overdue_tolerance_fen: int
    on_hold: bool
    valid_until: date | None
    outstanding_fen: int
    overdue_fen: int
    reserved_fen: int

    @property
    def used_fen(self) -> int:
        return self.outstanding_fen + self.reserved_fen


def hold(conn: Connection, customer_ids: Collection[UUID]) -> None:
    """Lock the customers' rows until the transaction ends, making those missing, always in the same order."""
    if not customer_ids:
        return
    wanted = {"ids": sorted(set(customer_ids))}
    conn.execute(
        text(
            "insert into exposures (customer_id) select x from unnest(cast(:ids as uuid[])) x order by x"
            " on conflict do nothing"
        ),
        wanted,
    )
    conn.execute(
        text("select 1 from exposures where customer_id = any(:ids) order by customer_id for update"), wanted
    )


_POSITIONS = """
select x.customer_id, l.limit_fen, coalesce(l.overdue_tolerance_fen, 0) as overdue_tolerance_fen,
    coalesce(l.on_hold, false) as on_hold, l.valid_until, coalesce(i.fen, 0)::bigint as outstanding_fen,
    coalesce(i.overdue_fen, 0)::bigint as overdue_fen, coalesce(o.fen, 0)::bigint as reserved_fen
from unnest(cast(:ids as uuid[])) as x(customer_id)
left join credit_limits l on l.customer_id = x.customer_id
left join lateral (
    select sum(open_fen) as fen, sum(open_fen) filter (where open_fen > 0 and due_on < :today) as overdue_fen
    from receivable_items where customer_id = x.customer_id and open_fen <> 0
) i on true
left join lateral (
    select sum(fen) as fen from credit_reservations where customer_id = x.customer_id
) o on true
"""


def positions(conn: Connection, customer_ids: Collection[UUID], today: date) -> dict[UUID, Position]:
    """Exact as of this statement; to stay so until the transaction ends, `hold` the customers first."""
    rows = conn.execute(text(_POSITIONS), {"ids": sorted(set(customer_ids)), "today": today}).mappings()
    return {row["customer_id"]: Position(**row) for row in rows}


def reserve(tx: Tx, *, customer_id: UUID, order_id: UUID, fen: int, override: Override | None = None) -> None:
    """Let an order hold `fen` of the customer's credit for what is not shipped yet; 0 releases all.

    Only more than it holds already is judged, and then the whole.
    Raises CreditNotGranted, CreditOnHold, CreditOverdue, CreditLimitExceeded.
    """
    hold(tx.conn, [customer_id])
    held = reserved_for(tx.conn, customer_id, order_id)
    if fen > held:
        position = look(tx, customer_id)
        passes = override is not None and fen <= override.fen and tx.now < override.expires_at
        judge(tx, position, fen - held, is_approved=passes)
    _hold_for(tx.conn, customer_id, order_id, fen)


def look(tx: Tx, customer_id: UUID | None) -> Position:
    """Where the customer stands, their row locked: before a debt is written, and before its month is held."""
    assert customer_id is not None, "credit needs a customer"
    hold(tx.conn, [customer_id])
    return positions(tx.conn, [customer_id], business_date(tx.now))[customer_id]


def draw(tx: Tx, position: Position, *, order_id: UUID, fen: int) -> None:
    """Turn `fen` of what an order holds into a debt that this transaction writes; `position` is from before it.

    What was reserved was granted then: a lower limit or debts past due do not stop its shipment, a hold does.
    What goes beyond the reservation needs room now. Raises as `judge`.
    """
    held = reserved_for(tx.conn, position.customer_id, order_id)
    if position.on_hold:
        raise _on_hold()
    if fen > held:
        judge(tx, position, fen - held)
    _hold_for(tx.conn, position.customer_id, order_id, max(held - fen, 0))


class Room:
    """The room of several customers, their rows locked by making this, used up bit by bit in one transaction."""

    def __init__(self, tx: Tx, customer_ids: Collection[UUID]) -> None:
        self._tx = tx
        hold(tx.conn, customer_ids)
        self._of = positions(tx.conn, customer_ids, business_date(tx.now)) if customer_ids else {}

    @property
    def is_for_nobody(self) -> bool:
        return not self._of

    def take(self, customer_id: UUID, fen: int) -> None:
        """Use `fen` of it. Raises as `judge`."""
        position = self._of[customer_id]
        judge(self._tx, position, fen)
        self._of[customer_id] = replace(position, outstanding_fen=position.outstanding_fen + fen)


def judge(tx: Tx, position: Position, fen: int, *, is_approved: bool = False) -> None:
    """May the exposure grow by `fen`? An approval passes limit and overdue, nothing else.

    Raises CreditNotGranted, CreditNotYetKnown, CreditOnHold, CreditOverdue, CreditLimitExceeded.
    """
    refusal = refusal_of(position, fen, business_date(tx.now), is_approved=is_approved)
    if refusal is None:
        return
    if (
        position.limit_fen is None
        and not position.on_hold
        and not watermark.is_caught_up(
            tx.conn, "customers", now=tx.now, types=[CREDIT_CHANGED], about=position.customer_id
        )
    ):
        raise CreditNotYetKnown("customers has news that is still on its way", retry_after_s=2)
    if tx.actor.branch_filter() is not None:
        # sums over every branch are told to those who may see every branch
        for name in ("overdue_fen", "outstanding_fen", "reserved_fen"):
            refusal.context.pop(name, None)
    raise refusal


def refusal_of(position: Position, fen: int, today: date, *, is_approved: bool = False) -> DomainError | None:
    """Why the exposure may not grow by `fen`; None when it may."""
    if position.on_hold:
        return _on_hold()
    if position.limit_fen is None:
        return CreditNotGranted("no credit is granted to this customer", reason="none")
    if position.valid_until is not None and position.valid_until < today:
        return CreditNotGranted(
            Text("the credit ended on {valid_until}", valid_until=position.valid_until), reason="ended"
        )
    return None if is_approved else _room_refusal(position, position.limit_fen, fen)


def _room_refusal(position: Position, limit_fen: int, fen: int) -> DomainError | None:
    if position.overdue_fen > position.overdue_tolerance_fen:
        return CreditOverdue(
            "too much is past due",
            overdue_fen=position.overdue_fen,
            tolerance_fen=position.overdue_tolerance_fen,
        )
    if position.used_fen + fen > limit_fen:
        return CreditLimitExceeded(
            "the limit leaves no room for this",
            limit_fen=limit_fen,
            outstanding_fen=position.outstanding_fen,
            reserved_fen=position.reserved_fen,
            wanted_fen=fen,
        )
    return None


def _on_hold() -> CreditOnHold:
    return CreditOnHold("finance holds this customer: nothing is sold on credit")


def reserved_for(conn: Connection, customer_id: UUID, order_id: UUID) -> int:
    """What the order holds of the customer's credit, in fen."""
    row = conn.execute(
        text("select customer_id, fen from credit_reservations where order_id = :id"), {"id": order_id}
    ).one_or_none()
    if row is None:
        return 0
    assert row.customer_id == customer_id, "an order never changes its customer"
    fen: int = row.fen
    return fen


def _hold_for(conn: Connection, customer_id: UUID, order_id: UUID, fen: int) -> None:
    if fen:
        statement = (
            "insert into credit_reservations (order_id, customer_id, fen) values (:order, :customer, :fen)"
            " on conflict (order_id) do update set fen = excluded.fen"
        )
    else:
        statement = "delete from credit_reservations where order_id = :order"
    conn.execute(text(statement), {"order": order_id, "customer": customer_id, "fen": fen})


def on_credit_changed(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep the newest credit of each customer. Rows are written in key order: competing consumers never deadlock."""
    newest: dict[UUID, CreditChanged] = {}
    for envelope in envelopes:
        said = msgspec.convert(envelope.data, CreditChanged)
        kept = newest.setdefault(said.customer_id, said)
        if kept.credit_version < said.credit_version:
            newest[said.customer_id] = said
    tx.conn.execute(
        text(
            "insert into credit_limits (customer_id, version, limit_fen, overdue_tolerance_fen, on_hold, valid_until)"
            " select customer_id, credit_version, limit_fen, overdue_tolerance_fen, on_hold, valid_until"
            " from jsonb_to_recordset(cast(:newest as jsonb)) as u(customer_id uuid, credit_version int,"
            " limit_fen bigint, overdue_tolerance_fen bigint, on_hold boolean, valid_until date) order by 1"
            " on conflict (customer_id) do update set version = excluded.version, limit_fen = excluded.limit_fen,"
            " overdue_tolerance_fen = excluded.overdue_tolerance_fen, on_hold = excluded.on_hold,"
            " valid_until = excluded.valid_until where credit_limits.version < excluded.version"
        ),
        {"newest": msgspec.json.encode(list(newest.values())).decode()},
    )
