"""A mode of the check, as it is proposed and decided."""

from datetime import date
from typing import NamedTuple
from uuid import UUID


class Setting(NamedTuple):
    """`mode` is to hold from `effective_from` on."""

    setting_id: UUID
    mode: str
    effective_from: date
    reason: str
    state: str
    subject_hash: str
    proposed_by: str
