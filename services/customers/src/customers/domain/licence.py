"""A licence: who may write it, when it is valid, and which one of several counts.

Source: G2, G19, I34; model 3.1 Licence
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.errors import Conflict, Forbidden, Invalid, NotFound

LICENCE_STATES = ("submitted", "verified", "rejected", "expired", "superseded", "revoked")


class LicenceNotFound(NotFound):
    code = "licence_not_found"


class LicenceTypeUnknown(Invalid):
    code = "licence_type_unknown"


class LicenceDatesFaulty(Invalid):
    code = "licence_dates_faulty"


class LicenceAlreadyDecided(Conflict):
    code = "licence_already_decided"


class LicenceSamePerson(Forbidden):
    """Who submitted a licence may not verify it."""

    code = "licence_same_person"


class LicenceExpired(Conflict):
    """A licence that has already ended is not worth verifying."""

    code = "licence_ended"


class LicenceOverlaps(Conflict):
    """A second valid licence of one type must be the successor: beginning and ending later."""

    code = "licence_overlaps"


class RejectionNeedsReason(Invalid):
    code = "rejection_needs_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """`valid_until` is the last day, which ends at 24:00 Asia/Shanghai; None never ends."""

    id: UUID
    type: str
    state: str
    scope: tuple[str, ...]
    valid_from: date
    valid_until: date | None

    def covers(self, on: date) -> bool:
        """Whether it was verified and `on` lies within its validity, both ends included."""
        return (
            self.state == "verified"
            and self.valid_from <= on
            and (self.valid_until is None or on <= self.valid_until)
        )

    def has_ended(self, on: date) -> bool:
        return self.valid_until is not None and self.valid_until < on

    def is_successor_of(self, other: "Licence") -> bool:
        if self.valid_from <= other.valid_from:
            return False
        if self.valid_until is None:
            return True
        return other.valid_until is not None and self.valid_until >= other.valid_until


def check_verifiable(licence: Licence, others: Iterable[Licence], today: date) -> None:
    """Raises LicenceExpired, LicenceOverlaps (against verified licences of the same type)."""
    if licence.has_ended(today):
        raise LicenceExpired(f"the licence ended on {licence.valid_until}")
    for other in others:
        if other.id == licence.id or other.type != licence.type or other.state != "verified":
            continue
        overlap = not (
            (other.valid_until is not None and other.valid_until < licence.valid_from)
            or (licence.valid_until is not None and licence.valid_until < other.valid_from)
        )
        if overlap and not licence.is_successor_of(other):
            raise LicenceOverlaps(
                "a valid licence of this type exists; only a successor may overlap it",
                licence_id=str(other.id),
            )


def in_force(licences: Iterable[Licence], on: date) -> list[Licence]:
    """Of each type the one that counts on the day: the latest to begin, so that a successor takes over."""
    newest: dict[str, Licence] = {}
    for each in licences:
        if each.covers(on) and (each.type not in newest or each.valid_from > newest[each.type].valid_from):
            newest[each.type] = each
    return [newest[kind] for kind in sorted(newest)]


def documents_complete(mandatory: Sequence[Collection[str]], licences: Sequence[Licence]) -> bool:
    """Whether a document of each mandatory group waits for or has passed verification."""
    handed_in = {each.type for each in licences if each.state in {"submitted", "verified"}}
    return all(handed_in & set(group) for group in mandatory)
