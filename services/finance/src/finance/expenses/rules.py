"""The rules of expenses: what may be claimed, what an audit may do, what a plan brought.

Amounts of items are fen with the tax inside. What an item costs the company, and draws on a budget, is its amount
less the tax that may be deducted; entertainment deducts none.
Source: F5, F6, F7, F18, F19, F20, F23, F28, F29, lessons I32, I33, M28
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from finance.expense_categories import categories_on
from finance.kernel import dated, invoice_number
from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine, balanced
from finance.kernel.vat import rates_on, tax_inside
from shared.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from shared.languages import Text
from shared.money import half_up


class ClaimState(StrEnum):
    DRAFT = "draft"
    AWAITING_BUDGET = "awaiting_budget"
    SUBMITTED = "submitted"
    MANAGER_APPROVED = "manager_approved"
    FINANCE_AUDITED = "finance_audited"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"


class ClaimNotFound(NotFound):
    code = "expense_claim_not_found"
    cure = "Look it up in the list of claims."


class ClaimNotReady(Conflict):
    """The step does not follow from the claim's state."""

    code = "expense_claim_not_ready"
    cure = "Read the claim again; its state says what comes next."


class ClaimNotYours(Forbidden):
    code = "expense_claim_not_yours"
    cure = "Let the claimant do it."


class CategoryUnknown(Invalid):
    code = "expense_category_unknown"
    cure = "Use a category of the list."


class AttendeesMissing(Invalid):
    """Entertainment names who took part."""

    code = "expense_attendees_missing"
    cure = "Name at least one person beside the claimant."


class TaxTooLarge(Invalid):
    code = "expense_tax_too_large"
    cure = "Check the tax against the invoice."


class SpentInFuture(Invalid):
    code = "expense_in_future"
    cure = "Correct the day of the expense."


class SpentTooLongAgo(Invalid):
    code = "expense_too_old"
    cure = "Leave the item out, or ask finance to book it by voucher."


class InvoiceRepeated(Invalid):
    """One claim names an invoice twice."""

    code = "expense_invoice_repeated"
    cure = "Name each invoice once."


class InvoiceCodeMissing(Invalid):
    """Eight digits alone are the number of many invoices, and with its code of another spelling of this one."""

    code = "expense_invoice_code_missing"
    cure = "Write the invoice's code and its number."


class InvoiceTaken(Conflict):
    """Another claim of anyone in the company, or a purchase, holds the invoice."""

    code = "expense_invoice_taken"
    cure = "Leave the item out: this invoice was claimed or booked before."


class AuditFindingInvalid(Invalid):
    code = "expense_finding_invalid"
    cure = "Give one finding for each item that the claim has."


def rule_on(rule: str, day: date) -> int:
    value: int = dated.value("expense_rules", rule, day)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim as it is stored: `accepted_fen` once it was audited, `subject_hash` once it was submitted."""

    claim_id: UUID
    branch_id: str
    department: str
    campaign: str
    claimant: str
    state: ClaimState
    claimed_fen: int
    accepted_fen: int | None
    subject_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One invoice of a claim. `accepted_fen` and `accepted_tax_fen` are what the audit left of it."""

    no: int
    category: str
    amount_fen: int
    tax_fen: int
    invoice_no: str
    spent_on: date
    attendees: Sequence[str] = ()
    accepted_fen: int | None = None
    accepted_tax_fen: int | None = None

    @property
    def counted_fen(self) -> int:
        return self.amount_fen if self.accepted_fen is None else self.accepted_fen

    @property
    def counted_tax_fen(self) -> int:
        return self.tax_fen if self.accepted_tax_fen is None else self.accepted_tax_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a claimant says; department and campaign are '' where none is named."""

    branch_id: str
    department: str
    campaign: str
    purpose: str
    items: Sequence[Item]


def check_items(items: Sequence[Item], claimant: str, today: date) -> None:
    """Raises the first fault (of each item in order), listing all under `errors`."""
    faults: list[tuple[type[DomainError], str, str]] = []
    seen: set[str] = set()
    oldest = today - timedelta(days=rule_on("claim_age_days_max", today))
    for index, item in enumerate(items):
        path = f"items.{index}"
        if item.spent_on > today:
            faults.append((SpentInFuture, f"{path}.spent_on", "lies in the future"))
        elif item.spent_on < oldest:
            faults.append(
                (SpentTooLongAgo, f"{path}.spent_on", Text("claims reach back to {oldest}", oldest=oldest))
            )
        category = categories_on(min(item.spent_on, today)).get(item.category)
        if category is not None and not category.claimable:
            category = None
        if item.spent_on >= oldest and category is None:
            faults.append((CategoryUnknown, f"{path}.category", "no such category on that day"))
        if category is not None and category.attendees and not {*item.attendees} - {claimant}:
            faults.append((AttendeesMissing, f"{path}.attendees", "name who took part beside the claimant"))
        if item.tax_fen > most_tax_fen(item, today):
            faults.append((TaxTooLarge, f"{path}.tax", "more than the highest VAT rate has in the amount"))
        number = invoice_number.key(item.invoice_no)
        if invoice_number.lacks_code(item.invoice_no):
            faults.append((InvoiceCodeMissing, f"{path}.invoice_no", "write the invoice's code before it"))
        if number in seen:
            faults.append((InvoiceRepeated, f"{path}.invoice_no", "named twice"))
        seen.add(number)
    if faults:
        refusal, _, message = faults[0]
        raise refusal(message, errors=[{"path": path, "message": text} for _, path, text in faults])


def most_tax_fen(item: Item, today: date) -> int:
    """The tax in fen that the highest rate of the day has in the amount, and what an invoice's lines may round to.

    Tax is deducted and draws on no budget: claimed too high it would hide an expense.
    """
    day = min(item.spent_on, today)
    highest = tax_inside(item.amount_fen, max(rates_on(day), default=0))
    return min(highest + rule_on("claim_tax_rounding_fen", day), item.amount_fen - 1)


def deductible_fen(item: Item) -> int:
    """The input VAT of what counts of an item."""
    category = categories_on(item.spent_on)[item.category]
    return item.counted_tax_fen if category.deducts_input_vat else 0


def cost_fen(item: Item) -> int:
    """What the item costs the company: what counts of it, less the tax that is deducted."""
    return item.counted_fen - deductible_fen(item)


class Outcome(StrEnum):
    ACCEPT = "accept"
    REDUCE = "reduce"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the audit says of one item; `accepted_fen` belongs to `reduce`."""

    no: int
    outcome: Outcome
    accepted_fen: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    no: int
    accepted_fen: int
    accepted_tax_fen: int
    reason: str | None


