"""What becomes of accepted goods. Putting them back on sale is the exception that must be earned.

Source: model 3.4 (8), R17 R20, I2 I12
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from returns.kernel.dated import number
from returns.kernel.reasons import root_of
from returns.kernel.vocabulary import Disposition, Result
from shared.errors import Conflict, Forbidden
from shared.languages import Text

NEVER_RESTOCKED = frozenset({"recall", "quality_defect"})


class RestockNotAllowed(Conflict):
    """`faults` in the context names every missing condition."""

    code = "restock_not_allowed"
    cure = "Choose another disposition: `faults` says why the goods are not sold again."


class LabResultAwaited(Conflict):
    """An undetermined inspection leaves only the laboratory."""

    code = "lab_result_awaited"
    cure = "Choose `lab_hold` for these lines and decide when the laboratory has answered."


class HandlerMayNotRelease(Forbidden):
    """Who asked for the return, received or inspected the goods does not decide what becomes of them."""

    code = "handler_may_not_release"
    cure = "Let somebody of QA release the goods who had no hand in them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    reason: str
    kind: str
    expiry: date
    inspection: Result
    cold_chain_passed: bool
    """True also where the temperature class asks for no evidence."""


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of a shorter month."""
    years, month0 = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month0 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def restock_faults(goods: Goods, *, on: date) -> tuple[str, ...]:
    margin = number("returns.disposition", f"restock.expiry_margin.{goods.kind}", on=on)
    faults = (
        ("inspection_not_passed", goods.inspection is not Result.PASS),
        ("cold_chain_not_passed", not goods.cold_chain_passed),
        ("expiry_too_near", goods.expiry < add_months(on, margin)),
        ("reason_forbids", root_of(goods.reason) in NEVER_RESTOCKED),
    )
    return tuple(name for name, found in faults if found)


def require_allowed(disposition: Disposition, goods: Goods, *, on: date) -> None:
    """Raises RestockNotAllowed, LabResultAwaited."""
    if goods.inspection is Result.UNDETERMINED and disposition is not Disposition.LAB_HOLD:
        raise LabResultAwaited("quality is undetermined: hold the goods for the laboratory first")
    if disposition is Disposition.RESTOCK:
        faults = restock_faults(goods, on=on)
        if faults:
            raise RestockNotAllowed(
                Text("not to be sold again: {faults}", faults=", ".join(faults)), faults=list(faults)
            )
