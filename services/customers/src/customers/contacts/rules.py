"""What may be wrong with a contact."""

from shared.errors import NotFound


class ContactNotFound(NotFound):
    code = "contact_not_found"
    cure = "Look the contact up in the list of the customer's contacts."
