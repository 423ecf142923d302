"""What may still be refunded of a sale, and to which tenders it goes back.

Never more than was sold, in quantity, net, tax and cost, less what earlier refunds took. Money is fen.
Source: F22, model 3.2
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.errors import Conflict, Invalid
from shared.languages import Text
from shared.lots import canonical
from shared.money import allocate


class NotSold(Invalid):
    """The settled return names a line or lot that the sale does not have."""

    code = "refund_of_what_was_not_sold"
    cure = "Compare the return with its sale, then apply the event again or discard it."


class RefundExceedsSale(Conflict):
    code = "refund_exceeds_sale"
    cure = (
        "Look for a return that was entered twice, then discard the event of the one that is not to be paid."
    )


class RefundAmountDiffers(Invalid):
    code = "refund_amount_differs"
    cure = "Tell the operator: lines and sum of the settled return differ."


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """A line of the sale, and what refunds took of it so far."""

    line_id: str
    lot: str
    quantity: int
    net_fen: int
    tax_fen: int
    cost_fen: int
    taken_quantity: int = 0
    taken_net_fen: int = 0
    taken_tax_fen: int = 0
    taken_cost_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLine:
    return_line_id: str
    sale_line_id: str
    lot: str
    quantity: int
    disposition: str
    net_fen: int
    tax_fen: int
    cost_fen: int


def verify(sold: Mapping[str, SoldLine], returned: Sequence[ReturnedLine], refund_fen: int) -> None:
    """Raises NotSold, RefundExceedsSale or RefundAmountDiffers when the return claims what cannot be."""
    claimed: dict[str, list[int]] = {}
    for line in returned:
        origin = sold.get(line.sale_line_id)
        if origin is None or canonical(origin.lot) != canonical(line.lot):
            raise NotSold("the sale has no such line and lot", sale_line_id=line.sale_line_id, lot=line.lot)
        sums = claimed.setdefault(line.sale_line_id, [0, 0, 0, 0])
        for index, value in enumerate((line.quantity, line.net_fen, line.tax_fen, line.cost_fen)):
            sums[index] += value
    for line_id, (quantity, net, tax, cost) in claimed.items():
        origin = sold[line_id]
        if (
            quantity + origin.taken_quantity > origin.quantity
            or net + origin.taken_net_fen > origin.net_fen
            or tax + origin.taken_tax_fen > origin.tax_fen
            or cost + origin.taken_cost_fen > origin.cost_fen
        ):
            raise RefundExceedsSale("more than was sold, less earlier refunds", sale_line_id=line_id)
    total = sum(line.net_fen + line.tax_fen for line in returned)
    if total != refund_fen:
        raise RefundAmountDiffers(
            Text(
                "the lines sum to {total} fen, the return says {refund_fen} fen",
                total=total,
                refund_fen=refund_fen,
            )
        )


def split(refund_fen: int, paid: Mapping[str, int], refunded: Mapping[str, int]) -> dict[str, int]:
    """The refund per tender, in proportion to what each tender still holds; tenders that get nothing are left out.

    No tender ever gives back more than it took, and a full refund gives back exactly what each took.
    Precondition: refund_fen ≤ Σ paid − Σ refunded.
    """
    if refund_fen == 0:
        return {}
    tenders = sorted(paid)
    left = [paid[tender] - refunded.get(tender, 0) for tender in tenders]
    assert 0 <= refund_fen <= sum(left)
    return {tender: fen for tender, fen in zip(tenders, allocate(refund_fen, left), strict=True) if fen}
