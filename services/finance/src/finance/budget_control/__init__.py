"""Budget control: every entry that spends draws on a budget, and who lets one be exceeded."""

from finance.budget_control import tables
from finance.budget_control.commands import Spending, decide_overrun, draw, foreseen, tell_exceeded
from finance.budget_control.rules import OVERRUN_ROLES, Foreseen, Overrunning, OverrunNotApproved, Unbudgeted
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = [
    "AREA",
    "OVERRUN_ROLES",
    "Foreseen",
    "OverrunNotApproved",
    "Overrunning",
    "Spending",
    "Unbudgeted",
    "decide_overrun",
    "draw",
    "foreseen",
    "tell_exceeded",
]
