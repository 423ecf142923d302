"""Budgets: set, changed, and moved by what documents reserve and spend."""

from finance.budgets import tables
from finance.budgets.api import budgets
from finance.budgets.commands import open_of_plan
from finance.budgets.rules import BudgetExceeded, overruns
from finance.budgets.store import DRAWN, Move, covering, differing, exceeded, locked, move_all
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[budgets])

__all__ = [
    "AREA",
    "DRAWN",
    "BudgetExceeded",
    "Move",
    "covering",
    "differing",
    "exceeded",
    "locked",
    "move_all",
    "open_of_plan",
    "overruns",
]
