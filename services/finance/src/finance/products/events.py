"""What is told of products."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, TypedDict

import msgspec
from msgspec import Meta

from finance.kernel.codes import LongGtin
from finance.kernel.receipt import TempClass
from finance.products.model import Version
from finance.products.rules import (
    CODES_MAX,
    ControlClass,
    LegalClass,
    PackFactor,
    TracePrefix,
    VatCode,
)
from shared.events import Event
from shared.texts import AnyDay, Label, Name, Reference, one_of
from shared.texts import Version as Number

PRODUCT_CHANGED = "finance.product.changed.v1"


class ProductChanged(TypedDict):
    """What holds of the product from `effective_from` on, until its next version begins; told before that day begins."""

    product_id: Reference
    product_version: Number
    effective_from: AnyDay
    generic_name: Label
    trade_name: Label | None
    dosage_form: Label | None
    specification: Label | None
    mah: Label | None
    maker: Label | None
    approval_number: Label | None
    legal_class: Annotated[str, one_of(LegalClass)]
    control_class: Annotated[str, one_of(ControlClass)]
    temp_class: Annotated[str, one_of(TempClass)]
    category: Name
    unit: Label
    pack_factor: PackFactor
    gtins: Annotated[list[LongGtin], Meta(max_length=CODES_MAX)]
    trace_prefixes: Annotated[list[TracePrefix], Meta(max_length=CODES_MAX)]
    vat_code: VatCode | None
    source: Reference
    source_version: Label


PUBLISHED: Final[Mapping[str, type]] = {PRODUCT_CHANGED: ProductChanged}


def product_changed(version: Version, *, day: date) -> Event[Any]:
    """A version was agreed on this day."""
    return Event(
        type=PRODUCT_CHANGED,
        subject=version.product.product_id,
        version=version.version,
        day=day,
        data={
            **msgspec.to_builtins(version.product),
            "product_version": version.version,
            "effective_from": version.effective_from.isoformat(),
            "source": version.source,
            "source_version": version.source_version,
        },
    )
