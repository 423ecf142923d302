"""A bank account, and a statement as it was imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from finance.bank_files import StatementLine


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """Without a branch the account is the chain's."""

    name: str
    bank: str
    number: str
    branch_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(NewAccount):
    """`number_key` is the number in one spelling; `last_day` is that of a closed account."""

    account_id: UUID
    number_key: str | None
    is_main: bool
    registered_by: str
    registered_at: datetime
    last_day: date | None
    closed_by: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A statement that is kept, of which `new_lines` of its `lines` were not known; `is_new` says if it itself was not."""

    statement_id: UUID
    account_id: UUID
    number: str
    format: str
    from_on: date
    to_on: date
    opening_fen: int
    closing_fen: int
    lines: int
    new_lines: int
    imported_by: str
    imported_at: datetime
    is_new: bool


class Known(NamedTuple):
    """A line that a statement told of, with the hash that names it for ever."""

    line: StatementLine
    line_hash: bytes


class End(NamedTuple):
    """Where all that is known of an account ends: its balance, its last line's day, and the last day told of."""

    fen: int
    line_on: date | None
    to_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """`also` are the statements of other accounts of ours in a file, `passed_over` the ends of numbers that are not ours."""

    statement: Imported
    also: Sequence[Imported]
    passed_over: Sequence[str]

    @property
    def is_new(self) -> bool:
        return any(each.is_new for each in (self.statement, *self.also))
