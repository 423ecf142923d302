"""Who lets a budget be exceeded, and which entries may be refused."""

from dataclasses import dataclass
from uuid import UUID

from shared.errors import Conflict

OVERRUN_ROLES = frozenset({"finance_head", "management"})
"""Who let a budget be exceeded: both, two persons."""


RESERVED_BEFORE = frozenset({"expense_approved"})
"""Entries whose document reserved its budget and spends that itself."""


MAY_BE_REFUSED = frozenset({"manual", "reversal", "sample_issue", "cash_payout"})
"""Entries of what can still be left undone. Others book what has happened (the bank took its fee, the cash is short, a
cost became known): they draw on the budget even beyond it, and the overrun is told."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would stand in the way of a document: `code` is that of the refusal."""

    code: str
    category: str | None = None
    budget_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrunning:
    """A document that exceeds a budget, as it is decided on: by none of who asked for it."""

    kind: str
    source_id: UUID
    asked_by: str
    subject_hash: str


class OverrunNotApproved(Conflict):
    """The budget may be exceeded, once finance head and management have let this document do so."""

    code = "budget_overrun_not_approved"
    cure = "Let the finance head and management decide on the overrun."


class Unbudgeted(Conflict):
    """The category is under budget in this branch, or must be, and no budget covers this (I32)."""

    code = "expense_unbudgeted"
    cure = "Have a budget set for this, or name the department that has one."
