"""The original order, with what may still come back of it."""

from typing import Any

from msgspec.structs import asdict
from sqlalchemy import select

from returns import known
from returns.returnable.tables import return_allotments
from shared.clock import SHANGHAI
from shared.errors import NotFound
from shared.transaction import Tx


class SaleNotKnown(NotFound):
    """Not sold by this branch."""

    code = "sale_not_known"
    cure = "Check branch and receipt number; a sale of a moment ago arrives within seconds."


def get_sold_lines(
    tx: Tx, *, branch_id: str, sale_id: str | None, receipt_number: str | None
) -> list[dict[str, Any]]:
    """The original order with what may still come back of it. Raises SaleNotKnown, ProjectionBehind, ForeignBranch. Source: R3"""
    tx.actor.require_branch(branch_id)
    sold = known.find_sold_lines(tx, branch_id=branch_id, sale_id=sale_id, receipt_number=receipt_number)
    if not sold:
        known.require_no_sale(tx, branch_id=branch_id, sale_id=sale_id, receipt_number=receipt_number)
        raise SaleNotKnown("no such sale of this branch is known here")
    reserved = {
        (row["sale_id"], row["sale_line_id"], row["lot"]): row["reserved"]
        for row in tx.conn.execute(
            select(return_allotments).where(return_allotments.c.sale_id.in_({each.sale_id for each in sold}))
        ).mappings()
    }
    voided = {sale_id for sale_id in {each.sale_id for each in sold} if known.is_voided(tx, sale_id)}
    return [
        {
            **asdict(each),
            "sold_on": each.sold_at.astimezone(SHANGHAI).date(),
            "returnable": 0
            if each.sale_id in voided
            else each.quantity - reserved.get((each.sale_id, each.sale_line_id, each.lot), 0),
        }
        for each in sold
    ]
