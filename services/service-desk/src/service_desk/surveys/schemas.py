"""JSON in and out of surveys. Bodies refuse unknown fields."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from service_desk.kernel.fields import BranchFilters, branch, reference, text_note
from shared.texts import Reference
from shared.validators import of


class SurveyBody(Schema):
    """About a ticket's present cycle, or of a campaign."""

    ticket_id = fields.UUID(load_default=None, allow_none=True)
    campaign = reference()
    customer_id = reference()
    branch_id = branch(load_default=None, allow_none=True)
    delivered = fields.Boolean(
        load_default=True,
        truthy={True},
        falsy={False},
        metadata={"description": "False when the channel could not deliver it: not counted as asked."},
    )

    @validates_schema
    def check_subject(self, data: dict[str, Any], **_: Any) -> None:
        campaign_fields = ("campaign", "customer_id", "branch_id")
        if data["ticket_id"] is not None:
            given = [name for name in campaign_fields if data[name] is not None]
            if given:
                raise ValidationError(
                    {name: ["a survey of a ticket takes this from the ticket"] for name in given}
                )
        elif missing := [name for name in campaign_fields if data[name] is None]:
            raise ValidationError({name: ["required without ticket_id"] for name in missing})


class AnswerBody(Schema):
    token = fields.String(required=True, validate=of(Reference))
    scores = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 32)),
        values=fields.Integer(strict=True, validate=validate.Range(0, 100)),
        required=True,
        validate=validate.Length(1, 10),
        metadata={"example": {"quality": 5, "service": 4, "price": 3}},
    )
    comment = text_note(load_default=None, allow_none=True)


class SurveyView(Schema):
    id = fields.UUID(data_key="survey_id")
    instrument_version = fields.Integer()
    branch_id = fields.String()
    customer_id = fields.String()
    ticket_id = fields.UUID(allow_none=True)
    cycle = fields.Integer(allow_none=True)
    campaign = fields.String(allow_none=True)
    delivered = fields.Boolean()
    sent_at = fields.AwareDateTime()
    expires_at = fields.AwareDateTime()
    answered_at = fields.AwareDateTime(allow_none=True)
    scores = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)
    comment = fields.String(allow_none=True)


class SentSurveyView(SurveyView):
    token = fields.String(metadata={"description": "Told only here; it admits one answer."})


class SurveyFilters(BranchFilters):
    ticket_id = fields.UUID()


class SurveyPage(Schema):
    items = fields.List(fields.Nested(SurveyView))
    next_cursor = fields.String(allow_none=True)


class InstrumentView(Schema):
    version = fields.Integer()
    effective_from = fields.Date()
    dimensions = fields.List(fields.String())
    lowest = fields.Integer()
    highest = fields.Integer()
    weights_bp = fields.Dict(keys=fields.String(), values=fields.Integer())
    source = fields.String()
    mark = fields.String()
