"""JSON in and out of registration."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from customers.contacts import ContactBody
from customers.kernel.customer import INSTITUTION_KINDS, SOURCE_CHANNELS
from customers.kernel.fields import BRANCH, CATEGORY, CODE, references, text_line
from shared.validators import ANY_DAY


class _Registered(Schema):
    code = fields.String(validate=CODE, metadata={"description": "The caller's own id; unique."})
    branch_id = fields.String(required=True, validate=BRANCH)
    source_channel = fields.String(load_default="other", validate=validate.OneOf(SOURCE_CHANNELS))
    owner_id = fields.String(validate=CODE)
    consent_refs = references()


class PatientBody(_Registered):
    name = text_line(100, required=True)
    phone = text_line(32)
    id_number = text_line(18)
    birthday = fields.Date(validate=ANY_DAY)


class BulkPatientBody(PatientBody):
    kind = fields.String(load_default="patient", validate=validate.Equal("patient"))
    code = fields.String(required=True, validate=CODE)


class DepartmentBody(Schema):
    name = text_line(100, required=True)


class ProcurementNeedBody(Schema):
    category = fields.String(required=True, validate=CATEGORY)
    monthly_quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10**9))


class HospitalBody(Schema):
    level = text_line(20)
    beds = fields.Integer(strict=True, validate=validate.Range(0, 100_000))
    departments = fields.List(
        fields.Nested(DepartmentBody), validate=validate.Length(max=200), load_default=list
    )
    procurement_needs = fields.List(
        fields.Nested(ProcurementNeedBody), validate=validate.Length(max=500), load_default=list
    )


class InstitutionBody(_Registered):
    kind = fields.String(required=True, validate=validate.OneOf(INSTITUTION_KINDS))
    legal_name = text_line(200, required=True)
    uscc = text_line(18, required=True)
    region = text_line(60)
    contacts = fields.List(fields.Nested(ContactBody), load_default=list, validate=validate.Length(max=50))
    hospital = fields.Nested(HospitalBody)


class PatientChangeBody(Schema):
    name = text_line(100)
    phone = text_line(32)
    id_number = text_line(18)
    birthday = fields.Date(validate=ANY_DAY)
    is_confirmed = fields.Boolean(
        load_default=False, metadata={"description": "`true`: all of it was confirmed today."}
    )

    @validates_schema
    def says_something(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data.get("is_confirmed") and len(data) < 2:
            raise ValidationError("name a field to change, or say `is_confirmed`")


class RegisteredView(Schema):
    customer_id = fields.UUID(required=True)
    code = fields.String(allow_none=True)
    kind = fields.String(required=True)
    branch_id = fields.String(required=True)
    status = fields.String(required=True, data_key="state")
    completeness_bp = fields.Integer(required=True)
    registered_on = fields.Date(required=True)


class ContactAddedView(Schema):
    contact_id = fields.UUID(required=True)
    customer_id = fields.UUID(required=True)


class ChangedView(Schema):
    customer_id = fields.UUID(required=True)
    changed = fields.List(fields.String(), required=True)
    completeness_bp = fields.Integer(required=True)
