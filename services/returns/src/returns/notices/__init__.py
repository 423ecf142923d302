"""The return notice: its lines, its states and its history."""

from returns.notices import tables
from returns.notices.commands import finish
from returns.notices.model import Line, Notice
from returns.notices.queries import in_state, page_of, read
from returns.notices.reactions import handle
from returns.notices.store import add, add_history, lock
from returns.notices.tables import HISTORY_CHAIN
from shared.areas import Area

AREA = Area(tables=tables, reactions=[handle])

__all__ = [
    "AREA",
    "HISTORY_CHAIN",
    "Line",
    "Notice",
    "add",
    "add_history",
    "finish",
    "in_state",
    "lock",
    "page_of",
    "read",
]
