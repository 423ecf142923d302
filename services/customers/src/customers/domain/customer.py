"""What a customer may be, how its status may change, and how complete its record is.

Source: C7, C8, C11, C35; model 3.1
"""

from collections.abc import Collection
from typing import Any

from shared.errors import Conflict, NotFound

INSTITUTION_KINDS = ("pharmacy", "hospital", "wholesaler", "agent")
KINDS = ("patient", *INSTITUTION_KINDS)
STATUSES = (
    "lead",
    "applicant",
    "active",
    "suspended",
    "dormant",
    "blacklisted",
    "terminated",
    "anonymised",
)
SOURCE_CHANNELS = (
    "walk_in",
    "exhibition",
    "association",
    "web_search",
    "referral",
    "telephone",
    "import",
    "other",
)
FULL_BP = 10_000


class CustomerNotFound(NotFound):
    code = "customer_not_found"


class ContactNotFound(NotFound):
    code = "contact_not_found"


class CustomerAnonymised(Conflict):
    """The person asked to be forgotten; the record is a tombstone."""

    code = "customer_anonymised"


class NotAnInstitution(Conflict):
    code = "not_an_institution"


class NotAPatient(Conflict):
    code = "not_a_patient"


class NothingToApprove(Conflict):
    code = "nothing_to_approve"


def first_status(kind: str) -> str:
    """Patients may buy at once; an institution starts as a lead. Source: C35"""
    return "active" if kind == "patient" else "lead"


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


def completeness_bp(wanted: Collection[str], record: dict[str, Any]) -> int:
    """The share of the wanted fields that the record has, in basis points, rounded down. Source: C8"""
    if not wanted:
        return FULL_BP
    return FULL_BP * sum(bool(record.get(field)) for field in wanted) // len(wanted)
