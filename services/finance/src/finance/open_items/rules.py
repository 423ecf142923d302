"""Open items: to be written, and as they stand."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from shared.errors import NotFound


class ReceivableUnknown(NotFound):
    code = "receivable_unknown"
    cure = "Look it up in the list of open items."


class NewItem(Struct, frozen=True, kw_only=True):
    """An item to be written with an entry; `fen` above 0 is a debt."""

    fen: int
    due_on: date
    kind: str
    principal_id: UUID | None = None
    customer_id: str | None = None
    """Whose it is, where the entry is about several customers."""


class Item(Struct, frozen=True, kw_only=True):
    """An item as it stands, its row locked."""

    item_id: UUID
    customer_id: UUID
    branch_id: str
    kind: str
    source_id: UUID
    booked_on: date
    due_on: date
    amount_fen: int
    open_fen: int
    written_off_fen: int
    is_disputed: bool
    version: int


class Opened(Struct, frozen=True, kw_only=True):
    """An item as it was written, to be told; `version` is that of the fact."""

    item_id: UUID
    customer_id: UUID
    branch_id: str
    kind: str
    source_id: UUID
    booked_on: date
    due_on: date
    amount_fen: int
    version: int
