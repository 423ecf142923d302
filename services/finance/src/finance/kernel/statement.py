"""Kinds of financial statements and the spans they are made of."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NotRequired, TypedDict

from shared.errors import Invalid
from shared.languages import Text


class Kind(StrEnum):
    BALANCE = "balance"
    INCOME = "income"
    CASHFLOW = "cashflow"
    EQUITY = "equity"


class Span(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


MONTHS: Mapping[Span, int] = {Span.MONTH: 1, Span.QUARTER: 3, Span.HALF_YEAR: 6, Span.YEAR: 12}


class SpanMonthWrong(Invalid):
    """A quarter ends in March, June, September or December, the half-year in June, a year in December."""

    code = "statement_span_month_wrong"
    cure = "Name the month with which a quarter or a year ends."


def ends_in(span: Span, month: date) -> bool:
    """Whether a span of this kind ends with `month`; the second half-year is reported with the year."""
    if span is Span.HALF_YEAR:
        return month.month == MONTHS[span]
    return month.month % MONTHS[span] == 0


def first_month(span: Span, month: date) -> date:
    """The first month of the span that ends with `month`. Raises SpanMonthWrong."""
    if not ends_in(span, month):
        raise SpanMonthWrong(
            Text("no {span} ends with {month:%Y-%m}", span=span.value, month=month),
            errors=[{"path": "month", "message": "not its last month"}],
        )
    return month.replace(month=month.month - MONTHS[span] + 1)


def year_before(month: date) -> date:
    return month.replace(year=month.year - 1)


class CompanyNames(TypedDict):
    """`uscc` is its 统一社会信用代码."""

    zh: str
    en: str
    uscc: str | None


class Title(TypedDict):
    zh: str
    en: str


class Column(Title):
    """`group` tells this year's columns of the changes in equity from those of the year before."""

    column: str
    group: NotRequired[str]


class StatedLine(TypedDict):
    """A line of a form with its amount in each column, in fen, None where the books do not tell it apart.

    Before there were forms a statement had one column, `fen`.
    """

    row: int
    line: str
    zh: str
    en: str
    leaf: bool
    share: bool
    half: str
    headings: list[dict[str, str]]
    amounts: dict[str, int | None]
    fen: NotRequired[int]


class Unclassified(TypedDict):
    """A movement of cash that nobody said the purpose of."""

    column: str
    entry_kind: str
    account: str
    direction: str
    fen: int


class Content(TypedDict):
    """All that a statement says, as it is frozen, hashed, printed and proved; the oldest name no `form`."""

    kind: str
    span: str
    month: str
    first_month: str
    version: int
    standard: str
    form: NotRequired[str]
    title: Title
    company: CompanyNames
    primary: str
    columns: list[Column]
    lines: list[StatedLine]
    classifications: list[dict[str, str]]
    unclassified: list[Unclassified]
    corrections: dict[str, int]
