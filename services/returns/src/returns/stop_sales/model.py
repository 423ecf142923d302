"""What may be refused about lots off sale."""

from shared.errors import Conflict, NotFound


class StopSaleUnknown(NotFound):
    code = "stop_sale_unknown"
    cure = "Look it up in the list of stops of sale."


class StopSaleLifted(Conflict):
    """The lots are back on sale already."""

    code = "stop_sale_lifted"
    cure = "Nothing needs doing: the lots are on sale."


class LiftingPending(Conflict):
    code = "lifting_pending"
    cure = "Let the request that waits be decided first."


class NoLiftingPending(Conflict):
    """Nobody asks for it, or it was decided."""

    code = "no_lifting_pending"
    cure = "Ask for the lifting first, with the reason."
