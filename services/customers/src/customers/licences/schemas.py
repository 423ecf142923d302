"""JSON in and out of licences, approvals and permissions."""

from marshmallow import Schema, fields, validate

from customers.kernel.fields import CATEGORY, text_line
from customers.licences.rules import LICENCE_STATES
from shared import words
from shared.paging import PageArgs
from shared.texts import Sha256
from shared.validators import DAY, LONG_AGO, of


class LicenceBody(Schema):
    type = text_line(60, required=True)
    number = text_line(60, required=True)
    issuer = text_line(120, required=True)
    scope = fields.List(
        fields.String(validate=CATEGORY),
        load_default=list,
        validate=validate.Length(max=200),
        metadata={
            "description": "Product categories the licence permits; empty where it permits none itself."
        },
    )
    issued_on = fields.Date(validate=LONG_AGO)
    valid_from = fields.Date(required=True, validate=LONG_AGO)
    valid_until = fields.Date(
        validate=DAY,
        allow_none=True,
        metadata={"description": "Last valid day; ends at 24:00 Asia/Shanghai. Null: no end."},
    )
    file_sha256 = fields.String(validate=of(Sha256))


class LicenceView(Schema):
    licence_id = fields.UUID(required=True, attribute="id")
    type = fields.String(required=True)
    number = fields.String(required=True)
    issuer = fields.String(required=True)
    scope = fields.List(fields.String(), required=True)
    issued_on = fields.Date(allow_none=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(allow_none=True)
    file_sha256 = fields.String(allow_none=True)
    state = fields.String(required=True)
    submitted_by = fields.String(required=True)
    submitted_at = fields.AwareDateTime(required=True)
    verified_by = fields.String(allow_none=True)
    verified_at = fields.AwareDateTime(allow_none=True)
    rejection_reason = fields.String(allow_none=True)


class LicenceList(Schema):
    items = fields.List(fields.Nested(LicenceView), required=True)


class LicenceOfCustomerView(LicenceView):
    customer_id = fields.UUID(required=True)


class LicencesArgs(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf(LICENCE_STATES))


class LicencePage(Schema):
    items = fields.List(fields.Nested(LicenceOfCustomerView), required=True)
    next_cursor = fields.String(allow_none=True)


class LicenceDecidedView(Schema):
    licence_id = fields.UUID(required=True)
    customer_id = fields.UUID(required=True)
    state = fields.String(required=True)
    customer_status = fields.String(required=True, data_key="customer_state")


class ApprovalView(Schema):
    customer_id = fields.UUID(required=True)
    approval = fields.String(required=True)
    customer_status = fields.String(required=True, data_key="customer_state")


class TradePermissionArgs(Schema):
    on = fields.Date(validate=DAY, metadata={"description": "Business day; today when left out."})
    categories = fields.String(
        validate=validate.Regexp(r"\A[a-z][a-z0-9_]{0,39}(,[a-z][a-z0-9_]{0,39}){0,99}\Z", error=words.NAMES),
        metadata={"description": "Comma-separated product categories of the order."},
    )


class TradePermissionView(Schema):
    customer_id = fields.UUID(required=True)
    on = fields.Date(required=True)
    allowed = fields.Boolean(required=True)
    categories = fields.List(fields.String(), required=True)
    reasons = fields.List(fields.String(), required=True)
    valid_until = fields.Date(allow_none=True)
    permission_version = fields.Integer(required=True)
