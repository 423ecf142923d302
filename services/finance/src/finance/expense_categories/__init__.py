"""The categories of expense: which accounts are spending, what each deducts and asks for."""

from finance.expense_categories.api import SPENDING_READERS, STAFF, expense_categories
from finance.expense_categories.rules import NO_SPENDING, Charge, categories_on, spent_by_category
from shared.areas import Area

AREA = Area(blueprints=[expense_categories])

__all__ = ["AREA", "NO_SPENDING", "SPENDING_READERS", "STAFF", "Charge", "categories_on", "spent_by_category"]
