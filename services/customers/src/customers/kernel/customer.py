"""What a customer is to every area: its kinds and states, who may read it, and the refusals all give.

Source: C7, C11; model 3.1
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

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


class CustomerNotFound(NotFound):
    code = "customer_not_found"
    cure = "Look the customer up by code, phone or in the list."


class CustomerAnonymised(Conflict):
    """The person asked to be forgotten; the record is a tombstone."""

    code = "customer_anonymised"
    cure = "Register the customer anew if there is a reason to; what was anonymised does not come back."


class NotAnInstitution(Conflict):
    code = "not_an_institution"
    cure = "Ask for it of an institution; a patient needs no admission."


class NotAPatient(Conflict):
    code = "not_a_patient"
    cure = "Ask for it of a patient; an institution's people are its contacts."


CUSTOMER_READERS = (
    "cs_agent",
    "cs_manager",
    "salesperson",
    "store_manager",
    "pharmacist",
    "qa",
    "business_head",
    "privacy_officer",
    "finance_head",
    "accountant",
    "management",
    "till",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    """The row of a customer who is registered; what is null does not apply to its kind, or is not known."""

    id: UUID
    code: str | None
    kind: str
    branch_id: str
    status: str
    source_channel: str
    owner_id: str | None
    customer_class: str
    consent_refs: list[str]
    last_verified_on: date
    registered_on: date
    registered_by: str
    registered_at: datetime
    completeness_bp: int = 0
    personal: bytes | None = None
    """Of a patient, sealed."""
    phone_index: bytes | None = None
    content_mac: bytes | None = None
    """Tells whether a repeated code comes with the same content."""
    legal_name: str | None = None
    uscc: str | None = None
    region: str | None = None
    profile: object = None
    """Of a hospital, as JSON."""
