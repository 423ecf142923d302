"""The service desk's bodies and answers. Bodies refuse unknown fields; sizes are bounded in characters."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from service_desk.domain.tickets import HANDLER_ROLES, Reporter, State
from service_desk.vocabulary import Cause, Channel, Fault, Kind, Severity
from shared.paging import PageArgs
from shared.texts import PERSON_CHARS_MAX, Branch, Lot, Reference
from shared.validators import ANY_INSTANT, line, maybe_note, note, of

SUBJECT_CHARS_MAX = 200
TEXT = note()


def _branch(**more: Any) -> fields.String:
    return fields.String(validate=of(Branch), metadata={"example": "B001"}, **more)


def _reference(**more: Any) -> fields.String:
    """An id or number given by another service or system."""
    return fields.String(load_default=None, allow_none=True, validate=of(Reference), **more)


def _visible() -> fields.String:
    """As tills print lots and product numbers."""
    return fields.String(load_default=None, allow_none=True, validate=of(Lot))


def _one_of(values: Any, **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf([str(value) for value in values]), **more)


def _text(**more: Any) -> fields.String:
    return fields.String(validate=TEXT, **more)


class TicketBody(Schema):
    kind = _one_of(Kind, required=True)
    channel = _one_of(Channel, required=True)
    branch_id = _branch(required=True)
    customer_id = _reference()
    severity = _one_of(Severity, load_default="normal")
    reporter = _one_of(Reporter, load_default="customer")
    subject = fields.String(required=True, validate=line(SUBJECT_CHARS_MAX))
    text = fields.String(load_default="", validate=maybe_note())
    sale_id = _reference()
    product_id = _visible()
    lot = _visible()
    return_id = _reference()
    received_at = fields.AwareDateTime(
        load_default=None,
        validate=ANY_INSTANT,
        allow_none=True,
        metadata={"description": "When it came in, if it is recorded later. The clocks run from here."},
    )


class AssignBody(Schema):
    handler = fields.String(required=True, validate=line(PERSON_CHARS_MAX))
    role = _one_of(HANDLER_ROLES, required=True)


class ContactBody(Schema):
    channel = _one_of(Channel, required=True)
    reached = fields.Boolean(required=True, truthy={True}, falsy={False})
    note = _text(load_default=None, allow_none=True)


class ProposeBody(Schema):
    solution = _text(required=True)


class ConsentBody(Schema):
    agreed = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = _text(load_default=None, allow_none=True)


class ResolveBody(Schema):
    cause = _one_of(Cause, required=True)
    fault = _one_of(Fault, required=True)
    resolution = _text(required=True)


class ArchiveBody(Schema):
    customer_confirmed = fields.Boolean(required=True, truthy={True}, falsy={False})


class ReopenBody(Schema):
    reason = _text(required=True)


class ReturnBody(Schema):
    return_id = fields.String(required=True, validate=of(Reference))


class TicketFilters(PageArgs):
    branch_id = _branch()
    state = _one_of(State)
    kind = _one_of(Kind)
    customer_id = fields.String(validate=of(Reference))


class BranchFilters(PageArgs):
    branch_id = _branch()


class TicketLine(Schema):
    id = fields.UUID()
    number = fields.String()
    kind = fields.String()
    channel = fields.String()
    branch_id = fields.String()
    customer_id = fields.String(allow_none=True)
    severity = fields.String()
    state = fields.String()
    cycle = fields.Integer()
    handler = fields.String(allow_none=True)
    received_at = fields.AwareDateTime()
    resolved_at = fields.AwareDateTime(allow_none=True)


class ClockView(Schema):
    name = fields.String()
    cycle = fields.Integer()
    started_at = fields.AwareDateTime()
    due_at = fields.AwareDateTime(allow_none=True)
    stopped_at = fields.AwareDateTime(allow_none=True)
    breached_at = fields.AwareDateTime(allow_none=True)
    is_late = fields.Boolean(allow_none=True)
    left_s = fields.Integer(allow_none=True)


class StepView(Schema):
    no = fields.Integer()
    cycle = fields.Integer()
    action = fields.String()
    state = fields.String()
    actor = fields.String()
    at = fields.AwareDateTime()
    detail = fields.Dict()
    note = fields.String(allow_none=True)


class TicketView(TicketLine):
    reporter = fields.String()
    subject = fields.String()
    text = fields.String()
    sale_id = fields.String(allow_none=True)
    sale_is_known = fields.Boolean()
    product_id = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    lot_in_sale = fields.Boolean(allow_none=True)
    return_id = fields.String(allow_none=True)
    return_outcome = fields.String(allow_none=True)
    return_cause = fields.String(allow_none=True)
    recorded_at = fields.AwareDateTime()
    recorded_by = fields.String()
    handler_role = fields.String(allow_none=True)
    assigned_at = fields.AwareDateTime(allow_none=True)
    contacted_at = fields.AwareDateTime(allow_none=True)
    cause = fields.String(allow_none=True)
    fault = fields.String(allow_none=True)
    failed_contacts = fields.Integer()
    clocks = fields.List(fields.Nested(ClockView))
    steps = fields.List(fields.Nested(StepView))


class TicketPage(Schema):
    items = fields.List(fields.Nested(TicketLine))
    next_cursor = fields.String(allow_none=True)


class EscalationView(Schema):
    id = fields.UUID()
    ticket_id = fields.UUID()
    branch_id = fields.String()
    cause = fields.String()
    to_role = fields.String()
    raised_at = fields.AwareDateTime()
    acknowledged_by = fields.String(allow_none=True)
    acknowledged_at = fields.AwareDateTime(allow_none=True)


class EscalationPage(Schema):
    items = fields.List(fields.Nested(EscalationView))
    next_cursor = fields.String(allow_none=True)


class StandardView(Schema):
    name = fields.String()
    value = fields.Integer()
    unit = fields.String()
    effective_from = fields.Date()
    source = fields.String()
    mark = fields.String()


class SurveyBody(Schema):
    """About a ticket's present cycle, or of a campaign."""

    ticket_id = fields.UUID(load_default=None, allow_none=True)
    campaign = _reference()
    customer_id = _reference()
    branch_id = _branch(load_default=None, allow_none=True)
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
    comment = _text(load_default=None, allow_none=True)


