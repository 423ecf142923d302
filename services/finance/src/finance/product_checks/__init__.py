"""Whether what is sold, ordered or given is what the catalogue says of the product on its day (ADR-0052)."""

from finance.product_checks import tables
from finance.product_checks.api import product_checks
from finance.product_checks.jobs import JOBS
from finance.product_checks.rules import Door, Paper, Said, of_product
from finance.product_checks.store import OF_ONE_SALE, Checks, faults, judge, judge_sale
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[product_checks], jobs=JOBS)

__all__ = [
    "AREA",
    "OF_ONE_SALE",
    "Checks",
    "Door",
    "Paper",
    "Said",
    "faults",
    "judge",
    "judge_sale",
    "of_product",
]
