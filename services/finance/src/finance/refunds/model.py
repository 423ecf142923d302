"""What returns tells of goods that came back."""

from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from shared.texts import LINES_MAX, Fen, Lot, Name, Quantity, Reference


class SettledLine(Struct, frozen=True):
    return_line_id: Reference
    sale_line_id: UUID
    lot: Lot
    quantity: Quantity
    disposition: Name
    net_fen: Fen
    tax_fen: Fen
    cost_fen: Fen


class ReturnSettled(Struct, frozen=True):
    """returns.return.settled.v1"""

    return_id: Reference
    sale_id: UUID
    settled_on: date
    lines: Annotated[list[SettledLine], Meta(max_length=LINES_MAX)]
    refund_fen: Fen


class GoodsReceived(Struct, frozen=True):
    """returns.return.received.v1; the day is the event's own."""

    return_id: Reference
