"""The words of returns that more than one area uses: kinds, states, facts, causes, results."""

from enum import StrEnum

TEMP_CLASSES = ("normal", "cool", "cold_2_8", "frozen")


class Disposition(StrEnum):
    RESTOCK = "restock"
    SUPPLIER_RETURN = "supplier_return"
    DESTROY = "destroy"
    LAB_HOLD = "lab_hold"


class Result(StrEnum):
    PASS = "pass"  # noqa: S105 - the word of the form, no secret
    FAIL = "fail"
    UNDETERMINED = "undetermined"


class Kind(StrEnum):
    B2B = "b2b"
    RETAIL = "retail"


class Status(StrEnum):
    REQUESTED = "requested"
    REFUSED = "refused"
    APPROVED = "approved"
    REJECTED = "rejected"
    PICKUP_ORDERED = "pickup_ordered"
    PICKED_UP = "picked_up"
    RECEIVED = "received"
    RECEIPT_REFUSED = "receipt_refused"
    INSPECTED = "inspected"
    NOT_ACCEPTED = "not_accepted"
    DISPOSITIONED = "dispositioned"
    SETTLED = "settled"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"


class LineStatus(StrEnum):
    REQUESTED = "requested"
    NOT_ARRIVED = "not_arrived"
    RECEIPT_REFUSED = "receipt_refused"
    RECEIVED = "received"
    INSPECTED = "inspected"
    HELD = "held"
    DISPOSITIONED = "dispositioned"
    SETTLED = "settled"


class Fact(StrEnum):
    """What happened to a notice; each is one row of its history and, mostly, one event."""

    REQUESTED = "requested"
    REFUSED = "refused"
    DECIDED = "decided"
    APPROVED = "approved"
    REJECTED = "rejected"
    PICKUP_CONFIRMED = "pickup_confirmed"
    PICKUP_BREACHED = "pickup_breached"
    RECEIVED = "received"
    RECEIPT_REFUSED = "receipt_refused"
    INSPECTED = "inspected"
    DISPOSITIONED = "dispositioned"
    SETTLED = "settled"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"


class RefusalCause(StrEnum):
    NOT_OURS = "not_ours"
    OVER_QUANTITY = "over_quantity"
    INELIGIBLE = "ineligible"


class ReceiptCause(StrEnum):
    MISSING = "missing"
    GAP = "gap"
    EXCURSION = "excursion"
    CALIBRATION = "calibration"
    MISMATCH = "mismatch"
