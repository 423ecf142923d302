"""The rows of thousands of sales as text for COPY: each owner of a table makes its own from the same sale."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

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


def text(value: str | None) -> str:
    """A value for COPY: control characters were refused with the receipt, so only backslashes remain."""
    if value is None:
        return NULL
    return value.replace("\\", "\\\\") if "\\" in value else value
