"""JSON out of the customer master."""

from marshmallow import Schema, fields, validate

from customers.contacts import ContactView
from customers.kernel.customer import KINDS, STATUSES
from customers.kernel.fields import text_line
from shared.paging import PageArgs
from shared.shapes import SOMETIMES


class CustomerView(Schema):
    """Personal fields are masked; a tombstone has none."""

    customer_id = fields.UUID(required=True)
    code = fields.String(allow_none=True)
    kind = fields.String(required=True)
    branch_id = fields.String(required=True)
    status = fields.String(required=True, data_key="state")
    suspended_for = fields.String(allow_none=True)
    source_channel = fields.String(required=True)
    owner_id = fields.String(allow_none=True)
    customer_class = fields.String(required=True, data_key="class")
    grade = fields.String(required=True)
    risk = fields.String(required=True)
    region = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    id_number = fields.String(allow_none=True)
    birthday = fields.String(allow_none=True)
    legal_name = fields.String(allow_none=True)
    uscc = fields.String(allow_none=True)
    hospital = fields.Dict(allow_none=True)
    consent_refs = fields.List(fields.String(), required=True)
    last_verified_on = fields.Date(allow_none=True)
    completeness_bp = fields.Integer(required=True)
    registered_on = fields.Date(required=True)
    contacts = fields.List(
        fields.Nested(ContactView),
        metadata={**SOMETIMES, "description": "Of an institution that is asked for by itself."},
    )


class ContactsList(Schema):
    items = fields.List(fields.Nested(ContactView), required=True)


class CustomerListArgs(PageArgs):
    kind = fields.String(validate=validate.OneOf(KINDS))
    state = fields.String(validate=validate.OneOf(STATUSES))


class CustomerPage(Schema):
    items = fields.List(fields.Nested(CustomerView), required=True)
    next_cursor = fields.String(allow_none=True)


class LookupBody(Schema):
    phone = text_line(32, required=True)


class CustomerMatches(Schema):
    items = fields.List(fields.Nested(CustomerView), required=True)


class ChangeView(Schema):
    at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    fields_ = fields.List(fields.String(), required=True, data_key="fields", attribute="fields")


class ChangesView(Schema):
    items = fields.List(fields.Nested(ChangeView), required=True)
    next_cursor = fields.String(allow_none=True)
