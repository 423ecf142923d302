"""JSON in and out of the customer master."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from customers.commands.privacy import PURPOSES
from customers.domain.customer import INSTITUTION_KINDS, KINDS, SOURCE_CHANNELS, STATUSES
from customers.domain.personal import CONTACT_FIELDS, PERSONAL_FIELDS
from shared import words
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.texts import Branch, Name, Reference, Sha256
from shared.validators import ANY_DAY, DAY, LONG_AGO, line, of

BRANCH = of(Branch)
CODE = of(Reference)
CATEGORY = of(Name)


def _text(maximum: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=line(maximum), **kwargs)


def _refs() -> fields.List[Any]:
    return fields.List(fields.String(validate=CODE), validate=validate.Length(max=20), load_default=list)


class _Registered(Schema):
    code = fields.String(validate=CODE, metadata={"description": "The caller's own id; unique."})
    branch_id = fields.String(required=True, validate=BRANCH)
    source_channel = fields.String(load_default="other", validate=validate.OneOf(SOURCE_CHANNELS))
    owner_id = fields.String(validate=CODE)
    consent_refs = _refs()


class PatientBody(_Registered):
    name = _text(100, required=True)
    phone = _text(32)
    id_number = _text(18)
    birthday = fields.Date(validate=ANY_DAY)


class BulkPatientBody(PatientBody):
    kind = fields.String(load_default="patient", validate=validate.Equal("patient"))
    code = fields.String(required=True, validate=CODE)


class ChannelBody(Schema):
    kind = fields.String(
        required=True, validate=validate.OneOf(("phone", "sms", "email", "wechat", "letter"))
    )
    value = _text(200, required=True)


class ContactBody(Schema):
    name = _text(100, required=True)
    title = _text(100)
    employer = _text(200)
    channels = fields.List(fields.Nested(ChannelBody), required=True, validate=validate.Length(1, 10))
    hcp = fields.Boolean(
        load_default=False, metadata={"description": "A doctor or pharmacist: no offers, ever."}
    )
    consent_refs = _refs()


class DepartmentBody(Schema):
    name = _text(100, required=True)


class ProcurementNeedBody(Schema):
    category = fields.String(required=True, validate=CATEGORY)
    monthly_quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10**9))


class HospitalBody(Schema):
    level = _text(20)
    beds = fields.Integer(strict=True, validate=validate.Range(0, 100_000))
    departments = fields.List(
        fields.Nested(DepartmentBody), validate=validate.Length(max=200), load_default=list
    )
    procurement_needs = fields.List(
        fields.Nested(ProcurementNeedBody), validate=validate.Length(max=500), load_default=list
    )


class InstitutionBody(_Registered):
    kind = fields.String(required=True, validate=validate.OneOf(INSTITUTION_KINDS))
    legal_name = _text(200, required=True)
    uscc = _text(18, required=True)
    region = _text(60)
    contacts = fields.List(fields.Nested(ContactBody), load_default=list, validate=validate.Length(max=50))
    hospital = fields.Nested(HospitalBody)


class PatientChangeBody(Schema):
    name = _text(100)
    phone = _text(32)
    id_number = _text(18)
    birthday = fields.Date(validate=ANY_DAY)
    verified = fields.Boolean(load_default=False, metadata={"description": "All of it was confirmed today."})

    @validates_schema
    def says_something(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data.get("verified") and len(data) < 2:
            raise ValidationError("name a field to change, or say `verified`")


class RegisteredView(Schema):
    customer_id = fields.UUID(required=True)
    code = fields.String(allow_none=True)
    kind = fields.String(required=True)
    branch_id = fields.String(required=True)
    status = fields.String(required=True)
    completeness_bp = fields.Integer(required=True)
    registered_on = fields.Date(required=True)


class ContactAddedView(Schema):
    contact_id = fields.UUID(required=True)
    customer_id = fields.UUID(required=True)


class ChangedView(Schema):
    customer_id = fields.UUID(required=True)
    changed = fields.List(fields.String(), required=True)
    completeness_bp = fields.Integer(required=True)


class ChannelView(Schema):
    kind = fields.String()
    value = fields.String()


class ContactView(Schema):
    contact_id = fields.UUID(required=True)
    name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    employer = fields.String(allow_none=True)
    channels = fields.List(fields.Nested(ChannelView))
    hcp = fields.Boolean()
    consent_refs = fields.List(fields.String())
    verified_on = fields.Date(allow_none=True)


class CustomerView(Schema):
    """Personal fields are masked; a tombstone has none."""

    customer_id = fields.UUID(required=True)
    code = fields.String(allow_none=True)
    kind = fields.String(required=True)
    branch_id = fields.String(required=True)
    status = fields.String(required=True)
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
    contacts = fields.List(fields.Nested(ContactView))


class CustomerListArgs(PageArgs):
    kind = fields.String(validate=validate.OneOf(KINDS))
    status = fields.String(validate=validate.OneOf(STATUSES))


class CustomerPage(Schema):
    items = fields.List(fields.Nested(CustomerView), required=True)
    next_cursor = fields.String(allow_none=True)


class LookupBody(Schema):
    phone = _text(32, required=True)


class CustomerMatches(Schema):
    items = fields.List(fields.Nested(CustomerView), required=True)


class DisclosureBody(Schema):
    purpose = fields.String(required=True, validate=validate.OneOf(sorted(PURPOSES)))
    fields_ = fields.List(
        fields.String(validate=validate.OneOf(PERSONAL_FIELDS)),
        required=True,
        validate=validate.Length(1, len(PERSONAL_FIELDS)),
        data_key="fields",
        attribute="fields",
    )


class PersonalView(Schema):
    name = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    id_number = fields.String(allow_none=True)
    birthday = fields.String(allow_none=True)


class DisclosureView(Schema):
    customer_id = fields.UUID(required=True)
    purpose = fields.String(required=True)
    personal = fields.Nested(PersonalView, required=True)


class ContactDisclosureBody(Schema):
    purpose = fields.String(required=True, validate=validate.OneOf(sorted(PURPOSES)))
    fields_ = fields.List(
        fields.String(validate=validate.OneOf(CONTACT_FIELDS)),
        required=True,
        validate=validate.Length(1, len(CONTACT_FIELDS)),
        data_key="fields",
        attribute="fields",
    )


class ContactPersonalView(Schema):
    name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    employer = fields.String(allow_none=True)
    channels = fields.List(fields.Nested(ChannelView))


class ContactDisclosureView(Schema):
    customer_id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    purpose = fields.String(required=True)
    personal = fields.Nested(ContactPersonalView, required=True)


class ContactAnonymisedView(Schema):
    customer_id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    status = fields.String(required=True)


class AnonymisedView(Schema):
    customer_id = fields.UUID(required=True)
    status = fields.String(required=True)


class LicenceBody(Schema):
    type = _text(60, required=True)
    number = _text(60, required=True)
    issuer = _text(120, required=True)
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


class LicenceDecidedView(Schema):
    licence_id = fields.UUID(required=True)
    customer_id = fields.UUID(required=True)
    state = fields.String(required=True)
    customer_status = fields.String(required=True)


class LicenceDecisionBody(Schema):
    verified = fields.Boolean(required=True)
    reason = _text(500)


class ApprovalBody(Schema):
    approved = fields.Boolean(required=True)
    reason = _text(500)


class ApprovalView(Schema):
    customer_id = fields.UUID(required=True)
    approval = fields.String(required=True)
    customer_status = fields.String(required=True)


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


class PointEntryView(Schema):
    kind = fields.String(
        required=True, metadata={"enum": ["earn", "reverse_earn", "redeem", "restore_redeem", "expire"]}
    )
    points = fields.Integer(required=True)
    money_basis = MoneyField(required=True, attribute="money_basis_fen")
    sale_id = fields.String(allow_none=True, required=True)
    sale_line_id = fields.String(allow_none=True, required=True)
    return_id = fields.String(allow_none=True)
    redemption_id = fields.UUID(allow_none=True)
    day = fields.Date(required=True)


class PointLotView(Schema):
    sale_id = fields.String(required=True)
    branch_id = fields.String(required=True)
    earned_on = fields.Date(required=True)
    expires_on = fields.Date(allow_none=True, required=True)
    points = fields.Integer(
        required=True,
        attribute="left",
        metadata={"description": "What is left; negative when goods came back whose points had been used."},
    )


class PointsView(Schema):
    customer_id = fields.UUID(required=True)
    balance = fields.Integer(required=True)
    usable = fields.Integer(
        required=True, metadata={"description": "What may be redeemed today, debts counted against it."}
    )
    lots = fields.List(fields.Nested(PointLotView), required=True)
    entries = fields.List(fields.Nested(PointEntryView), required=True)
    next_cursor = fields.String(allow_none=True)


class ChangeView(Schema):
    at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    fields_ = fields.List(fields.String(), required=True, data_key="fields", attribute="fields")


class ChangesView(Schema):
    items = fields.List(fields.Nested(ChangeView), required=True)
    next_cursor = fields.String(allow_none=True)
