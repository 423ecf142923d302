"""What may be refused about lots off sale."""

from shared.errors import Conflict, NotFound


class StopSaleUnknown(NotFound):
    code = "stop_sale_unknown"


class StopSaleLifted(Conflict):
    """The lots are back on sale already."""

    code = "stop_sale_lifted"


class LiftingPending(Conflict):
    code = "lifting_pending"


class NoLiftingPending(Conflict):
    """Nobody asks for it, or it was decided."""

    code = "no_lifting_pending"
