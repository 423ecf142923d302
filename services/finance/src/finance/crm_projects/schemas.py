"""JSON in and out of customer relations projects."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import CODE, MONTH
from shared.money import MoneyField
from shared.validators import maybe_line


class CrmBody(Schema):
    """A cost (`development`, `running`) or benefit (`gain`, `saving`); a correction may be negative."""

    project = fields.String(required=True, validate=CODE)
    month = fields.String(required=True, validate=MONTH)
    kind = fields.String(required=True, validate=validate.OneOf(["development", "running", "gain", "saving"]))
    amount = MoneyField(required=True)
    basis = fields.String(validate=maybe_line(500), required=True)


class CrmIdView(Schema):
    record_id = fields.UUID()


class CrmRecordView(Schema):
    record_id = fields.UUID()
    month = fields.String()
    kind = fields.String()
    fen = MoneyField(data_key="amount")
    basis = fields.String()
    recorded_by = fields.String()
    recorded_at = fields.AwareDateTime()


class CrmView(Schema):
    project = fields.String()
    development_fen = MoneyField(data_key="development")
    running_fen = MoneyField(data_key="running")
    gain_fen = MoneyField(data_key="gain")
    saving_fen = MoneyField(data_key="saving")
    cost_fen = MoneyField(data_key="cost")
    benefit_fen = MoneyField(data_key="benefit")
    roi_bp = fields.Integer(allow_none=True)
    items = fields.List(fields.Nested(CrmRecordView))
