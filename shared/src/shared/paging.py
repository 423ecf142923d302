"""Keyset paging: a page ends with a cursor, never an offset, so that depth costs nothing."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import orjson
from marshmallow import Schema, fields, validate

from shared.errors import Invalid

PAGE_ROWS_MAX = 200
PAGE_ROWS_DEFAULT = 50
CURSOR_BYTES_MAX = 512


class CursorInvalid(Invalid):
    code = "cursor_invalid"


class PageArgs(Schema):
    """Query arguments of every list: `limit` rows, continuing after `cursor`."""

    limit = fields.Integer(
        load_default=PAGE_ROWS_DEFAULT, validate=validate.Range(1, PAGE_ROWS_MAX), metadata={"example": 50}
    )
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, CURSOR_BYTES_MAX))


def encode_cursor(*keys: Any) -> str:
    """The sort keys of the last row of a page, as an opaque token."""
    return base64.urlsafe_b64encode(orjson.dumps(keys, default=str)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> Sequence[Any] | None:
    """The keys back, each of the given kind (int or str). Raises CursorInvalid."""
    if cursor is None:
        return None
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid("the cursor is not one of ours") from error
    if (
        not isinstance(keys, list)
        or len(keys) != len(kinds)
        or any(type(key) is not kind for key, kind in zip(keys, kinds, strict=True))
    ):
        raise CursorInvalid("the cursor is not one of ours")
    return keys
