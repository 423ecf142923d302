"""Keyset paging: a page ends with a cursor, never an offset, so that depth costs nothing."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from marshmallow import Schema, fields, validate
from sqlalchemy import ColumnElement, Connection, Select, text

from shared.errors import Invalid
from shared.transaction import Tx

PAGE_ROWS_MAX = 200
PAGE_ROWS_DEFAULT = 50
CURSOR_BYTES_MAX = 512
JUDGED_ROWS_MAX = 200
"""How many rows a page looks at most that are judged after reading."""


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    cure = "Begin at the first page, without `cursor`, and go on with `next_cursor` of each answer."


CURSOR = [
    validate.Length(1, CURSOR_BYTES_MAX),
    validate.Regexp(r"\A[A-Za-z0-9_\-]+\Z", error="is not a cursor of ours"),
]


class PageArgs(Schema):
    """Query arguments of every list: `limit` rows, continuing after `cursor`."""

    limit = fields.Integer(
        load_default=PAGE_ROWS_DEFAULT, validate=validate.Range(1, PAGE_ROWS_MAX), metadata={"example": 50}
    )
    cursor = fields.String(load_default=None, allow_none=True, validate=CURSOR)


def page(rows: Iterable[Mapping[Any, Any]], limit: int, *keys: str) -> dict[str, Any]:
    """`rows`, read up to one beyond `limit`, as a list answers them: the one too many tells that there are more.

    `keys` name a row's sort keys, in the order in which `decode_cursor` gives them back.
    """
    found = [dict(row) for row in rows]
    items = found[:limit]
    more = len(found) > limit
    return {"items": items, "next_cursor": encode_cursor(*(items[-1][key] for key in keys)) if more else None}


def page_of_judged(
    read: Mapping[str, Any],
    judge: Callable[[Sequence[Mapping[str, Any]]], Iterable[Any | None]],
    limit: int,
    *keys: str,
) -> dict[str, Any]:
    """A page of those rows that pass, for a condition that no statement can hold.

    `read` is a page of JUDGED_ROWS_MAX rows; `judge` gives what to answer for each of its rows in turn, None for one
    that fails, and is asked no further than the page needs. The page may hold fewer than `limit`, even none, while
    there are more. `keys` name the sort keys of a row that was read.
    """
    passed: list[tuple[Mapping[str, Any], Any]] = []
    cursor = read["next_cursor"]
    for row, item in zip(read["items"], judge(read["items"]), strict=False):
        if item is None:
            continue
        if len(passed) == limit:
            cursor = encode_cursor(*(passed[-1][0][key] for key in keys))
            break
        passed.append((row, item))
    return {"items": [item for _, item in passed], "next_cursor": cursor}


def newest_first(
    tx: Tx,
    query: Select[Any],
    key: ColumnElement[UUID],
    args: Mapping[str, Any],
    branch: ColumnElement[str] | None = None,
) -> dict[str, Any]:
    """One page of `query` by its column `id`, which is `key`, descending: ids are time-ordered.

    With `branch` only rows of the branch that `args` name, which the token must cover, else of the token's branches.
    Raises CursorInvalid, ForeignBranch.
    """
    (before,) = decode_cursor(args["cursor"], UUID)
    if before is not None:
        query = query.where(key < before)
    branches = None if branch is None else tx.actor.branch_filter(args.get("branch_id"))
    if branch is not None and branches is not None:
        query = query.where(branch.in_(branches))
    found = tx.conn.execute(query.order_by(key.desc()).limit(args["limit"] + 1))
    return page(found.mappings(), args["limit"], "id")


_SQL_KIND = {UUID: "uuid", date: "date", int: "bigint", str: "text"}
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


def page_of(
    conn: Connection,
    select: str,
    where: Mapping[str, Any],
    keys: Mapping[str, type],
    args: Mapping[str, Any],
    *,
    fixed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One page of what `select` (SQL up to its `where`) finds, in the order of `keys`, after the cursor of `args`.

    `where` maps a condition with one parameter to the value asked for; a condition whose value is None is left out,
    so that each question has a plan of its own. `keys` maps a column to the kind of its values; together they are
    unique. `fixed` are parameters of `select` itself. Raises CursorInvalid.
    """
    conditions: list[str] = ["true"]
    values: dict[str, Any] = {**(fixed or {}), "limit": args["limit"] + 1}
    for condition, value in where.items():
        if value is not None:
            conditions.append(condition)
            values |= dict.fromkeys(_PARAMETER.findall(condition), value)
    columns = ", ".join(keys)
    if args["cursor"] is not None:
        after = decode_cursor(args["cursor"], *keys.values())
        values |= {f"after_{no}": key for no, key in enumerate(after)}
        bounds = (f"cast(:after_{no} as {_SQL_KIND[kind]})" for no, kind in enumerate(keys.values()))
        conditions.append(f"({columns}) > ({', '.join(bounds)})")
    found = conn.execute(
        text(f"{select} where {' and '.join(conditions)} order by {columns} limit :limit"), values
    )
    return page(found.mappings(), args["limit"], *(column.rpartition(".")[2] for column in keys))


def page_of_ranks(
    read: Callable[[str, Mapping[str, Any]], Sequence[Mapping[str, Any]]],
    ranks: Sequence[str],
    args: Mapping[str, Any],
    key: str,
    kind: type,
) -> dict[str, Any]:
    """One page over lists that follow one another, the best first, each in the order of `key`, whose values are of a kind.

    `read` gives the rows of one of them, `limit` at most, after `cursor`. Raises CursorInvalid.
    """
    limit = args["limit"]
    begun, after = decode_cursor(args["cursor"], int, kind)
    found: list[tuple[int, Mapping[str, Any]]] = []
    for no, rank in enumerate(ranks):
        if no < (begun or 0) or len(found) > limit:
            continue
        cursor = encode_cursor(after) if no == begun else None
        found += [(no, row) for row in read(rank, {"limit": limit + 1 - len(found), "cursor": cursor})]
    shown = found[:limit]
    next_cursor = encode_cursor(shown[-1][0], shown[-1][1][key]) if len(found) > limit else None
    return {"items": [row for _, row in shown], "next_cursor": next_cursor}


def encode_cursor(*keys: Any) -> str:
    """The sort keys of the last row of a page, as an opaque token."""
    return base64.urlsafe_b64encode(orjson.dumps(keys, default=str)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> Sequence[Any]:
    """The keys back, each of the given kind (int, str, date or UUID); None for each on the first page.

    Raises CursorInvalid.
    """
    if cursor is None:
        return [None] * len(kinds)
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_key(key, kind) for key, kind in zip(keys, kinds, strict=True)]
    except (ValueError, TypeError) as error:
        raise CursorInvalid("the cursor is not one of ours") from error


def _key(key: Any, kind: type) -> Any:
    if type(key) is not (int if kind is int else str):
        raise TypeError("JSON holds dates and ids as text")
    return date.fromisoformat(str(key)) if kind is date else kind(key)
