"""Of what figures are told: the whole chain or one branch; who reads them, and within which branches."""

from datetime import date
from typing import Final

from shared.errors import Forbidden
from shared.identity import Actor

CHAIN: Final = ""
"""The branch id that stands for all branches together."""
NO_FACTS: Final = date(1900, 1, 1)
"""A month before any partition: its ledgers are empty."""

READERS: Final = (
    "management",
    "accountant",
    "finance_head",
    "qa",
    "supervision_member",
    "store_manager",
    "cs_manager",
)


class ChainNotCovered(Forbidden):
    code = "chain_not_covered"
    cure = "Name a `branch_id`, or use a token for every branch."


def require_scope(actor: Actor, branch_id: str | None) -> str:
    """The scope to read: a branch the token covers, or CHAIN. Raises ForeignBranch, ChainNotCovered."""
    if branch_id is not None:
        actor.require_branch(branch_id)
        return branch_id
    if not actor.has_every_branch:
        raise ChainNotCovered("figures of the whole chain need a token for every branch; name a `branch_id`")
    return CHAIN
