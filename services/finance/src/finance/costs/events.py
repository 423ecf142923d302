"""What is told of goods that came in, and of what their cost was found to be.

Source: F1, F5 (M25, M26)
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict
from uuid import UUID

from finance.costs.model import CostRun, Purchase, Reference
from finance.kernel.period import month_text
from shared.events import Event
from shared.texts import Branch, Count, Day, Fen, Id, Lot, Many, Month, Name, Quantity, SumFen
from shared.texts import Reference as Code

GOODS_RECEIVED = "finance.goods_receipt.booked.v1"
COST_RUN_POSTED = "finance.cost_run.posted.v1"


class GoodsReceiptLine(TypedDict):
    """`compared_with` says what `reference_price_fen` is: the standard price in force, else the last price paid."""

    product_id: Code
    lot: Lot
    quantity: Quantity
    unit_price_fen: Fen
    net_fen: Fen
    compared_with: Name | None
    reference_price_fen: Fen | None


class GoodsReceived(TypedDict):
    """A supplier's invoice with its goods was booked; prices are without tax."""

    goods_receipt_id: Id
    branch_id: Branch
    supplier_id: Code
    received_on: Day
    booked_on: Day
    lines: Annotated[list[GoodsReceiptLine], Many]
    net_fen: Fen
    tax_fen: Fen


class CostRunPosted(TypedDict):
    """What a run added to a branch's cost of goods of a month, and of that what went out as samples; below 0 it took away.

    The same month may be costed again while it is open: `no` counts its runs, and their amounts add up.
    """

    cost_run_id: Id
    branch_id: Branch
    month: Month
    no: Count
    adjustment_fen: SumFen
    samples_fen: SumFen


PUBLISHED: Final[Mapping[str, type]] = {GOODS_RECEIVED: GoodsReceived, COST_RUN_POSTED: CostRunPosted}


def goods_received(
    receipt_id: UUID, said: Purchase, references: Sequence[Reference | None], booked_on: date
) -> Event[GoodsReceived]:
    """The purchase as it was booked, each line with the price it is compared with."""
    return Event(
        type=GOODS_RECEIVED,
        subject=str(receipt_id),
        version=1,
        day=booked_on,
        amount_fen=said.net_fen,
        data={
            "goods_receipt_id": str(receipt_id),
            "branch_id": said.branch_id,
            "supplier_id": said.supplier_id,
            "received_on": said.received_on.isoformat(),
            "booked_on": booked_on.isoformat(),
            "lines": [
                {
                    "product_id": line.product_id,
                    "lot": line.lot,
                    "quantity": line.quantity,
                    "unit_price_fen": line.unit_price,
                    "net_fen": line.net_fen,
                    "compared_with": reference.kind if reference else None,
                    "reference_price_fen": reference.price_fen if reference else None,
                }
                for line, reference in zip(said.lines, references, strict=True)
            ],
            "net_fen": said.net_fen,
            "tax_fen": said.tax_fen,
        },
    )


def cost_run_posted(run: CostRun) -> Event[CostRunPosted]:
    """Its day is the last one that it covers."""
    return Event(
        type=COST_RUN_POSTED,
        subject=str(run.run_id),
        version=1,
        day=run.until_day,
        amount_fen=abs(run.adjustment_fen),
        data={
            "cost_run_id": str(run.run_id),
            "branch_id": run.branch_id,
            "month": month_text(run.month),
            "no": run.no,
            "adjustment_fen": run.adjustment_fen,
            "samples_fen": run.samples_fen,
        },
    )
