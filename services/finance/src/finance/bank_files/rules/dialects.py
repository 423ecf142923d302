"""What may be wrong with a dialect's name."""

from shared.errors import Conflict, Invalid


class DialectUnknown(Invalid):
    """There is no such dialect."""

    code = "bank_dialect_unknown"


class DialectDelivered(Conflict):
    """A dialect that comes with the program keeps its meaning."""

    code = "bank_dialect_delivered"
