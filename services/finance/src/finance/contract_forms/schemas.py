"""The shapes of what a contract says, in requests and answers. Contents may be missing until they are submitted (F8)."""

from marshmallow import Schema, fields, validate

from finance.contract_forms.rules import METHODS
from finance.kernel.fields import CATEGORY, MAYBE, NUMBER, PERSON, TEXT
from finance.kernel.receipt import LINES_MAX, QUANTITY_MAX, UNIT_PRICE_FEN_MAX
from shared import words
from shared.money import MoneyField
from shared.validators import DAY, line

CLAUSE = line(2_000)
SHA256 = validate.Regexp(r"\A[0-9a-f]{64}\Z", error=words.SHA256)


class ContractLineBody(Schema):
    """`unit_price` holds the VAT, as receipts do; `dosage_form` where it is known."""

    line_no = fields.Integer(strict=True, validate=validate.Range(1, LINES_MAX), **MAYBE)
    product_id = fields.String(validate=NUMBER, **MAYBE)
    generic_name = fields.String(validate=TEXT, **MAYBE)
    specification = fields.String(validate=TEXT, **MAYBE)
    dosage_form = fields.String(validate=TEXT, **MAYBE)
    category = fields.String(validate=CATEGORY, **MAYBE)
    quantity = fields.Integer(strict=True, validate=validate.Range(1, QUANTITY_MAX), **MAYBE)
    unit_price_fen = MoneyField(minimum_fen=0, maximum_fen=UNIT_PRICE_FEN_MAX, data_key="unit_price", **MAYBE)
    tax_bp = fields.Integer(strict=True, validate=validate.Range(0, 10_000), **MAYBE)
    delivery_date = fields.Date(validate=DAY, **MAYBE)


class ContractInstalmentBody(Schema):
    """`share_bp` of each delivery's value is due `days` after it."""

    days = fields.Integer(required=True, strict=True, validate=validate.Range(0, 3_650))
    share_bp = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10_000))


class ContractTermsBody(Schema):
    method = fields.String(validate=validate.OneOf(METHODS), **MAYBE)
    instalments = fields.List(fields.Nested(ContractInstalmentBody), validate=validate.Length(0, 24), **MAYBE)


class ContractContentBody(Schema):
    """All of it is mandatory when the contract is submitted. `file_sha256` is of the paper; the customer's signatory is a contact id."""

    lines = fields.List(fields.Nested(ContractLineBody), validate=validate.Length(0, LINES_MAX), **MAYBE)
    payment_terms = fields.Nested(ContractTermsBody, **MAYBE)
    quality_clause = fields.String(validate=CLAUSE, **MAYBE)
    our_signatory = fields.String(validate=PERSON, **MAYBE)
    customer_signatory = fields.UUID(**MAYBE)
    place = fields.String(validate=TEXT, **MAYBE)
    dated_on = fields.Date(validate=DAY, **MAYBE)
    file_sha256 = fields.String(validate=SHA256, **MAYBE)
    valid_from = fields.Date(validate=DAY, **MAYBE)
    valid_until = fields.Date(validate=DAY, **MAYBE)


class ContractLineView(Schema):
    line_no = fields.Integer(allow_none=True)
    product_id = fields.String(allow_none=True)
    generic_name = fields.String(allow_none=True)
    specification = fields.String(allow_none=True)
    dosage_form = fields.String(allow_none=True)
    category = fields.String(allow_none=True)
    quantity = fields.Integer(allow_none=True)
    unit_price_fen = MoneyField(data_key="unit_price", allow_none=True)
    tax_bp = fields.Integer(allow_none=True)
    delivery_date = fields.String(allow_none=True)


class ContractTermsView(Schema):
    method = fields.String(allow_none=True)
    instalments = fields.List(fields.Nested(ContractInstalmentBody), allow_none=True)


class ContractContentView(Schema):
    lines = fields.List(fields.Nested(ContractLineView), allow_none=True)
    payment_terms = fields.Nested(ContractTermsView, allow_none=True)
    quality_clause = fields.String(allow_none=True)
    our_signatory = fields.String(allow_none=True)
    customer_signatory = fields.String(allow_none=True)
    place = fields.String(allow_none=True)
    dated_on = fields.String(allow_none=True)
    file_sha256 = fields.String(allow_none=True)
    valid_from = fields.String(allow_none=True)
    valid_until = fields.String(allow_none=True)
