"""What an expiry of a lot is compared with, and the refusal of another one.

Source: F27, G15, I2
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from shared.clock import business_date
from shared.errors import Conflict
from shared.identity import Actor
from shared.languages import Text
from shared.lots import canonical


class Source(StrEnum):
    """What may tell the expiry of a lot."""

    SALE = "sale"
    SHIPMENT = "shipment"
    ORDER = "order"
    SAMPLE = "sample"
    GOODS_RECEIPT = "goods_receipt"
    DECISION = "decision"


_BY = {
    Source.SALE: "a sale",
    Source.SHIPMENT: "a shipment",
    Source.ORDER: "an order",
    Source.SAMPLE: "a request for samples",
    Source.GOODS_RECEIPT: "a goods receipt",
    Source.DECISION: "a decision of quality assurance",
}

Key = tuple[str, str]
"""(product_id, lot in canonical spelling)"""


class Named(NamedTuple):
    """A lot with the expiry that a paper names; `path` is where in the request."""

    product_id: str
    lot: str
    expiry: date
    path: str = ""

    @property
    def key(self) -> Key:
        return self.product_id, canonical(self.lot)


class Paper(Struct, frozen=True):
    """What names lots: of which source, of which branch, by which number."""

    source: Source
    branch_id: str
    reference: str | None = None


class Held(Struct, frozen=True):
    """The expiry that holds, and the paper that told it; a decision is of no branch."""

    expiry: date
    source: str
    branch_id: str | None
    reference: str | None
    told_at: datetime


class Decided(Struct, frozen=True):
    """Which expiry a lot has, by quality assurance."""

    product_id: str
    lot: str
    expiry: date
    reason: str


class Contradiction(Struct, frozen=True):
    named: Named
    held: Held
    paper: Paper


class LotExpiryContradicts(Conflict):
    """Another expiry of the lot was told before, and quality assurance has not decided otherwise."""

    code = "lot_expiry_contradicts"
    cure = "Check the expiry against the pack; QA decides which of both is right."


def refusal(actor: Actor, found: Sequence[Contradiction]) -> LotExpiryContradicts:
    """Names both expiries of each lot, and what told the first: the paper itself to whom its branch is shown."""
    lots: list[dict[str, Any]] = []
    for each in found:
        told: dict[str, Any] = {
            "product_id": each.named.product_id,
            "lot": each.named.lot,
            "expiry": each.named.expiry.isoformat(),
            "held_expiry": each.held.expiry.isoformat(),
            "held_since": business_date(each.held.told_at).isoformat(),
            "held_by": each.held.source,
        }
        if each.held.branch_id is not None and actor.may_see(each.held.branch_id):
            told |= {"branch_id": each.held.branch_id, "reference": each.held.reference}
        lots.append(told)
    errors = [{"path": each.named.path, "message": _sentence(each)} for each in found if each.named.path]
    context = {"errors": errors} if errors else {}
    return LotExpiryContradicts(_sentence(found[0]), lots=lots, **context)


def _sentence(found: Contradiction) -> Text:
    return Text(
        "lot {lot} of product {product} expires on {held} by {source} of {day}; {told} contradicts it and was"
        " told to quality assurance",
        lot=found.named.lot,
        product=found.named.product_id,
        held=found.held.expiry.isoformat(),
        source=_BY[Source(found.held.source)],
        day=business_date(found.held.told_at).isoformat(),
        told=found.named.expiry.isoformat(),
    )
