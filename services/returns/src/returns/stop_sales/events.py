"""The facts about lots off sale."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from shared.events import Event
from shared.texts import LINES_MAX, Id, Instant, Lot, Reason

STOP_SALE_ORDERED = "returns.stop_sale.ordered.v1"
STOP_SALE_LIFTED = "returns.stop_sale.lifted.v1"
Lots = Annotated[list[Lot], Meta(min_length=1, max_length=LINES_MAX)]


class StopSale(TypedDict):
    stop_sale_id: Id
    product_id: Lot
    lots: Lots


class StopSaleOrdered(StopSale):
    """From `ordered_at` on nobody sells these lots."""

    reason: Reason
    ordered_at: Instant


class StopSaleLifted(StopSale):
    """The stop ends for all its lots; another stop of the same lot stands."""

    lifted_at: Instant


def stop_sale_ordered(
    *, stop_sale_id: str, product_id: str, lots: Sequence[str], reason: str, ordered_at: datetime, day: date
) -> Event[StopSaleOrdered]:
    """From `ordered_at` on nobody sells these lots."""
    return Event(
        type=STOP_SALE_ORDERED,
        subject=stop_sale_id,
        version=1,
        day=day,
        data={
            "stop_sale_id": stop_sale_id,
            "product_id": product_id,
            "lots": list(lots),
            "reason": reason,
            "ordered_at": ordered_at.isoformat(),
        },
    )


def stop_sale_lifted(
    *, stop_sale_id: str, product_id: str, lots: Sequence[str], lifted_at: datetime, day: date
) -> Event[StopSaleLifted]:
    """The stop ends for all its lots; another stop of the same lot stands."""
    return Event(
        type=STOP_SALE_LIFTED,
        subject=stop_sale_id,
        version=2,
        day=day,
        data={
            "stop_sale_id": stop_sale_id,
            "product_id": product_id,
            "lots": list(lots),
            "lifted_at": lifted_at.isoformat(),
        },
    )


PUBLISHED: Final[Mapping[str, type]] = {STOP_SALE_ORDERED: StopSaleOrdered, STOP_SALE_LIFTED: StopSaleLifted}