def audit(items: Sequence[Item], findings: Sequence[Finding]) -> list[Audited]:
    """What is left of each item; items without a finding are accepted.

    The tax of a reduced item falls in proportion, rounded half up. Raises AuditFindingInvalid for an unknown or
    repeated item, a reduction that is none, or a finding without reason.
    """
    by_no = {item.no: item for item in items}
    said: dict[int, Finding] = {}
    for index, finding in enumerate(findings):
        item = by_no.get(finding.no)
        fault = None
        if item is None or finding.no in said:
            fault = ("no", "no such item, or named twice")
        elif finding.outcome is not Outcome.ACCEPT and not (finding.reason or "").strip():
            fault = ("reason", "what is taken off is explained")
        elif (finding.outcome is Outcome.REDUCE) != (finding.accepted_fen is not None):
            fault = ("accepted", "given with `reduce`, and only then")
        elif finding.accepted_fen is not None and not 0 < finding.accepted_fen < item.amount_fen:
            fault = ("accepted", "above 0 and below the amount")
        if fault is not None:
            raise AuditFindingInvalid(
                fault[1], errors=[{"path": f"findings.{index}.{fault[0]}", "message": fault[1]}]
            )
        said[finding.no] = finding
    return [_audited(item, said.get(item.no)) for item in items]


def _audited(item: Item, finding: Finding | None) -> Audited:
    accepted, reason = item.amount_fen, None
    if finding is not None and finding.outcome is not Outcome.ACCEPT:
        accepted, reason = finding.accepted_fen or 0, finding.reason
    return Audited(
        no=item.no,
        accepted_fen=accepted,
        accepted_tax_fen=half_up(item.tax_fen * accepted, item.amount_fen),
        reason=reason,
    )


def approved_posting(chart: Chart, items: Sequence[Item]) -> list[PostingLine]:
    """Selling expenses by category and input VAT, against what is owed to staff."""
    by_account: dict[str, int] = {}
    for item in items:
        account = chart.code(categories_on(item.spent_on)[item.category].account)
        by_account[account] = by_account.get(account, 0) + cost_fen(item)
    tax = sum(deductible_fen(item) for item in items)
    return balanced(
        [
            *(PostingLine(account, fen, 0) for account, fen in sorted(by_account.items())),
            PostingLine(chart.code("input_vat"), tax, 0),
            PostingLine(chart.code("staff_payable"), 0, sum(item.counted_fen for item in items)),
        ]
    )


def paid_posting(chart: Chart, paid_from: str, fen: int) -> list[PostingLine]:
    """What is owed to staff, against `bank` or `cash_on_hand`."""
    return balanced(
        [PostingLine(chart.code("staff_payable"), fen, 0), PostingLine(chart.code(paid_from), 0, fen)]
    )
