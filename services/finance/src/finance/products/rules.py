"""What a product of the catalogue is, what may be changed of it at once and what waits for quality assurance. Pure.

Source: G15, X11, 药品管理法 Art 57, ADR-0051
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from finance.kernel.codes import GTIN_DIGITS, Gtin, GtinInvalid, fits, long
from finance.kernel.receipt import TempClass
from shared.categories import CategoryCode
from shared.clock import business_date
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.search import normal, words_of
from shared.texts import FIRST_DAY, Label, Reference

PACK_FACTOR_MAX = 1_000_000
CODES_MAX = 50
"""GTINs, and prefixes of trace codes, of one product."""
TRACE_DIGITS = 20
TRACE_PREFIX_DIGITS = 7
SETTLES_WITHIN = timedelta(minutes=15)
"""What changes the catalogue has committed by then, and no till's clock runs ahead further."""


AHEAD_MAX = timedelta(days=366)


class LegalClass(StrEnum):
    RX = "rx"
    OTC_A = "otc_a"
    OTC_B = "otc_b"
    NON_DRUG = "non_drug"


class ControlClass(StrEnum):
    NONE = "none"
    NARCOTIC = "narcotic"
    PSYCHOTROPIC = "psychotropic"
    PRECURSOR = "precursor"
    TOXIC = "toxic"


TracePrefix = Annotated[
    str,
    Meta(
        min_length=7,
        max_length=7,
        pattern=r"\A8[0-9]{6}\Z",
        description="the first 7 digits of a trace code, beginning with 8",
    ),
]
VatCode = Annotated[
    str,
    Meta(
        min_length=19,
        max_length=19,
        pattern=r"\A[0-9]{19}\Z",
        description="a code of goods and services for VAT, 19 digits",
    ),
]
PackFactor = Annotated[int, Meta(ge=1, le=PACK_FACTOR_MAX, description="from 1 to 1,000,000")]


