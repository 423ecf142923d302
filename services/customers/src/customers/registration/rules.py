"""What makes a record complete, and how a customer's life begins. Source: C7, C8, C35; model 3.1"""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache

from customers.kernel.dated import row_in_force, rows_of


@cache
def complete_fields(kind: str, on: date) -> tuple[str, ...]:
    """The fields a record of `kind` should have, each of the same weight."""
    row = row_in_force(
        [row for row in rows_of("customers.registration", "completeness.json") if row["kind"] == kind], on
    )
    return tuple(row["fields"]) if row else ()


FULL_BP = 10_000


def first_status(kind: str) -> str:
    """Patients may buy at once; an institution starts as a lead. Source: C35"""
    return "active" if kind == "patient" else "lead"


def completeness_bp(wanted: Collection[str], record: Mapping[str, object]) -> int:
    """The share of the wanted fields that the record has, in basis points, rounded down. Source: C8"""
    if not wanted:
        return FULL_BP
    return FULL_BP * sum(bool(record.get(field)) for field in wanted) // len(wanted)
