"""The categories of expense with their accounts, and what an entry spends of each. Pure; amounts are fen.

Source: F18, F20, lesson I32
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from finance.kernel import dated
from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine

NO_SPENDING = frozenset({"opening", "year_result", "year_transfer"})
"""Entries that move balances of expense accounts without anything being spent."""


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


class Charge(NamedTuple):
    """What is charged to a budget: a category of a branch on a day; department and campaign are '' where none is named."""

    branch_id: str
    department: str
    campaign: str
    category: str
    day: date


@lru_cache(maxsize=4_096)
def categories_on(day: date) -> Mapping[str, Category]:
    """The categories in force on a day, by name."""
    names = [each.name for each in fields(Category)]
    return {
        row["category"]: Category(**{name: row[name] for name in names})
        for row in dated.in_force("expense_categories", day)
    }


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
