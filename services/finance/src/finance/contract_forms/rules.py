"""What a contract must say: complete, and without contradiction. Pure; amounts are fen.

Source: F8, F26
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from finance.kernel.vat import rates_on
from shared.errors import Invalid, NotFound
from shared.languages import Text
from shared.money import FEN_MAX

BP = 10_000
Content = Mapping[str, Any]


class ContractIncomplete(Invalid):
    """Mandatory contents are missing; `errors` names every one of them."""

    code = "contract_incomplete"
    cure = "Complete what the sentence lists, then submit the contract."


class ContractContentInvalid(Invalid):
    """Contents that contradict each other, or a rate of VAT that is not in force; `errors` names every one."""

    code = "contract_content_invalid"
    cure = "Mend what the sentence names in the contents."


class ContractLineUnknown(NotFound):
    code = "contract_line_unknown"
    cure = "Use a line number of the contract."


_OF_LINE = (
    "line_no",
    "product_id",
    "generic_name",
    "specification",
    "category",
    "quantity",
    "unit_price_fen",
    "tax_bp",
    "delivery_date",
)
"""Mandatory per line; `dosage_form` is there where it is known."""
_OF_CONTRACT = (
    "quality_clause",
    "our_signatory",
    "customer_signatory",
    "place",
    "dated_on",
    "file_sha256",
    "valid_from",
    "valid_until",
)
_SHOWN = {"unit_price_fen": "unit_price"}


def missing(content: Content) -> list[str]:
    """The paths of every mandatory content that is not there, in the order of the document. Source: F8."""
    return list(_missing(content))


def _missing(content: Content) -> Iterator[str]:
    if not content.get("lines"):
        yield "lines"
    for index, line in enumerate(content.get("lines") or []):
        for name in _OF_LINE:
            if line.get(name) in (None, ""):
                yield f"lines.{index}.{_SHOWN.get(name, name)}"
    terms = content.get("payment_terms") or {}
    for name in ("method", "instalments"):
        if not terms.get(name):
            yield f"payment_terms.{name}"
    for name in _OF_CONTRACT:
        if content.get(name) in (None, ""):
            yield name


def require_complete(content: Content, *, on: date, past: Collection[int] = ()) -> None:
    """Raises ContractIncomplete naming all that is missing, else ContractContentInvalid naming all that is wrong.

    VAT rates are those in force on the day `on`, save of the lines `past`: whatever they were, they stay.
    """
    absent = missing(content)
    if absent:
        raise ContractIncomplete(
            Text("a contract says all of it; missing: {absent}", absent=", ".join(absent)),
            missing=absent,
            errors=[{"path": path, "message": "required"} for path in absent],
        )
    faults = list(_faults(content, on, past))
    if faults:
        raise ContractContentInvalid(
            "the contents contradict each other",
            errors=[{"path": path, "message": message} for path, message in faults],
        )


def _faults(content: Content, on: date, past: Collection[int]) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    rates = rates_on(on)
    first, last = content["valid_from"], content["valid_until"]
    for index, line in enumerate(content["lines"]):
        if line["line_no"] in seen:
            yield f"lines.{index}.line_no", "twice"
        seen.add(line["line_no"])
        if line["tax_bp"] not in rates and line["line_no"] not in past:
            yield f"lines.{index}.tax_bp", Text("no VAT rate in force on {on}", on=on)
        if not first <= line["delivery_date"] <= last:
            yield f"lines.{index}.delivery_date", "outside the validity of the contract"
    if last < first:
        yield "valid_until", "before valid_from"
    instalments = content["payment_terms"]["instalments"]
    if sum(each["share_bp"] for each in instalments) != BP:
        yield "payment_terms.instalments", "the shares sum to 10 000 bp"
    days = [each["days"] for each in instalments]
    if days != sorted(set(days)):
        yield "payment_terms.instalments", "each instalment is due later than the one before"
    if value_fen(content) > FEN_MAX:
        yield "lines", "the value is beyond what an amount may be"


def value_fen(content: Content) -> int:
    """Σ quantity × unit price, VAT included."""
    return sum(line["quantity"] * line["unit_price_fen"] for line in content["lines"])


def categories(content: Content) -> list[str]:
    return sorted({line["category"] for line in content["lines"]})


def line_of(content: Content, line_no: int) -> Mapping[str, Any]:
    """Raises ContractLineUnknown."""
    for line in content["lines"]:
        if line["line_no"] == line_no:
            found: Mapping[str, Any] = line
            return found
    raise ContractLineUnknown(Text("the contract has no line {line_no}", line_no=line_no))
