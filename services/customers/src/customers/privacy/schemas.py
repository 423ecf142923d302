"""JSON in and out of disclosures and erasure."""

from collections.abc import Sequence

from marshmallow import Schema, fields, validate

from customers.kernel.fields import ChannelView
from customers.kernel.personal import CONTACT_FIELDS, PERSONAL_FIELDS
from customers.privacy.rules import PURPOSES
from shared.shapes import SOMETIMES


def _some_of(names: Sequence[str]) -> fields.List[str]:
    return fields.List(
        fields.String(validate=validate.OneOf(names)),
        required=True,
        validate=validate.Length(1, len(names)),
        data_key="fields",
        attribute="fields",
    )


class DisclosureBody(Schema):
    purpose = fields.String(required=True, validate=validate.OneOf(sorted(PURPOSES)))
    fields_ = _some_of(PERSONAL_FIELDS)


class PersonalView(Schema):
    """What was asked for."""

    name = fields.String(allow_none=True, metadata=SOMETIMES)
    phone = fields.String(allow_none=True, metadata=SOMETIMES)
    id_number = fields.String(allow_none=True, metadata=SOMETIMES)
    birthday = fields.String(allow_none=True, metadata=SOMETIMES)


class DisclosureView(Schema):
    customer_id = fields.UUID(required=True)
    purpose = fields.String(required=True)
    personal = fields.Nested(PersonalView, required=True)


class ContactDisclosureBody(Schema):
    purpose = fields.String(required=True, validate=validate.OneOf(sorted(PURPOSES)))
    fields_ = _some_of(CONTACT_FIELDS)


class ContactPersonalView(Schema):
    """What was asked for."""

    name = fields.String(allow_none=True, metadata=SOMETIMES)
    title = fields.String(allow_none=True, metadata=SOMETIMES)
    employer = fields.String(allow_none=True, metadata=SOMETIMES)
    channels = fields.List(fields.Nested(ChannelView), metadata=SOMETIMES)


class ContactDisclosureView(Schema):
    customer_id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    purpose = fields.String(required=True)
    personal = fields.Nested(ContactPersonalView, required=True)


class ContactAnonymisedView(Schema):
    customer_id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    status = fields.String(required=True, data_key="state")


class AnonymisedView(Schema):
    customer_id = fields.UUID(required=True)
    status = fields.String(required=True, data_key="state")
