"""Dialects, and what a file would be read as by one."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from finance.bank_files.rules import dialects, layouts, reading
from finance.bank_files.rules.dialects import Layout
from finance.bank_files.rules.formats import LINES_MAX, Statement
from finance.bank_files.rules.reading import Upload
from finance.kernel.company import require_company
from shared.faults import ERRORS_SHOWN_MAX
from shared.languages import Text, in_language, language_of_request
from shared.transaction import Tx

LINES_SHOWN_MAX = 200
_NO_DEFINITION = ("effective_from", "source", "mark", "dialect")


def layout(conn: Connection, name: str) -> Layout:
    """The dialect of this name as it is now. Raises DialectUnknown."""
    if name in dialects.delivered():
        return dialects.layout_of(dialects.delivered()[name])
    row = conn.execute(
        text("select definition from bank_dialects where dialect = :name order by version desc limit 1"),
        {"name": name},
    ).one_or_none()
    if row is None:
        raise dialects.DialectUnknown(Text("there is no dialect {dialect}", dialect=name))
    return dialects.layout_of({**row.definition, "dialect": name})


def listed(conn: Connection, name: str | None = None) -> list[dict[str, Any]]:
    """The newest version of every dialect; of one dialect all of its versions, the newest first."""
    found = [
        {
            "dialect": each,
            "version": 0,
            "definition": {key: value for key, value in row.items() if key not in _NO_DEFINITION},
            "kept_by": None,
            "kept_at": None,
        }
        for each, row in dialects.delivered().items()
        if name in (None, each)
    ]
    rows = conn.execute(
        text(
            "select * from bank_dialects where dialect = :name order by version desc limit 1000"
            if name
            else "select distinct on (dialect) * from bank_dialects order by dialect, version desc limit 1000"
        ),
        {"name": name} if name else {},
    ).mappings()
    return [*found, *(dict(row) for row in rows)]


def tried(tx: Tx, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a file would be read as; nothing is stored. For those who may keep one.

    Raises CompanyNotCovered, StatementUnreadable, DialectUnknown.
    """
    require_company(tx.actor)
    defined = body["definition"]
    known = dialects.layout_of(defined) if defined else layout(tx.conn, body["dialect"])
    found = layouts.tried(body["file"], known)
    days = [line.booked_on for line in found.lines]
    shown = list(zip(found.rows, found.lines, strict=True))[:LINES_SHOWN_MAX]
    language = language_of_request()
    return {
        "headings_row": found.headings_row,
        "columns": found.columns,
        "count": len(found.lines),
        "sum_fen": sum(line.fen for line in found.lines),
        "first": min(days, default=None),
        "until": max(days, default=None),
        "lines": [
            {
                "row": no,
                **{
                    key: getattr(line, key)
                    for key in ("booked_on", "valued_on", "fen", "reference", "summary", "clearing")
                },
            }
            for no, line in shown
        ],
        "passed_over": list(found.passed_over)[:LINES_MAX],
        "faults": [
            {
                "row": each.row,
                "column": each.column,
                "value": each.value,
                "code": each.code,
                "message": in_language(each.message, language),
            }
            for each in found.faults[:ERRORS_SHOWN_MAX]
        ],
        "fault_count": len(found.faults),
    }


def statements_of(conn: Connection, upload: Upload) -> list[Statement]:
    """The statements of a file, one per account, a table read by its dialect. Raises StatementUnreadable, DialectUnknown."""
    is_table = upload.format in reading.TABLES and upload.dialect is not None
    return reading.read(upload, layout(conn, upload.dialect or "") if is_table else None)
