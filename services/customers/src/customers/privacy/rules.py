"""Why unmasked data may be read, and by whom. Source: C2, C4"""

from shared.errors import Conflict, Forbidden

PURPOSES: dict[str, frozenset[str]] = {
    "service": frozenset({"cs_agent", "cs_manager", "pharmacist"}),
    "complaint": frozenset({"cs_agent", "cs_manager", "qa"}),
    "recall": frozenset({"qa", "pharmacist", "cs_manager"}),
    "privacy_request": frozenset({"privacy_officer"}),
}
"""Why unmasked data may be read, and by which roles for that purpose."""


class PurposeNotAdmitted(Forbidden):
    code = "purpose_not_admitted"
    cure = "Name a purpose that your role may have, or let somebody ask whose role has it."


class ContactAnonymised(Conflict):
    code = "contact_anonymised"
    cure = "Add the person anew as a contact if there is a reason to; what was anonymised does not come back."
