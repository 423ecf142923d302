"""The tree of return reasons: a dotted code; its first word decides what is accepted."""

from functools import cache
from typing import Any

from returns.kernel.dated import rows_of


@cache
def tree() -> tuple[dict[str, Any], ...]:
    return tuple(rows_of("returns.kernel", "reasons.json"))


@cache
def codes() -> tuple[str, ...]:
    """Every code a notice may carry, roots included."""
    return tuple(
        code for root in tree() for code in (root["code"], *(child["code"] for child in root["children"]))
    )


def root_of(code: str) -> str:
    return code.partition(".")[0]
