"""The record of a customer: who it is, in which branch, in which state."""

from customers.master import tables
from customers.master.api import customers
from customers.master.store import (
    add_customer,
    add_patients,
    change,
    institutions_among,
    known_by_code,
    lock,
    lock_free,
    lock_institution,
    of_branches,
    row_of,
)
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[customers])

__all__ = [
    "AREA",
    "add_customer",
    "add_patients",
    "change",
    "institutions_among",
    "known_by_code",
    "lock",
    "lock_free",
    "lock_institution",
    "of_branches",
    "row_of",
]
