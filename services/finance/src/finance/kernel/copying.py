"""What each owner of a table writes of a sale: a part of the one statement of one, rows of text for COPY of thousands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from finance.kernel.sale import Booked

NULL = "\\N"


class Copied(NamedTuple):
    """What rows of several tables say of a sale, as COPY text."""

    booked: Booked
    entry_id: int
    on: str
    branch: str
    customer: str


class Said(NamedTuple):
    """What all rows of an upload say, as COPY text; `trace` are the columns of the outbox that tell causes."""

    actor: str
    now: str
    trace: str


Rows = Callable[[Copied, Said], Iterator[str]]
"""The rows of one table for one sale, each with its end."""


def _nothing_more(_driver: Connection[Any], _booked: Sequence[Booked]) -> None:
    pass


class SalePart(NamedTuple):
    """What one area writes of a sale.

    `sql` are parts of the one statement of a sale, after those that it stands on; it takes `parameters_of` the sale.
    Of thousands it is either `copied`, per table its columns and the rows that COPY writes for a sale, or what
    `add_many` writes once those are there.
    """

    sql: str
    parameters_of: Callable[[Booked], dict[str, str | None]]
    copied: Mapping[str, tuple[str, Rows]] = {}
    add_many: Callable[[Connection[Any], Sequence[Booked]], None] = _nothing_more


def text(value: str | None) -> str:
    """A value for COPY: control characters were refused with the receipt, so only backslashes remain."""
    if value is None:
        return NULL
    return value.replace("\\", "\\\\") if "\\" in value else value
