"""An upload of rows of one type: NDJSON, CSV or a workbook, and one line of answer for each row, in order.

Each batch is one transaction; what was answered is committed. A row that cannot be read, or is refused, hurts no other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import orjson
from flask import current_app, request

from shared import workbook
from shared.errors import DomainError
from shared.faults import listed
from shared.languages import in_language, language_of_request
from shared.transaction import MakeTx, Tx
from shared.typed_rows import Form, Item, T
from shared.upload import chunks_of, received
from shared.workbook import XLSX

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
BATCH_ROWS_MAX: Final = 2_000

Answer = tuple[Mapping[str, Any], DomainError | None]
"""What is shown of a row that could be read, and why it was refused, if it was."""


def documented(what: str) -> dict[str, Any]:
    """The body of such an upload, as OpenAPI has it."""
    return {
        "required": True,
        "content": {
            NDJSON: {"schema": {"type": "string", "description": f"One {what} per line."}},
            CSV: {"schema": {"type": "string", "description": f"One {what} per row; see the area's card."}},
            XLSX: {"schema": {"type": "string", "format": "binary", "description": "The same table."}},
        },
    }


@contextmanager
def rows_sent(form: Form[T]) -> Iterator[Iterator[Item[T]]]:
    """The rows of the request's body. Raises what `shared.upload.received` and `shared.workbook.rows_of` raise."""
    with received({NDJSON, CSV, XLSX}) as file:
        if request.mimetype == XLSX:
            with workbook.rows_of(file) as rows:
                yield form.from_table(rows)
        else:
            parse = form.from_ndjson if request.mimetype == NDJSON else form.from_csv
            yield parse(chunks_of(file))


def results(
    make_tx: MakeTx,
    form: Form[T],
    items: Iterator[Item[T]],
    take: Callable[[Tx, Sequence[T]], Sequence[Answer]],
    also: Mapping[str, Any],
) -> Iterator[bytes]:
    """The lines of the answer. `take` answers the rows of one batch, in order; `also` stands in every line."""
    database = current_app.extensions["database"]
    language = language_of_request()
    while batch := list(islice(items, BATCH_ROWS_MAX)):
        with database.begin() as conn:
            tx = make_tx(conn)
            done = iter(take(tx, [each.told for each in batch if each.told is not None]))
        if tx.has_events:
            current_app.extensions["wakeup"].ring()
        for item in batch:
            told = _unread(form, item, language) if item.refusal is not None else _of(next(done), language)
            yield orjson.dumps(
                {"line": item.line, **also, **told}, default=str, option=orjson.OPT_APPEND_NEWLINE
            )


def _unread(form: Form[T], item: Item[T], language: str) -> dict[str, Any]:
    assert item.refusal is not None
    key = item.key and item.key.encode(errors="replace").decode()
    return {form.key: key, "state": "refused", **_why(item.refusal, language)}


def _of(answer: Answer, language: str) -> dict[str, Any]:
    shown, refusal = answer
    return dict(shown) if refusal is None else {**shown, **_why(refusal, language)}


def _why(refusal: DomainError, language: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "code": refusal.code,
        "detail": in_language(refusal.detail, language),
        **refusal.context,
    }
    return told | {"errors": listed(told["errors"], language)} if "errors" in told else told
