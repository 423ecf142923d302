"""The vocabulary of categories: what a product is sold as, and what a paper permits, in every service the same codes.

Promised: a request that names another code is refused, with those that there are. A code that was renamed is still taken
and kept as it was sent, so that nothing that stands changes, and is read as the new one wherever it is compared.
What permits a category permits those below it. The rows are `categories.json`, each from a day on, with its source.
"""

from collections.abc import Collection
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.texts import Name


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`zh` and `en` are what people read; `parent` permits it, too."""

    code: Name
    zh: str
    en: str
    effective_from: date
    source: str
    mark: str
    parent: Name | None = None
    effective_until: date | None = None


class Renamed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Name
    means: Name


class _Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    categories: list[Category]
    formerly: list[Renamed]


@cache
def vocabulary() -> _Vocabulary:
    return msgspec.json.decode(files("shared").joinpath("categories.json").read_bytes(), type=_Vocabulary)


CATEGORIES: Final = {each.code: each for each in vocabulary().categories}
FORMERLY: Final = {each.code: each.means for each in vocabulary().formerly}
_TAKEN = (*CATEGORIES, *FORMERLY)
CategoryCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=rf"\A({'|'.join(_TAKEN)})\Z",
        description=f"a category: {', '.join(_TAKEN)}",
    ),
]


def meaning(code: str) -> str:
    """The code by which it is compared."""
    return FORMERLY.get(code, code)


def is_among(code: str, codes: Collection[str]) -> bool:
    """Whether one of the codes means the same."""
    return meaning(code) in map(meaning, codes)


def is_permitted(code: str, permitted: Collection[str]) -> bool:
    """Whether it, or what it is below, is permitted."""
    known = CATEGORIES.get(meaning(code))
    return is_among(code, permitted) or (
        known is not None and known.parent is not None and is_among(known.parent, permitted)
    )
