"""The fact that a budget was exceeded."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from shared.events import Event
from shared.texts import Branch, Fen, Id, Name, Reference, SumFen

BUDGET_EXCEEDED = "finance.budget.exceeded.v1"


class BudgetExceeded(TypedDict):
    """`over_fen` is by how much it is now; `source_kind` is `claim` or the kind of the ledger's entry."""

    budget_id: Id
    branch_id: Branch
    department: Name | None
    category: Name | None
    campaign: Reference | None
    claim_id: Id | None
    source_kind: Name
    source_id: Id
    amount_fen: Fen
    over_fen: SumFen


PUBLISHED: Final[Mapping[str, type]] = {
    BUDGET_EXCEEDED: BudgetExceeded,
}


def budget_exceeded(
    *,
    budget_id: UUID,
    branch_id: str,
    department: str,
    category: str,
    campaign: str,
    amount_fen: int,
    over_fen: int,
    times: int,
    source_kind: str,
    source_id: UUID,
    day: date,
) -> Event[BudgetExceeded]:
    """A document exceeded the budget, let through or because it had happened, for the how manieth time.

    `source_kind` is `claim` or the kind of the ledger's entry; `claim_id` is given for claims.
    """
    return Event(
        type=BUDGET_EXCEEDED,
        subject=str(budget_id),
        version=times,
        day=day,
        amount_fen=over_fen,
        data={
            "budget_id": str(budget_id),
            "branch_id": branch_id,
            "department": department or None,
            "category": category or None,
            "campaign": campaign or None,
            "claim_id": str(source_id) if source_kind == "claim" else None,
            "source_kind": source_kind,
            "source_id": str(source_id),
            "amount_fen": amount_fen,
            "over_fen": over_fen,
        },
    )