class SurveyView(Schema):
    id = fields.UUID()
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


class CountView(Schema):
    channel = fields.String()
    kind = fields.String()
    records = fields.Integer()


class LedgerView(Schema):
    id = fields.UUID()
    branch_id = fields.String()
    month = fields.Date()
    state = fields.String()
    compiled_by = fields.String()
    compiled_at = fields.AwareDateTime()
    records = fields.Integer()
    late_records = fields.Integer()
    entries_hash = fields.String()
    signed_by = fields.String(allow_none=True)
    signed_at = fields.AwareDateTime(allow_none=True)
    closed_by = fields.String(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)
    due_on = fields.Date(allow_none=True)
    on_time = fields.Boolean(allow_none=True)
    counts = fields.List(fields.Nested(CountView))


class EntryView(Schema):
    id = fields.UUID()
    ticket_id = fields.UUID()
    number = fields.String()
    month = fields.Date()
    taken_on = fields.Date()
    addendum = fields.Boolean()
    channel = fields.String()
    kind = fields.String()
    severity = fields.String()
    customer_id = fields.String(allow_none=True)
    product_id = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    state = fields.String()
    cause = fields.String(allow_none=True)
    fault = fields.String(allow_none=True)
    resolved_at = fields.AwareDateTime(allow_none=True)


class EntryPage(Schema):
    items = fields.List(fields.Nested(EntryView))
    next_cursor = fields.String(allow_none=True)
