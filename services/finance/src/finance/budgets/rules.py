"""The categories of expense with their accounts, and what a budget of one allows. Pure; amounts are fen.

Source: F18, F20, lesson I32
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache

from finance.kernel import dated
from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine
from shared.errors import Conflict
from shared.languages import Text

OVERRUN_ROLES = frozenset({"finance_head", "management"})
"""Who let a budget be exceeded: both, two persons."""

RESERVED_BEFORE = frozenset({"expense_approved"})
"""Entries whose document reserved its budget and spends that itself."""

NO_SPENDING = frozenset({"opening", "year_result", "year_transfer"})
"""Entries that move balances of expense accounts without anything being spent."""

MAY_BE_REFUSED = frozenset({"manual", "reversal", "sample_issue", "cash_payout"})
"""Entries of what can still be left undone. Others book what has happened (the bank took its fee, the cash is short, a
cost became known): they draw on the budget even beyond it, and the overrun is told."""


class Unbudgeted(Conflict):
    """The category is under budget in this branch, or must be, and no budget covers this (I32)."""

    code = "expense_unbudgeted"


class BudgetExceeded(Conflict):
    code = "budget_exceeded"


class OverrunNotApproved(Conflict):
    """The budget may be exceeded, once finance head and management have let this document do so."""

    code = "budget_overrun_not_approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """`claimable` is what staff may claim; other categories are spent by vouchers, payouts, samples alone."""

    category: str
    zh: str
    en: str
    account: str
    claimable: bool
    deducts_input_vat: bool
    attendees: bool


@lru_cache(maxsize=4_096)
def categories_on(day: date) -> Mapping[str, Category]:
    """The categories in force on a day, by name."""
    names = [each.name for each in fields(Category)]
    return {
        row["category"]: Category(**{name: row[name] for name in names})
        for row in dated.in_force("expense_categories", day)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    budget_id: str
    amount_fen: int
    reserved_fen: int
    actual_fen: int
    overrun: str

    @property
    def available_fen(self) -> int:
        return self.amount_fen - self.reserved_fen - self.actual_fen


def overruns(budgets: Iterable[Budget], needs: Mapping[str, int]) -> dict[str, int]:
    """By how many fen each budget that an approval may exceed would be exceeded by its need.

    Raises BudgetExceeded when a budget that stops would be.
    """
    over: dict[str, int] = {}
    for budget in budgets:
        need = needs[budget.budget_id]
        excess = need - budget.available_fen
        if need <= 0 or excess <= 0:
            continue
        if budget.overrun == "stop":
            raise BudgetExceeded(
                Text(
                    "{available_fen} fen are available, {need} fen are needed",
                    available_fen=budget.available_fen,
                    need=need,
                ),
                budget_id=budget.budget_id,
                available_fen=budget.available_fen,
                needed_fen=need,
            )
        over[budget.budget_id] = excess
    return over


@lru_cache(maxsize=1_024)
def _names(chart: Chart, day: date) -> Mapping[str, str]:
    """The category of each account that has one."""
    return {chart.code(each.account): each.category for each in categories_on(day).values()}


def spent_by_category(chart: Chart, postings: Sequence[PostingLine], day: date) -> dict[str, int]:
    """What an entry spends of each category: debit less credit on the category's account, in fen."""
    names = _names(chart, day)
    spent: dict[str, int] = {}
    for line in postings:
        name = names.get(line.account)
        if name is not None:
            spent[name] = spent.get(name, 0) + line.debit_fen - line.credit_fen
    return {name: fen for name, fen in spent.items() if fen}
