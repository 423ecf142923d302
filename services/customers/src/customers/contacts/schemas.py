"""JSON in and out of contacts."""

from marshmallow import Schema, fields, validate

from customers.kernel.fields import ChannelView, references, text_line
from shared.shapes import SOMETIMES


class ChannelBody(Schema):
    kind = fields.String(
        required=True, validate=validate.OneOf(("phone", "sms", "email", "wechat", "letter"))
    )
    value = text_line(200, required=True)


class ContactBody(Schema):
    name = text_line(100, required=True)
    title = text_line(100)
    employer = text_line(200)
    channels = fields.List(fields.Nested(ChannelBody), required=True, validate=validate.Length(1, 10))
    hcp = fields.Boolean(
        load_default=False, metadata={"description": "A doctor or pharmacist: no offers, ever."}
    )
    consent_refs = references()


class ContactView(Schema):
    """One that was anonymised has no personal fields."""

    contact_id = fields.UUID(required=True)
    name = fields.String(allow_none=True, metadata=SOMETIMES)
    title = fields.String(allow_none=True, metadata=SOMETIMES)
    employer = fields.String(allow_none=True, metadata=SOMETIMES)
    channels = fields.List(fields.Nested(ChannelView), metadata=SOMETIMES)
    hcp = fields.Boolean()
    consent_refs = fields.List(fields.String())
    verified_on = fields.Date(allow_none=True)
