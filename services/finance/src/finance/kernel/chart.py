"""The chart of accounts of both Chinese standards, as data: meanings are ours, codes are the standard's.

Postings name meanings (`revenue`), never codes; the book's standard gives the code (5001 or 6001).
Source: F1, F17, regulations 3.0c
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from finance.kernel import dated


class Standard(StrEnum):
    SMALL = "small"
    CAS = "cas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`type` is asset, liability, equity, income or expense; a `contra` account lowers its statement line."""

    meaning: str
    code: str
    zh: str
    en: str
    type: str
    leaf: bool
    contra: bool
    statement_line: str | None


class Chart:
    """The accounts of one standard. `code(meaning)` raises KeyError for what the standard does not know."""

    def __init__(self, standard: Standard) -> None:
        self.standard = standard
        rows = dated.read("chart_of_accounts")["accounts"]
        self.accounts = [
            Account(
                meaning=row["meaning"],
                code=row[standard.value],
                zh=row["zh"],
                en=row["en"],
                type=row["type"],
                leaf=row["leaf"],
                contra=row["contra"],
                statement_line=row["statement_line"],
            )
            for row in rows
            if row[standard.value] is not None
        ]
        self.by_code = {each.code: each for each in self.accounts}
        self._codes = {each.meaning: each.code for each in self.accounts if each.leaf}

    def code(self, meaning: str) -> str:
        return self._codes[meaning]

    @property
    def meanings(self) -> Collection[str]:
        """Those that can be posted to under this standard."""
        return self._codes.keys()


@cache
def chart_of(standard: Standard) -> Chart:
    return Chart(standard)
