"""Lots that quality assurance took off sale: what is stopped is not sold, at the till or on an order.

A stop may be heard before or after it was lifted; lifted stays lifted. What was sold before the stop was ordered
is booked, however late it is uploaded, and named to quality assurance. However a lot is spelled, it is the same lot:
stops are kept by its canonical spelling, and refusals name it as it was written.
Source: G7, F27
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from finance.kernel.receipt import Receipt
from shared.errors import Conflict
from shared.lots import canonical

Lot = tuple[str, str]
"""(product_id, lot)"""


class LotStopped(Conflict):
    """Quality assurance stopped the sale of a lot before this sale was made."""

    code = "lot_stopped"
    cure = "Take the lot off the shelf and sell another."


def among(stopped: Mapping[Lot, datetime], receipt: Receipt) -> list[Lot]:
    """The lots of a receipt that were stopped before it was made, as they were written."""
    lots = {(line.product.id, line.lot) for line in receipt.lines}
    return [lot for lot in lots if (since := stopped.get(key_of(lot))) and since <= receipt.sold_at]


def key_of(lot: Lot) -> Lot:
    return lot[0], canonical(lot[1])


def refuse(lots: Collection[Lot]) -> None:
    """Raises LotStopped when there is any."""
    if lots:
        named = [{"product_id": product, "lot": lot} for product, lot in sorted(set(lots))]
        raise LotStopped("the sale of a lot is stopped", lots=named)
