"""Kinds of financial statements and the spans they are made of."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

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
