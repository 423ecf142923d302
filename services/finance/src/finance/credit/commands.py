"""What a customer owes and has ordered, held against the limit that customers granted.

Exposure = what is open of every branch, debts less payments and credit notes not yet set against them, + what orders
hold that is not shipped yet. Everything that raises it locks the customer's row first, and counts after: parallel
sales and orders of a customer wait for each other, and together they end within the limit. The row is locked after
those of order and contract, and before the month of a booking and open items. Lowering is always possible. A limit that falls below the exposure takes nothing back: it stops what comes next.
Source: F21, F27, C31
"""

from collections.abc import Collection
from typing import NoReturn
from uuid import UUID

from msgspec.structs import replace

from finance.credit.model import CREDIT_CHANGED
from finance.credit.rules import CreditNotYetKnown, Override, Position, on_hold, refusal_of
from finance.credit.store import hold, hold_for, positions, reserved_for
from shared import awaited
from shared.clock import business_date
from shared.errors import DomainError
from shared.transaction import Tx


def reserve(tx: Tx, *, customer_id: UUID, order_id: UUID, fen: int, override: Override | None = None) -> None:
    """Let an order hold `fen` of the customer's credit for what is not shipped yet; 0 releases all.

    Only more than it holds already is judged, and then the whole.
    Raises as `judge`.
    """
    hold(tx.conn, [customer_id])
    held = reserved_for(tx.conn, customer_id, order_id)
    if fen > held:
        position = look(tx, customer_id)
        passes = override is not None and fen <= override.fen and tx.now < override.expires_at
        judge(tx, position, fen - held, is_approved=passes)
    hold_for(tx.conn, customer_id, order_id, fen)


def look(tx: Tx, customer_id: UUID | None) -> Position:
    """Where the customer stands, their row locked: before a debt is written, and before its month is held."""
    assert customer_id is not None, "credit needs a customer"
    hold(tx.conn, [customer_id])
    return positions(tx.conn, [customer_id], business_date(tx.now))[customer_id]


def draw(tx: Tx, position: Position, *, order_id: UUID | None, fen: int) -> None:
    """Turn `fen` of what an order holds into a debt that this transaction writes; `position` is from before it.

    Without an order all of it needs room.

    What was reserved was granted then: a lower limit or debts past due do not stop its shipment, a hold does.
    What goes beyond the reservation needs room now. Raises as `judge`.
    """
    if order_id is None:
        judge(tx, position, fen)
        return
    held = reserved_for(tx.conn, position.customer_id, order_id)
    if position.on_hold:
        _refuse(tx, position, on_hold())
    if fen > held:
        judge(tx, position, fen - held)
    hold_for(tx.conn, position.customer_id, order_id, max(held - fen, 0))


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
    if refusal is not None:
        _refuse(tx, position, refusal)


def _refuse(tx: Tx, position: Position, refusal: DomainError) -> NoReturn:
    """Each may be lifted by what customers said a moment ago: a grant, a higher limit or tolerance, the end of a hold."""
    customer_id = position.customer_id
    what = f"credit {customer_id}"
    if position.limit_fen is None and not position.on_hold:
        told = awaited.is_unknown(tx, "customers", what, types=[CREDIT_CHANGED], about=customer_id)
    else:
        told = awaited.is_last_word(tx, "customers", what, types=[CREDIT_CHANGED])
    if not told:
        raise CreditNotYetKnown("customers has news that is still on its way", retry_after_s=2) from refusal
    if tx.actor.branch_filter() is not None:
        # sums over every branch are told to those who may see every branch
        for name in ("overdue_fen", "outstanding_fen", "reserved_fen"):
            refusal.context.pop(name, None)
    raise refusal
