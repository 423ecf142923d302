"""May a customer owe more: positions, limits, and why not."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from shared.errors import Conflict, DomainError, Unavailable
from shared.languages import Text


class CreditNotGranted(Conflict):
    """Nobody granted the customer credit, or the grant has ended."""

    code = "credit_not_granted"
    cure = "Let it be paid at once, or propose a credit for the customer."


class CreditNotYetKnown(Unavailable):
    """Customers said things we have not heard yet; a grant, or what lifts the refusal, may be one of them."""

    code = "credit_not_yet_known"
    cure = "Send the same again after `Retry-After` seconds."


class CreditOnHold(Conflict):
    """Finance holds the customer: nothing more on credit, whoever approved what."""

    code = "credit_on_hold"
    cure = "Let it be paid at once, or ask finance to end the hold."


class CreditOverdue(Conflict):
    """More is past due than the customer is allowed."""

    code = "credit_overdue"
    cure = "Ask the customer to pay what is past due."


class CreditLimitExceeded(Conflict):
    code = "credit_limit_exceeded"
    cure = "Sell less, ask for payment first, or ask for a higher limit."


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


def refusal_of(position: Position, fen: int, today: date, *, is_approved: bool = False) -> DomainError | None:
    """Why the exposure may not grow by `fen`; None when it may."""
    if position.on_hold:
        return on_hold()
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


def on_hold() -> CreditOnHold:
    return CreditOnHold("finance holds this customer: nothing is sold on credit")
