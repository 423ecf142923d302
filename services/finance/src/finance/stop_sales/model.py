"""What returns tells of lots that are taken off sale."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from shared.texts import LINES_MAX, Lot

AwareInstant = Annotated[datetime, Meta(tz=True)]


class StopSaleOrdered(Struct, frozen=True):
    """returns.stop_sale.ordered.v1"""

    stop_sale_id: UUID
    product_id: Lot
    lots: Annotated[list[Lot], Meta(max_length=LINES_MAX)]
    ordered_at: AwareInstant


class StopSaleLifted(Struct, frozen=True):
    """returns.stop_sale.lifted.v1"""

    stop_sale_id: UUID
    product_id: Lot
    lots: Annotated[list[Lot], Meta(max_length=LINES_MAX)]
    lifted_at: AwareInstant


ORDERED = "returns.stop_sale.ordered.v1"
