"""What may be set against what."""

from uuid import UUID

from msgspec import Struct

from finance.open_items import Item
from shared.errors import Conflict


class AllocationNotPossible(Conflict):
    """The two items are not a credit and a debt of one customer in one branch."""

    code = "allocation_not_possible"
    cure = "Set an open credit against an open debt of the same customer."


class AllocationExceedsOpen(Conflict):
    code = "allocation_exceeds_open"
    cure = "Allocate at most what is open of both items."


class Match(Struct, frozen=True, kw_only=True):
    """`fen` above 0 sets so much of the credit against the debt; below 0 takes it back."""

    credit_id: UUID
    debt_id: UUID
    fen: int
    undoes: UUID | None = None


def check(match: Match, credit: Item, debt: Item) -> None:
    if credit.amount_fen >= 0 or debt.amount_fen <= 0:
        raise AllocationNotPossible("an allocation sets a credit against a debt")
    if credit.customer_id != debt.customer_id:
        raise AllocationNotPossible("a credit of one customer does not pay the debt of another")
    if credit.branch_id != debt.branch_id:
        raise AllocationNotPossible("each branch owns its receivables; receive the payment per branch")
    if match.fen > min(-credit.open_fen, debt.open_fen):
        raise AllocationExceedsOpen(
            "more than is open", credit_open_fen=-credit.open_fen, debt_open_fen=debt.open_fen
        )
