"""What may be wrong with a dialect's name."""

from shared.errors import Conflict, Invalid


class DialectUnknown(Invalid):
    """There is no such dialect."""

    code = "bank_dialect_unknown"
    cure = "Use a dialect of the list, or register how this bank writes its tables."


class DialectDelivered(Conflict):
    """A dialect that comes with the program keeps its meaning."""

    code = "bank_dialect_delivered"
    cure = "Keep your own dialect under another name."
