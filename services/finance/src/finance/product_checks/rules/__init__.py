"""What contradicts the catalogue, how strictly it is held from which day on, and what is refused. Pure.

A paper is held against the version of its day: a receipt's business date, the day of an order's check, of a request
or an issue of samples. What tells one medicine from another is compared as it is written; names are compared as people
read them, and only what is said of them. What a door does not ask for cannot contradict.
Source: G15, X11, 药品管理法 Art 57, ADR-0052
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import Struct

from finance.kernel.receipt import Product, ReceiptLine
from shared.categories import meaning
from shared.errors import Conflict, Invalid, NotFound
from shared.faults import ERRORS_SHOWN_MAX
from shared.languages import Text


class Mode(StrEnum):
    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


STRICTNESS = {mode: nth for nth, mode in enumerate(Mode)}


class Door(StrEnum):
    """Where something is said of a product."""

    SALE = "sale"
    SHIPMENT = "shipment"
    ORDER = "order"
    SAMPLE = "sample"
    PROMOTION = "promotion"


EXACT = ("category", "temp_class", "approval_number")
"""Whatever differs in these contradicts, also what one side leaves out: nothing, another case, another width."""
READ = ("generic_name", "dosage_form", "specification", "mah", "maker")
"""These contradict where both sides say something and a reader would see two different things."""
COMPARED = (*EXACT, *READ)
values_of = attrgetter(*COMPARED)
"""What a receipt says of a product, in the order of COMPARED."""


class Paper(NamedTuple):
    """What names products: of which kind, of which branch, by which number."""

    door: Door
    branch_id: str
    reference: str | None = None


class Said(Struct, frozen=True):
    """What a paper says of a product: `fields` are those that it asks for, `path` is where the product stands in it.

    The paths of the fields are `path` and their names, those of the paper itself where `path` is empty.
    """

    path: str
    product_id: str
    fields: Mapping[str, str | None] = {}


class Held(NamedTuple):
    """The version that holds on the day, its `values` in the order of COMPARED."""

    version: int
    values: tuple[str | None, ...]
    legal_class: str
    control_class: str


class Contradiction(Struct, frozen=True):
    """`field` is None where no version holds on the day."""

    path: str
    product_id: str
    field: str | None = None
    said: str | None = None
    holds: str | None = None
    version: int | None = None


class ProductContradictsCatalogue(Conflict):
    """The paper says something else of the product than the catalogue of its day."""

    code = "product_contradicts_catalogue"
    cure = "Take what the catalogue says of the product; where the catalogue is wrong, have it changed."


class ProductUnknown(Conflict):
    """The catalogue of the day has no such product."""

    code = "product_unknown"
    cure = "Check the id, letter by letter; tell the catalogue a product that is new and have it approved."


class CheckSettingNotFound(NotFound):
    code = "product_check_setting_not_found"
    cure = "Look it up in the list of settings."


class CheckSettingDecided(Conflict):
    code = "product_check_setting_decided"
    cure = "Read the setting again; its state says what became of it."


class CheckDayPassed(Invalid):
    """What was judged by one mode is not judged by a stricter one afterwards, and nothing changes for days gone by."""

    code = "product_check_day_passed"
    cure = "Let the mode hold from the day that the sentence names."


def read_alike(one: str, other: str) -> bool:
    """Whether a reader would take both for the same: width, case, blanks and what is invisible aside."""
    return one == other or _folded(one) == _folded(other)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in plain if not each.isspace() and unicodedata.category(each) != "Cf")


def differs(field: str, said: str | None, holds: str | None) -> bool:
    """Whether what is said of a field contradicts what holds; a category that was renamed is what it became."""
    if field == "category" and said is not None and holds is not None:
        return meaning(said) != meaning(holds)
    if field in EXACT:
        return said != holds
    return said is not None and holds is not None and not read_alike(said, holds)


def contradictions(said: Said, held: Held | None) -> Iterator[Contradiction]:
    """Everything in which the paper contradicts the version of the day."""
    path = f"{said.path}." if said.path else ""
    if held is None:
        yield Contradiction(f"{path}product_id" if said.fields else said.path, said.product_id)
        return
    for field, holds in zip(COMPARED, held.values, strict=True):
        if field in said.fields and differs(field, said.fields[field], holds):
            yield Contradiction(
                f"{path}{field}", said.product_id, field, said.fields[field], holds, held.version
            )


def of_line(index: int, line: ReceiptLine) -> Said:
    return of_product(f"lines.{index}.product", line.product)


def of_product(path: str, product: Product) -> Said:
    """All that a receipt, or a line of an order, says of a product."""
    return Said(path, product.id, dict(zip(COMPARED, values_of(product), strict=True)))


def refuse(found: Sequence[Contradiction], day: date) -> None:
    """Raises ProductContradictsCatalogue, or ProductUnknown where nothing else is wrong."""
    if not found:
        return
    shown = sorted(found, key=lambda each: each.field is None)[:ERRORS_SHOWN_MAX]
    context: dict[str, Any] = {
        "errors": [{"path": each.path, "message": _sentence(each, day)} for each in shown],
        "products": [told(each) for each in shown],
        "day": day.isoformat(),
    }
    if shown[0].field is None:
        raise ProductUnknown(_sentence(shown[0], day), **context)
    raise ProductContradictsCatalogue(_sentence(shown[0], day), **context)


def told(found: Contradiction) -> dict[str, Any]:
    """A contradiction as refusals and lists show it."""
    return {
        "product_id": found.product_id,
        "field": found.field,
        "said": None if found.said is None else str(found.said),
        "holds": found.holds,
        "version": found.version,
    }


def _sentence(found: Contradiction, day: date) -> Text:
    if found.field is None:
        return Text("the catalogue of {day} has no product {product}", day=day, product=found.product_id)
    return Text(
        "of product {product} the catalogue of {day} says {field} {holds}; told was {said}",
        product=found.product_id,
        day=day,
        field=found.field,
        holds="—" if found.holds is None else found.holds,
        said="—" if found.said is None else str(found.said),
    )


def require_may_begin(mode: Mode, wanted: date, before: Mode, *, today: date, first_day: date | None) -> None:
    """A stricter mode than the one that holds on the day begins on a day whose papers are all to come, `first_day`;
    None where nothing was sold yet, so that no day was judged. Another begins today at the soonest.

    Raises CheckDayPassed.
    """
    soonest = first_day if STRICTNESS[mode] > STRICTNESS[before] else today
    if soonest is not None and wanted < soonest:
        message = Text("this may hold from {day} on", day=soonest)
        raise CheckDayPassed(message, errors=[{"path": "effective_from", "message": message}])