class Product(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the catalogue says of a product. `category` is what licences allow to buy and receipts name."""

    product_id: Reference
    generic_name: Label
    legal_class: LegalClass
    control_class: ControlClass
    temp_class: TempClass
    category: CategoryCode
    unit: Label
    pack_factor: PackFactor = 1
    trade_name: Label | None = None
    dosage_form: Label | None = None
    specification: Label | None = None
    mah: Label | None = None
    maker: Label | None = None
    approval_number: Label | None = None
    gtins: Annotated[list[Gtin], Meta(max_length=CODES_MAX)] = []
    trace_prefixes: Annotated[list[TracePrefix], Meta(max_length=CODES_MAX)] = []
    vat_code: VatCode | None = None


class Told(Product, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product as its source tells it, from a day on; left out, from the first day on which it may hold."""

    source: Reference
    source_version: Label
    effective_from: date | None = None


FIELDS = tuple(each.name for each in msgspec.structs.fields(Product) if each.name != "product_id")
SAFETY = ("legal_class", "control_class", "temp_class", "category", "approval_number")
"""What changes none of these holds without quality assurance."""


class ProductCodeTaken(Conflict):
    """A GTIN or a prefix of trace codes names one product."""

    code = "product_code_taken"
    cure = "Take the code off the other product first, or correct it here."


class ProductBackdated(Invalid):
    """The catalogue of a day does not change on the day, nor afterwards."""

    code = "product_backdated"
    cure = "Let the change hold from the day that the sentence names, or leave `effective_from` out."


class ProductTooFarAhead(Invalid):
    """A product has no change before its newest version, so that none may lie far ahead."""

    code = "product_too_far_ahead"
    cure = "Tell the change when its day is nearer."


class ProductProposalNotFound(NotFound):
    code = "product_proposal_not_found"
    cure = "Look it up in the list of product proposals."


class ProductProposalDecided(Conflict):
    code = "product_proposal_decided"
    cure = "Read the proposal again; its state says what became of it."


class ProductUploadNotFound(NotFound):
    code = "product_upload_not_found"
    cure = "Look it up in the list of product uploads."


class ProductUploadSettled(Conflict):
    """Nothing of the upload waits any more."""

    code = "product_upload_settled"
    cure = "Read the list of product proposals for what waits."


def earliest(now: datetime) -> date:
    """The first day whose catalogue may still change: no sale of it can have been judged before the change commits."""
    return business_date(now + SETTLES_WITHIN) + timedelta(days=1)


def checked(told: Told) -> Told:
    """The same with its codes in order, GTINs with 14 digits. Raises GtinInvalid."""
    if not told.gtins and not told.trace_prefixes:
        return told
    for name, codes in (("gtins", told.gtins), ("trace_prefixes", told.trace_prefixes)):
        seen: set[str] = set()
        for index, each in enumerate(codes):
            kept = long(each)
            if kept in seen:
                raise _invalid(f"{name}.{index}", Text("{code} stands there twice", code=each))
            seen.add(kept)
            if name == "gtins" and not fits(each):
                raise _invalid(f"{name}.{index}", Text("{code} has a wrong check digit", code=each))
    return msgspec.structs.replace(
        told,
        gtins=sorted(long(each) for each in told.gtins),
        trace_prefixes=sorted(told.trace_prefixes),
    )


Code = tuple[str, str]
"""`gtin` or `trace_prefix`, and the digits as they are kept."""

FIELD_OF_CODE = {"gtin": "gtins", "trace_prefix": "trace_prefixes"}


def codes_of(product: Product) -> list[Code]:
    """All codes that name the product."""
    gtins = [("gtin", long(each)) for each in product.gtins]
    return [*gtins, *(("trace_prefix", each) for each in product.trace_prefixes)]


def found_by(product: Product) -> tuple[str, list[str]]:
    """The words and grams that a search finds the product by: its names, and its codes in every form they are typed in."""
    gtins = [long(each) for each in product.gtins]
    names = [each for each in (product.generic_name, product.trade_name) if each]
    numbers = [product.approval_number] if product.approval_number else []
    short = [each.lstrip("0") for each in gtins]
    return words_of(names, [product.product_id, *numbers, *gtins, *short, *product.trace_prefixes])


def codes_meant(asked: str) -> list[str]:
    """The code that digits may stand for: a GTIN with fewer of them, or the prefix of a whole trace code."""
    digits = normal(asked)
    if not (digits.isascii() and digits.isdigit()):
        return []
    if len(digits) == TRACE_DIGITS:
        return [digits[:TRACE_PREFIX_DIGITS]]
    return [long(digits)] if len(digits) < GTIN_DIGITS else []


def _invalid(path: str, message: Text) -> GtinInvalid:
    return GtinInvalid(message, errors=[{"path": path, "message": message}])


def content(product: Product) -> Product:
    """The product alone, without who told it."""
    return Product(product_id=product.product_id, **{name: getattr(product, name) for name in FIELDS})


def differing(one: Product, other: Product, names: Iterable[str] = FIELDS) -> dict[str, Any]:
    """Of the fields in which they differ, what `other` says."""
    return {name: getattr(other, name) for name in names if getattr(one, name) != getattr(other, name)}


def with_fields(product: Product, said: Mapping[str, Any]) -> Product:
    """The product with these fields, as they lie in JSON, in the place of its own."""
    return msgspec.convert(msgspec.to_builtins(product) | dict(said), Product)


def require_in_order(wanted: date | None, newest_day: date | None, first_day: date) -> None:
    """A version begins within a year, a change on a day that has not begun and not before the newest version.

    Raises ProductBackdated, ProductTooFarAhead.
    """
    if wanted is None:
        return
    latest = first_day + AHEAD_MAX
    if not FIRST_DAY <= wanted <= latest:
        message = Text("a version begins from {first} until {day}", first=FIRST_DAY, day=latest)
        raise ProductTooFarAhead(message, errors=[{"path": "effective_from", "message": message}])
    if newest_day is None:
        return
    soonest = max(first_day, newest_day)
    if wanted < soonest:
        message = Text("a change of this product may hold from {day} on", day=soonest)
        raise ProductBackdated(message, errors=[{"path": "effective_from", "message": message}])
