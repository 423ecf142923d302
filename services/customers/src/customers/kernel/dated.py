"""Rows of data that count from a day on: the newest that has begun wins."""

import json
from datetime import date
from functools import cache
from importlib import resources
from typing import Any


@cache
def rows_of(area: str, name: str) -> Any:
    """What the file `name` in the folder `data` of `area` says, which is the name of a package."""
    return json.loads(resources.files(area).joinpath("data", name).read_text("utf-8"))


def row_in_force(rows: list[dict[str, Any]], on: date) -> dict[str, Any] | None:
    """The newest row that has begun on the day; None before the first."""
    begun = [row for row in rows if row["effective_from"] <= on.isoformat()]
    return max(begun, key=lambda row: row["effective_from"], default=None)
