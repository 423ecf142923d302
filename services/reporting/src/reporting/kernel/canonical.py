"""JSON that is always the same text for the same content, and its hash."""

import hashlib
from typing import Any

import orjson


def hash_of(content: Any) -> str:
    """SHA-256 of the canonical JSON (keys sorted): the same content always has the same hash."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def json_of(value: Any) -> str:
    return orjson.dumps(value).decode()
