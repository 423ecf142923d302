"""The facts about arrivals."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from returns.kernel.facts import Of, Returned, about
from returns.kernel.texts import TempClasses
from returns.kernel.vocabulary import ReceiptCause
from shared.events import Event
from shared.texts import LINES_MAX, Id, Lot, Quantity, Reference, one_of

RECEIVED = "returns.return.received.v1"
RECEIPT_REFUSED = "returns.return.receipt_refused.v1"
ReceiptCauses = Annotated[str, one_of(ReceiptCause)]


class ArrivedLine(TypedDict):
    return_line_id: Id
    lot: Lot
    quantity: Quantity
    product_id: Reference
    temp_class: TempClasses


class Received(Returned):
    lines: Annotated[list[ArrivedLine], Meta(min_length=1, max_length=LINES_MAX)]


class ReceiptRefused(Returned):
    return_line_id: Id
    lot: Lot
    cause: ReceiptCauses
    product_id: Reference
    temp_class: TempClasses


def received(of: Of, *, lines: Sequence[ArrivedLine]) -> Event[Received]:
    return about(of, RECEIVED, {"lines": list(lines)})


def receipt_refused(
    of: Of, *, return_line_id: str, lot: str, cause: str, product_id: str, temp_class: str
) -> Event[ReceiptRefused]:
    return about(
        of,
        RECEIPT_REFUSED,
        {
            "return_line_id": return_line_id,
            "lot": lot,
            "cause": cause,
            "product_id": product_id,
            "temp_class": temp_class,
        },
    )


PUBLISHED: Final[Mapping[str, type]] = {RECEIVED: Received, RECEIPT_REFUSED: ReceiptRefused}
