"""Licences, the permission to buy that follows from them, and the status they lead to: pure.

A licence says who wrote it, when it is valid, and which one of several counts. A permission is a value that others
keep: its version grows with every change, and `valid_until` lets them refuse at 24:00 Asia/Shanghai without hearing
from us first. Source: G2, G19, I34; model 3.1 Licence, invariant 2
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from uuid import UUID

from customers.kernel.dated import row_in_force, rows_of
from shared.categories import is_permitted
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.languages import Text


@cache
def licence_types() -> dict[str, str]:
    """Licence type → its name on the document."""
    return {row["type"]: row["name"] for row in rows_of("customers.licences", "licences.json")["types"]}


@cache
def mandatory_licences(kind: str, on: date) -> tuple[frozenset[str], ...]:
    """Groups of licence types: a customer of `kind` needs one licence of each group. Empty for patients."""
    rows = [row for row in rows_of("customers.licences", "licences.json")["mandatory"] if row["kind"] == kind]
    row = row_in_force(rows, on)
    return tuple(frozenset(group) for group in row["one_of_each"]) if row else ()


class NothingToApprove(Conflict):
    code = "nothing_to_approve"
    cure = "Read the customer again; its state says what it awaits."


def status_with_documents(status: str, *, complete: bool) -> str:
    """Lead → applicant once a document of every mandatory group has been submitted. Source: C28"""
    return "applicant" if status == "lead" and complete else status


def settled_status(
    status: str, suspended_for: str | None, *, approved: bool, licences_valid: bool
) -> tuple[str, str | None]:
    """The status that the approvals and today's licences lead to, and what it is suspended for.

    applicant → active when approved by all and every mandatory licence is valid; active → suspended{licence}
    when one is not; suspended{licence} → active when all are again. Every other status stays. Source: G2, C28
    """
    if status == "applicant" and approved and licences_valid:
        return "active", None
    if status == "active" and not licences_valid:
        return "suspended", "licence"
    if status == "suspended" and suspended_for == "licence" and licences_valid:
        return "active", None
    return status, suspended_for


LICENCE_STATES = ("submitted", "verified", "rejected", "expired", "superseded", "revoked")


class LicenceNotFound(NotFound):
    code = "licence_not_found"
    cure = "Look the licence up in the list of the customer's licences."


class LicenceTypeUnknown(Invalid):
    code = "licence_type_unknown"
    cure = "Use one of the types that the document lists."


class LicenceDatesFaulty(Invalid):
    code = "licence_dates_faulty"
    cure = "Check both days against the paper."


class LicenceAlreadyDecided(Conflict):
    code = "licence_already_decided"
    cure = "Submit the paper again as a new licence if it is to be judged anew."


class LicenceSamePerson(Forbidden):
    """Who submitted a licence may not verify it."""

    code = "licence_same_person"
    cure = "Let another person verify it."


class LicenceExpired(Conflict):
    """A licence that has already ended is not worth verifying."""

    code = "licence_ended"
    cure = "Submit a licence that is still valid."


class LicenceOverlaps(Conflict):
    """A second valid licence of one type must be the successor: beginning and ending later."""

    code = "licence_overlaps"
    cure = "Name the licence that this one follows as its predecessor, or submit it when the other has ended."


class RejectionNeedsReason(Invalid):
    code = "rejection_needs_reason"
    cure = "Send the rejection with `reason`."


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
        raise LicenceExpired(Text("the licence ended on {valid_until}", valid_until=licence.valid_until))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """`categories` are the product categories in scope; `reasons` say why not; `valid_until` is the last day on
    which the same holds (None: no end known).
    """

    allowed: bool
    categories: tuple[str, ...]
    reasons: tuple[str, ...]
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the permission of an institution depends on beside the day."""

    status: str
    suspended_for: str | None
    mandatory: Sequence[Collection[str]]
    licences: Sequence[Licence]

    @property
    def is_admitted(self) -> bool:
        """Suspension for a licence is not a status of its own here: the licences themselves decide for the day."""
        return self.status == "active" or (self.status == "suspended" and self.suspended_for == "licence")


def licence_reasons(standing: Standing, on: date) -> tuple[str, ...]:
    """Which mandatory groups have no valid licence on the day: `licence_expired:…` or `licence_missing:…`."""
    valid = {each.type for each in in_force(standing.licences, on)}
    reasons = []
    for group in standing.mandatory:
        if valid & set(group):
            continue
        ended = any(
            each.type in group and each.has_ended(on) and each.state in {"verified", "expired"}
            for each in standing.licences
        )
        reasons.append(f"{'licence_expired' if ended else 'licence_missing'}:{'|'.join(sorted(group))}")
    return tuple(reasons)


def _on(standing: Standing, on: date) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
    reasons = licence_reasons(standing, on)
    if not standing.is_admitted:
        reasons = (f"status_{standing.status}", *reasons)
    if reasons:
        return False, (), reasons
    categories = {category for each in in_force(standing.licences, on) for category in each.scope}
    return True, tuple(sorted(categories)), ()


def _change_days(licences: Sequence[Licence], after: date) -> list[date]:
    days = set()
    for each in licences:
        if each.state == "verified":
            days.add(each.valid_from)
            if each.valid_until is not None and each.valid_until < date.max:
                days.add(each.valid_until + timedelta(days=1))
    return sorted(day for day in days if day > after)


def changes_on(standing: Standing, on: date) -> date | None:
    """The next day after `on` when a licence begins or has ended: when to look again."""
    return next(iter(_change_days(standing.licences, on)), None)


def permission_on(standing: Standing, on: date) -> Permission:
    """The permission of an institution on a day."""
    now = _on(standing, on)
    until = None
    if now[0]:
        for day in _change_days(standing.licences, on):
            if _on(standing, day)[:2] != now[:2]:
                until = day - timedelta(days=1)
                break
    return Permission(allowed=now[0], categories=now[1], reasons=now[2], valid_until=until)


def for_categories(permission: Permission, wanted: Collection[str]) -> Permission:
    """The answer for an order of these categories: each must be in scope."""
    if not permission.allowed:
        return permission
    outside = sorted(each for each in set(wanted) if not is_permitted(each, permission.categories))
    if not outside:
        return permission
    return Permission(
        allowed=False,
        categories=permission.categories,
        reasons=tuple(f"category_not_in_scope:{each}" for each in outside),
        valid_until=permission.valid_until,
    )
