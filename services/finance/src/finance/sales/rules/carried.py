"""What a receipt may carry beside its prices: codes of the packs, prescriptions. Pure.

All of it may be left out. Kept are a GTIN with 14 digits and instants in UTC, so that a receipt that was sent before is
known again however it spells them.
Source: G15, G16, ADR-0055
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from finance.kernel.codes import GtinInvalid, fits, long
from finance.kernel.receipt import Prescription, Receipt, ReceiptLine
from shared.errors import DomainError, Invalid
from shared.languages import Text

REVIEWED_BEFORE_MAX = timedelta(days=366)
"""No prescription is good for longer; a pharmacist reviews it once it is presented."""
Fault = tuple[type[DomainError], str, str]


class SaleTraceCodesInvalid(Invalid):
    """Each pack has a trace code of its own: at most one for each that was sold, none twice."""

    code = "sale_trace_codes_invalid"
    cure = "Send the code of each pack once, and of no more packs than the line sells."


class PrescriptionReviewUnfit(Invalid):
    """A prescription is reviewed before the drug is sold."""

    code = "prescription_review_unfit"
    cure = "Send the instant at which the pharmacist reviewed the prescription; check the clocks of the shop."


def carries(line: ReceiptLine) -> bool:
    return bool(line.trace_codes) or line.prescription is not None or line.product.gtin is not None


def carried_faults(receipt: Receipt) -> Iterator[Fault]:
    """Everything that is wrong with what the receipt carries."""
    seen: set[str] = set()
    for index, line in enumerate(receipt.lines):
        if not carries(line):
            continue
        path, gtin = f"lines.{index}", line.product.gtin
        if gtin is not None and not fits(gtin):
            yield GtinInvalid, f"{path}.product.gtin", Text("{code} has a wrong check digit", code=gtin)
        if len(line.trace_codes) > line.quantity:
            yield (
                SaleTraceCodesInvalid,
                f"{path}.trace_codes",
                Text("a line has at most as many trace codes as packs, {quantity}", quantity=line.quantity),
            )
        for nth, code in enumerate(line.trace_codes):
            if code in seen:
                told = f"{path}.trace_codes.{nth}"
                yield SaleTraceCodesInvalid, told, Text("{code} stands there twice", code=code)
            seen.add(code)
        if line.prescription is not None:
            yield from _review_faults(line.prescription.reviewed_at, receipt.sold_at, path)


def _review_faults(reviewed_at: datetime, sold_at: datetime, path: str) -> Iterator[Fault]:
    told = f"{path}.prescription.reviewed_at"
    if reviewed_at > sold_at:
        yield PrescriptionReviewUnfit, told, "the prescription was reviewed after the sale"
    elif sold_at - reviewed_at > REVIEWED_BEFORE_MAX:
        yield PrescriptionReviewUnfit, told, "the prescription was reviewed more than a year before the sale"


def as_kept(receipt: Receipt) -> Receipt:
    """The same, spelled as it is kept. It has no faults."""
    if not any(carries(line) for line in receipt.lines):
        return receipt
    return replace(receipt, lines=[_kept(line) for line in receipt.lines])


def _kept(line: ReceiptLine) -> ReceiptLine:
    gtin, prescription = line.product.gtin, line.prescription
    if gtin is not None:
        line = replace(line, product=replace(line.product, gtin=long(gtin)))
    if prescription is not None:
        line = replace(line, prescription=_in_utc(prescription))
    return line


def _in_utc(prescription: Prescription) -> Prescription:
    return replace(prescription, reviewed_at=prescription.reviewed_at.astimezone(UTC))
