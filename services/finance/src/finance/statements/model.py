"""A statement as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from finance.kernel.statement import Content, Kind, Span
from finance.statements.rules import StatementState


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`month` is the last of its span; `as_of` the number that each chain of the journal had reached."""

    statement_id: UUID
    kind: Kind
    span: Span
    month: date
    version: int
    state: StatementState
    as_of: Mapping[str, int]
    content: Content
    content_hash: str
    prepared_by: str
    prepared_at: datetime
