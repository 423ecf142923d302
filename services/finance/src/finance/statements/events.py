"""What is told of financial statements."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict

from finance.kernel.statement import Kind, Span
from shared.events import Event
from shared.texts import Count, Day, Id, Label, Many, Month, SumFen, Version, one_of

STATEMENT_PUBLISHED = "finance.statement.published.v1"
STATEMENT_RESTATED = "finance.statement.restated.v1"
Kinds = Annotated[str, one_of(Kind)]
Spans = Annotated[str, one_of(Span)]


class StatementPublished(TypedDict):
    """`month` and `last_month` are the first and the last of the span; the same for a month."""

    statement_id: Id
    kind: Kinds
    span: Spans
    month: Month
    last_month: Month
    version: Version
    leaf_lines: Count
    on_time: bool
    published_on: Day


class StatementError(TypedDict):
    line: Label
    reported_fen: SumFen
    correct_fen: SumFen
    material: bool


class StatementRestated(TypedDict):
    """`statement_id` and `version` are those of the statement that was wrong."""

    statement_id: Id
    kind: Kinds
    span: Spans
    month: Month
    last_month: Month
    version: Version
    errors: Annotated[list[StatementError], Many]


PUBLISHED: Final[Mapping[str, type]] = {
    STATEMENT_PUBLISHED: StatementPublished,
    STATEMENT_RESTATED: StatementRestated,
}


def statement_published(
    *,
    statement_id: str,
    kind: str,
    span: str,
    month: str,
    last_month: str,
    version: int,
    leaf_lines: int,
    on_time: bool,
    published_on: date,
) -> Event[StatementPublished]:
    """`month` and `last_month` are the first and the last of the span; the same for a month."""
    return Event(
        type=STATEMENT_PUBLISHED,
        subject=statement_id,
        version=1,
        day=published_on,
        data={
            "statement_id": statement_id,
            "kind": kind,
            "span": span,
            "month": month,
            "last_month": last_month,
            "version": version,
            "leaf_lines": leaf_lines,
            "on_time": on_time,
            "published_on": published_on.isoformat(),
        },
    )


def statement_restated(
    *,
    statement_id: str,
    kind: str,
    span: str,
    month: str,
    last_month: str,
    version: int,
    errors: Sequence[StatementError],
    day: date,
) -> Event[StatementRestated]:
    """`statement_id` and `version` are those of the statement that was wrong."""
    return Event(
        type=STATEMENT_RESTATED,
        subject=statement_id,
        version=2,
        day=day,
        data={
            "statement_id": statement_id,
            "kind": kind,
            "span": span,
            "month": month,
            "last_month": last_month,
            "version": version,
            "errors": list(errors),
        },
    )
