"""The record of promotion plans: what budgets, prices and offers ask of them."""

from finance.promotion_plans import tables
from finance.promotion_plans.model import Forecast, Plan
from finance.promotion_plans.queries import listed, plan_of
from finance.promotion_plans.store import APPROVED, CLOSED, add, all_locked, change, hold
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = [
    "APPROVED",
    "AREA",
    "CLOSED",
    "Forecast",
    "Plan",
    "add",
    "all_locked",
    "change",
    "hold",
    "listed",
    "plan_of",
]
