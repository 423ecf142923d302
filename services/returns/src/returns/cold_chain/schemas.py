"""JSON of temperature evidence. Bodies refuse unknown fields."""

from marshmallow import Schema, fields, validate

from returns.kernel.fields import DECICELSIUS, Whole, line_field
from shared.validators import DAY, INSTANT

LEGS_MAX = 20
SAMPLES_MAX = 20_000


class SampleBody(Schema):
    at = fields.AwareDateTime(required=True, validate=INSTANT)
    decicelsius = Whole(
        required=True, validate=DECICELSIUS, metadata={"description": "Temperature in 0.1 °C."}
    )


class LegBody(Schema):
    phase = fields.String(required=True, validate=validate.OneOf(["transport", "storage"]))
    samples = fields.List(fields.Nested(SampleBody), required=True, validate=validate.Length(1, SAMPLES_MAX))


class ColdChainBody(Schema):
    """The returner's temperature statement and the data since the goods were sold."""

    statement_ref = line_field(required=True)
    log_ref = line_field(required=True)
    device_id = line_field(required=True)
    calibration_valid_until = fields.Date(required=True, validate=DAY)
    legs = fields.List(fields.Nested(LegBody), required=True, validate=validate.Length(1, LEGS_MAX))


class ColdChainView(Schema):
    fault = fields.String(required=True, allow_none=True)
    checked_at = fields.AwareDateTime(required=True)
    device_id = fields.Function(lambda row: row["evidence"]["device_id"], metadata={"type": "string"})
