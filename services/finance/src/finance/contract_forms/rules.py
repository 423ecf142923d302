"""What a contract must say: complete, and without contradiction. Pure; amounts are fen.

A draft's `Content` may lack anything; `Agreed` is what passed `require_complete`. Either is kept and hashed as JSON of
plain values (`plain`), so that it stays as it was agreed.
Source: F8, F26
"""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, Self

import msgspec
from msgspec import Struct

from finance.kernel.vat import rates_on
from shared.errors import Invalid, NotFound
from shared.languages import Text
from shared.money import FEN_MAX

BP = 10_000
METHODS = ("bank", "acceptance_bill", "wechat", "alipay", "card", "cash")


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


class Line(Struct, frozen=True, kw_only=True):
    """Goods as far as they are written down; `unit_price_fen` holds the VAT, `dosage_form` is there where it is known."""

    line_no: int | None = None
    product_id: str | None = None
    generic_name: str | None = None
    specification: str | None = None
    dosage_form: str | None = None
    category: str | None = None
    quantity: int | None = None
    unit_price_fen: int | None = None
    tax_bp: int | None = None
    delivery_date: date | None = None


class AgreedLine(Line, frozen=True, kw_only=True):
    line_no: int
    product_id: str
    generic_name: str
    specification: str
    category: str
    quantity: int
    unit_price_fen: int
    tax_bp: int
    delivery_date: date


class Instalment(Struct, frozen=True):
    """`share_bp` of each delivery's value is due `days` after it."""

    days: int
    share_bp: int


class Terms(Struct, frozen=True, kw_only=True):
    method: str | None = None
    instalments: tuple[Instalment, ...] | None = None


class AgreedTerms(Terms, frozen=True, kw_only=True):
    method: str
    instalments: tuple[Instalment, ...]


class Content(Struct, frozen=True, kw_only=True):
    """What a contract says so far; the customer's signatory is a contact id, `file_sha256` is of the paper."""

    lines: tuple[Line, ...] | None = None
    payment_terms: Terms | None = None
    quality_clause: str | None = None
    our_signatory: str | None = None
    customer_signatory: str | None = None
    place: str | None = None
    dated_on: date | None = None
    file_sha256: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    @classmethod
    def of(cls, plain: Any) -> Self:
        """Back from its JSON."""
        return msgspec.convert(plain, cls)

    @property
    def missing(self) -> list[str]:
        """The paths of every mandatory content that is not there, in the order of the document. Source: F8."""
        return list(_missing(self))

    @property
    def plain(self) -> Any:
        """As JSON."""
        return msgspec.to_builtins(self)


class Agreed(Content, frozen=True, kw_only=True):
    """The whole content of a contract."""

    lines: tuple[AgreedLine, ...]
    payment_terms: AgreedTerms
    quality_clause: str
    our_signatory: str
    customer_signatory: str
    place: str
    dated_on: date
    file_sha256: str
    valid_from: date
    valid_until: date

    @property
    def value_fen(self) -> int:
        """Σ quantity × unit price, VAT included."""
        return sum(line.quantity * line.unit_price_fen for line in self.lines)

    @property
    def categories(self) -> list[str]:
        return sorted({line.category for line in self.lines})

    def line(self, line_no: int) -> AgreedLine:
        """Raises ContractLineUnknown."""
        for line in self.lines:
            if line.line_no == line_no:
                return line
        raise ContractLineUnknown(Text("the contract has no line {line_no}", line_no=line_no))


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


def _missing(content: Content) -> Iterator[str]:
    if not content.lines:
        yield "lines"
    for index, line in enumerate(content.lines or ()):
        for name in _OF_LINE:
            if getattr(line, name) in (None, ""):
                yield f"lines.{index}.{_SHOWN.get(name, name)}"
    terms = content.payment_terms or Terms()
    for name in ("method", "instalments"):
        if not getattr(terms, name):
            yield f"payment_terms.{name}"
    for name in _OF_CONTRACT:
        if getattr(content, name) in (None, ""):
            yield name


def require_complete(content: Content, *, on: date, past: Collection[int] = ()) -> Agreed:
    """Raises ContractIncomplete naming all that is missing, else ContractContentInvalid naming all that is wrong.

    VAT rates are those in force on the day `on`, save of the lines `past`: whatever they were, they stay.
    """
    absent = content.missing
    if absent:
        raise ContractIncomplete(
            Text("a contract says all of it; missing: {absent}", absent=", ".join(absent)),
            missing=absent,
            errors=[{"path": path, "message": "required"} for path in absent],
        )
    agreed = Agreed.of(content.plain)
    faults = list(_faults(agreed, on, past))
    if faults:
        raise ContractContentInvalid(
            "the contents contradict each other",
            errors=[{"path": path, "message": message} for path, message in faults],
        )
    return agreed


def _faults(content: Agreed, on: date, past: Collection[int]) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    rates = rates_on(on)
    first, last = content.valid_from, content.valid_until
    for index, line in enumerate(content.lines):
        if line.line_no in seen:
            yield f"lines.{index}.line_no", "twice"
        seen.add(line.line_no)
        if line.tax_bp not in rates and line.line_no not in past:
            yield f"lines.{index}.tax_bp", Text("no VAT rate in force on {on}", on=on)
        if not first <= line.delivery_date <= last:
            yield f"lines.{index}.delivery_date", "outside the validity of the contract"
    if last < first:
        yield "valid_until", "before valid_from"
    instalments = content.payment_terms.instalments
    if sum(each.share_bp for each in instalments) != BP:
        yield "payment_terms.instalments", "the shares sum to 10 000 bp"
    days = [each.days for each in instalments]
    if days != sorted(set(days)):
        yield "payment_terms.instalments", "each instalment is due later than the one before"
    if content.value_fen > FEN_MAX:
        yield "lines", "the value is beyond what an amount may be"
