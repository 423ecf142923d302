"""What a customer is to every area: its kinds and states, who may read it, and the refusals all give.

Source: C7, C11; model 3.1
"""

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


class CustomerAnonymised(Conflict):
    """The person asked to be forgotten; the record is a tombstone."""

    code = "customer_anonymised"


class NotAnInstitution(Conflict):
    code = "not_an_institution"


class NotAPatient(Conflict):
    code = "not_a_patient"


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
