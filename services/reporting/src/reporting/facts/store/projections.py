"""Events become fact rows: set-based, in any order, each exactly once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from psycopg import Cursor, sql

from reporting.facts.rules.subscriptions import KNOWN, Rows
from reporting.facts.rules.subscriptions.readers import (
    FIRST_YEAR,
    LAST_YEAR,
    NULL,
    NUMBER_MAX,
    EventMalformed,
    Object,
    Reader,
    copy_text,
)
from reporting.facts.tables import FACT_TABLES
from shared.clock import next_month
from shared.event_types import UnknownType
from shared.events import Envelope
from shared.texts import LINES_MAX

FactRows = dict[str, list[str]]
"""COPY text rows per table."""

_KEY_COLUMNS = ("source", "seq", "line", "day", "type", "branch_id")
COLUMNS: Final = {table.name: tuple(column.name for column in table.columns) for table in FACT_TABLES}


_Writer = Callable[[Envelope, FactRows], None]


def rows_of(envelopes: Iterable[Envelope]) -> FactRows:
    """The rows of each table, as COPY text. Raises EventMalformed and UnknownType, naming the event."""
    out: FactRows = {name: [] for name in COLUMNS}
    for envelope in envelopes:
        writer = _WRITERS.get(envelope.type)
        if writer is None:
            raise UnknownType(f"{envelope.source}/{envelope.seq}: reporting does not know {envelope.type}")
        try:
            writer(envelope, out)
        except EventMalformed as fault:
            raise EventMalformed(
                f"{envelope.source}/{envelope.seq} {envelope.type}: {fault.detail}"
            ) from None
    return out


def _prefix(envelope: Envelope) -> tuple[str, str]:
    """The key columns as text, before and after `line`."""
    booked = envelope.day
    if not FIRST_YEAR <= booked.year <= LAST_YEAR:
        raise EventMalformed(f"day {booked} is not between {FIRST_YEAR} and {LAST_YEAR}")
    if not -NUMBER_MAX <= envelope.amount_fen <= NUMBER_MAX:
        raise EventMalformed("amount_fen is out of range")
    branch = envelope.data.get("branch_id")
    branch_text = NULL if branch is None else copy_text(branch, "branch_id")
    return (
        f"{envelope.source}\t{envelope.seq}",
        f"{booked.isoformat()}\t{envelope.type}\t{branch_text}",
    )


def _writer(event_type: str) -> _Writer:
    """A function that appends the rows of one event of this type."""
    known = KNOWN[event_type]
    parts = [_part(rows) for rows in known.rows]
    check = known.check

    def write(envelope: Envelope, out: FactRows) -> None:
        before, after = _prefix(envelope)
        for part in parts:
            part(envelope, before, after, out)
        if check is not None:
            check(envelope)

    return write


def _part(rows: Rows) -> Callable[[Envelope, str, str, FactRows], None]:
    table = rows.table
    columns = [name for name in COLUMNS[table] if name not in _KEY_COLUMNS]
    has_line = "line" in COLUMNS[table]
    cells = [_cell(rows, name) for name in columns]
    # Most rows are read from one object alone: no need to ask each cell for more.
    plain = _all_of(columns, rows.columns if rows.each is None else rows.each_columns)
    each = rows.each

    def one(envelope: Envelope, before: str, after: str, out: FactRows) -> None:
        data = envelope.data
        values = (
            [read(data) for read in plain] if plain else [cell(envelope, data, data, 0) for cell in cells]
        )
        keys = f"{before}\t0\t{after}" if has_line else f"{before}\t{after}"
        out[table].append("\t".join([keys, *values]))

    allowed = rows.may_be_empty or rows.may_be_none
    empty: list[None] = [None] if rows.may_be_empty else []

    def many(envelope: Envelope, before: str, after: str, out: FactRows) -> None:
        data = envelope.data
        elements = data.get(each)  # type: ignore[arg-type]
        if type(elements) is not list or len(elements) > LINES_MAX or not (elements or allowed):
            raise EventMalformed(f"{each} is not a list of at most {LINES_MAX} elements")
        target = out[table]
        for line, element in enumerate(elements or empty):
            if type(element) is not dict and elements:
                raise EventMalformed(f"{each}.{line} is not an object")
            values = (
                [read(element) for read in plain]
                if plain and elements
                else [cell(envelope, data, element, line) for cell in cells]
            )
            target.append("\t".join([f"{before}\t{line}\t{after}", *values]))

    return one if each is None else many


def _all_of(columns: Sequence[str], readers: Mapping[str, Reader]) -> list[Reader]:
    """The readers of all columns, or none when a column is filled otherwise."""
    return [readers[name] for name in columns] if all(name in readers for name in columns) else []


_Cell = Callable[[Envelope, Object, Any, int], str]


def _cell(rows: Rows, column: str) -> _Cell:
    """How one column is filled from (envelope, data, element, line)."""
    if column == "amount_fen" and rows.amount:
        return lambda envelope, _data, _element, line: "0" if line else str(envelope.amount_fen)
    if column == "subject":
        return lambda envelope, _data, _element, _line: copy_text(envelope.subject, "subject")
    if column in rows.each_columns:
        read: Reader = rows.each_columns[column]
        return lambda _envelope, _data, element, _line: NULL if element is None else read(element)
    if column in rows.columns:
        read_data: Reader = rows.columns[column]
        return lambda _envelope, data, _element, _line: read_data(data)
    return lambda *_: NULL


_WRITERS: Final = {event_type: _writer(event_type) for event_type in KNOWN}


def write_rows(cursor: Cursor[Any], schema: str, rows: FactRows) -> None:
    """COPY the rows into the tables of `schema`. A row stored before is a unique violation."""
    for table, lines in rows.items():
        if lines:
            with cursor.copy(_COPY_TEMPLATES[table].format(sql.Identifier(schema))) as copy:
                copy.write(("\n".join(lines) + "\n").encode())


_COPY_TEMPLATES: Final = {
    table: sql.SQL("copy {}." + table + " (" + ", ".join(columns) + ") from stdin")
    for table, columns in COLUMNS.items()
}


def partition_of(table: str, month: date) -> str:
    return f"{table}_y{month:%Y}m{month:%m}"


def ensure_partitions(cursor: Cursor[Any], schema: str, months: Sequence[date]) -> None:
    """Make the partitions of `months` that are missing from the tables a rebuild fills, in the caller's transaction.

    Those of the live tables are made by shared.partitions. A partition is made beside its table and attached, which blocks neither readers nor writers.
    """
    last = FACT_TABLES[-1].name
    missing = [month for month in months if not _exists(cursor, schema, partition_of(last, month))]
    if not missing:
        return
    # One maker at a time. Locking a table, unlike an advisory lock, also makes this connection see the tables that
    # the one before has made.
    cursor.execute(
        sql.SQL("lock table {} in share update exclusive mode").format(sql.Identifier(schema, last))
    )
    for month in missing:
        if _exists(cursor, schema, partition_of(last, month)):
            continue
        for table in FACT_TABLES:
            parent = sql.Identifier(schema, table.name)
            partition = sql.Identifier(schema, partition_of(table.name, month))
            cursor.execute(
                sql.SQL(
                    "create table {partition} (like {parent} including all);"
                    " alter table {parent} attach partition {partition} for values from ({first}) to ({after})"
                ).format(
                    partition=partition,
                    parent=parent,
                    first=sql.Literal(month.isoformat()),
                    after=sql.Literal(next_month(month).isoformat()),
                )
            )


def _exists(cursor: Cursor[Any], schema: str, table: str) -> bool:
    cursor.execute("select to_regclass(%s) is not null", (f"{schema}.{table}",))
    row = cursor.fetchone()
    assert row is not None
    return bool(row[0])
