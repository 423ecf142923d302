"""Acts for the whole company, and figures of it, are for tokens that cover every branch."""

from shared.errors import Forbidden
from shared.identity import Actor


class CompanyNotCovered(Forbidden):
    """What was asked concerns every branch; a token for some of them is not enough."""

    code = "company_not_covered"
    cure = "Use a token for every branch."


def require_company(actor: Actor) -> None:
    """Raises CompanyNotCovered."""
    if not actor.has_every_branch:
        raise CompanyNotCovered("this concerns the whole company; it takes a token for every branch")
