"""What a dialect says of the tables that a bank writes, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from finance.kernel import dated
from shared.errors import Conflict, Invalid


class DialectUnknown(Invalid):
    """There is no such dialect."""

    code = "bank_dialect_unknown"
    cure = "Use a dialect of the list, or register how this bank writes its tables."


class DialectDelivered(Conflict):
    """A dialect that comes with the program keeps its meaning."""

    code = "bank_dialect_delivered"
    cure = "Keep your own dialect under another name."


class AmountRule(StrEnum):
    SIGNED = "signed"
    TWO_COLUMNS = "two_columns"
    DIRECTION = "direction"


NEEDED = {
    AmountRule.SIGNED: ("date", "amount"),
    AmountRule.TWO_COLUMNS: ("date", "in", "out"),
    AmountRule.DIRECTION: ("date", "amount", "direction"),
}
ROLES = ("date", "value_date", "amount", "in", "out", "direction", "reference", "summary", "counterparty", "currency")  # fmt: skip
SEVERAL = ("reference", "summary", "counterparty")
"""Roles for which every heading that the table has counts; of the others the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A dialect by which a table is read; `columns` are the headings of each role, the best first.

    Without `date_formats` days are read year first, without a `delimiter` it is found.
    """

    dialect: str
    amount_rule: AmountRule
    columns: Mapping[str, Sequence[str]]
    delimiter: str | None
    out_is_negative: bool
    date_formats: Sequence[str]
    in_words: Sequence[str]
    out_words: Sequence[str]
    footer_words: Sequence[str]
    end_words: Sequence[str]


def layout_of(definition: Mapping[str, Any]) -> Layout:
    """The dialect that a definition says, one that comes with the program or one that was kept."""
    return Layout(
        dialect=definition.get("dialect", ""),
        amount_rule=AmountRule(definition["amount_rule"]),
        columns=definition["columns"],
        delimiter=definition.get("delimiter"),
        out_is_negative=definition.get("out_is_negative", False),
        date_formats=definition.get("date_formats") or (),
        in_words=definition.get("in_words") or (),
        out_words=definition.get("out_words") or (),
        footer_words=definition.get("footer_words") or (),
        end_words=definition.get("end_words") or (),
    )


@cache
def delivered() -> dict[str, dict[str, Any]]:
    """The dialects that come with the program, by name."""
    return {row["dialect"]: row for row in dated.read("bank_csv_dialects")}
