"""What contracts must obey: their mandatory contents, who signs and amends, how far they are fulfilled. Pure.

A contract's content is a JSON document of plain values (dates as ISO text, money in fen with VAT, as receipts hold
it), so that it is hashed and kept as it was agreed. Limits and retention are dated data.
Source: F8, F9, F13, F26, C37, X7, model 3.2 (Contract)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from finance.kernel import dated
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.languages import Text

PARTIES = ("ours", "customer")
REVIEWERS = frozenset({"business_head", "finance_head"})
"""The legal review: who stands for the business and who stands for the money, neither of whom drafted it."""
AMENDMENT_APPROVERS = frozenset({"business_head"})
TERMINATION_APPROVERS = frozenset({"finance_head"})
SIGNATORIES = ("business_head", "management", "store_manager", "unit_head")
"""Who may bind us."""
OPEN_STATES = frozenset({"signed", "active"})


class ContractNotFound(NotFound):
    code = "contract_not_found"
    cure = "Look it up in the list of contracts."


class ContractStateWrong(Conflict):
    code = "contract_state_wrong"
    cure = "Read the contract again; its state says what comes next."


class ContractNotReviewed(Conflict):
    """Nobody signs before the legal review has approved."""

    code = "contract_not_reviewed"
    cure = "Let the legal reviewer approve it first."


class SignatoryNotNamed(Forbidden):
    """Each party signs by the person whom the contract names, ours in person."""

    code = "contract_signatory_not_named"
    cure = "Let the signatory sign whom the contract names."


class PartySigned(Conflict):
    code = "contract_party_signed"
    cure = "Nothing needs doing: this party has signed."


class SignatureDateInvalid(Invalid):
    """A signature or confirmation is of a day that has come, not before what it is about."""

    code = "contract_signature_date_invalid"
    cure = "Check the day of the signature against the paper."


class AmendmentOpen(Conflict):
    """One amendment at a time: the one proposed before is not decided."""

    code = "contract_amendment_open"
    cure = "Let the amendment that waits be decided first."


class AmendmentNotFound(NotFound):
    code = "contract_amendment_not_found"
    cure = "Look it up in the list of the contract's amendments."


class AmendmentDecided(Conflict):
    code = "contract_amendment_decided"
    cure = "Propose a new amendment."


class AmendmentEmpty(Conflict):
    """The proposal says what the version in force says."""

    code = "contract_amendment_empty"
    cure = "Propose something that differs from the contract."


class AmendmentBelowOrdered(Conflict):
    """A line may not fall below what orders hold, nor change its product then."""

    code = "contract_amendment_below_ordered"
    cure = "Amend to at least what is ordered, or cancel orders first."


class AmendmentRecordedTwice(Conflict):
    """The customer's answer is recorded once, by somebody who does not approve for us."""

    code = "contract_amendment_recorded"
    cure = "Let another person record the customer's answer, once."


class TerminationOpen(Conflict):
    code = "contract_termination_open"
    cure = "Let the request that waits be decided first."


class TerminationNotFound(NotFound):
    """Nobody asks to terminate this contract."""

    code = "contract_termination_not_found"
    cure = "Ask for the termination first, with the reason."


class OrdersOpen(Conflict):
    """What orders hold is shipped or given back before a contract is terminated."""

    code = "contract_orders_open"
    cure = "Ship or cancel the orders of this contract first."


class ContractVersionNotFound(NotFound):
    code = "contract_version_not_found"
    cure = "Use one of the versions that the contract's history lists."


class ContractNotActive(Conflict):
    """The contract is not in force on that day."""

    code = "contract_not_active"
    cure = "Use a contract that is signed and in force on this day, or order without one."


class ContractQuantityExceeded(Conflict):
    """More than the line leaves to order, release or ship."""

    code = "contract_quantity_exceeded"
    cure = "Order at most what is left, or amend the contract."


class ContractPriceDiffers(Conflict):
    code = "contract_price_differs"
    cure = "Order at the contract's price, or amend the contract."


def rule(name: str, day: date) -> Any:
    return dated.value("contract_rules", name, day)


def is_late(signed_on: date, entered_on: date) -> bool:
    """Whether a contract was entered later after its signing than the house allows (F9)."""
    limit: int = rule("entry_days_max", signed_on)
    return (entered_on - signed_on).days > limit


def keep_until(ends_on: date, day: date) -> date:
    """The last day the paper must be kept: the longest of its classes, counted from the end of the year it ends in."""
    years: int = max(each["years"] for each in rule("retention", day))
    return date(ends_on.year + years, 12, 31)


def retention_classes(day: date) -> list[str]:
    return [each["class"] for each in rule("retention", day)]


def require_signed_day(day: date, *, today: date, not_before: date | None = None) -> None:
    """Raises SignatureDateInvalid."""
    if day > today or (not_before is not None and day < not_before):
        raise SignatureDateInvalid(
            Text("{day} lies in the future, or before {not_before}", day=day, not_before=not_before),
            errors=[{"path": "signed_on", "message": "in the future or too early"}],
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a line is: 0 ≤ shipped ≤ ordered ≤ quantity, always. Each step gives the line after it."""

    quantity: int
    ordered: int = 0
    shipped: int = 0

    def __post_init__(self) -> None:
        assert 0 <= self.shipped <= self.ordered <= self.quantity

    @property
    def remaining(self) -> int:
        """What may still be ordered."""
        return self.quantity - self.ordered

    @property
    def is_fulfilled(self) -> bool:
        return self.shipped == self.quantity

    def order(self, quantity: int) -> "Progress":
        """Raises ContractQuantityExceeded."""
        _require(quantity, self.remaining, "left to order")
        return replace(self, ordered=self.ordered + quantity)

    def release(self, quantity: int) -> "Progress":
        """Give back what is ordered and not shipped. Raises ContractQuantityExceeded."""
        _require(quantity, self.ordered - self.shipped, "ordered and not shipped")
        return replace(self, ordered=self.ordered - quantity)

    def ship(self, quantity: int) -> "Progress":
        """Raises ContractQuantityExceeded."""
        _require(quantity, self.ordered - self.shipped, "ordered and not shipped")
        return replace(self, shipped=self.shipped + quantity)

    def amend(self, quantity: int) -> "Progress":
        """Raises AmendmentBelowOrdered."""
        if quantity < self.ordered:
            raise AmendmentBelowOrdered(
                Text("orders hold {ordered} of this line", ordered=self.ordered), ordered=self.ordered
            )
        return replace(self, quantity=quantity)


def _require(quantity: int, available: int, what: str) -> None:
    if quantity < 1 or quantity > available:
        raise ContractQuantityExceeded(
            Text(
                "{available} are {what}, {quantity} were asked for",
                available=available,
                what=what,
                quantity=quantity,
            ),
            available=available,
            wanted=quantity,
        )


def is_all_shipped(lines: Sequence[Progress]) -> bool:
    """A contract is fulfilled when every line is; one whose lines were all amended away is not."""
    return any(each.quantity for each in lines) and all(each.is_fulfilled for each in lines)
