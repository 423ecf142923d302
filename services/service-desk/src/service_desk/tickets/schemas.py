"""JSON in and out of tickets. Bodies refuse unknown fields."""

from marshmallow import Schema, fields, validate

from service_desk.kernel.fields import branch, one_of, text_note
from service_desk.kernel.vocabulary import Cause, Channel, Fault, Kind
from service_desk.tickets.model.states import HANDLER_ROLES, State
from shared.paging import PageArgs
from shared.texts import PERSON_CHARS_MAX, Reference
from shared.validators import line, of

ACCEPTED, DECLINED = "accepted", "declined"


class AssignBody(Schema):
    handler = fields.String(required=True, validate=line(PERSON_CHARS_MAX))
    role = one_of(HANDLER_ROLES, required=True)


class ContactBody(Schema):
    channel = one_of(Channel, required=True)
    reached = fields.Boolean(required=True, truthy={True}, falsy={False})
    note = text_note(load_default=None, allow_none=True)


class ProposeBody(Schema):
    solution = text_note(required=True)


class CustomerAnswerBody(Schema):
    """What the customer said to the solution that was proposed; why, where it was declined."""

    answer = fields.String(required=True, validate=validate.OneOf((ACCEPTED, DECLINED)))
    reason = text_note(load_default=None, allow_none=True)


class ResolveBody(Schema):
    cause = one_of(Cause, required=True)
    fault = one_of(Fault, required=True)
    resolution = text_note(required=True)


class ArchiveBody(Schema):
    customer_confirmed = fields.Boolean(required=True, truthy={True}, falsy={False})


class ReopenBody(Schema):
    reason = text_note(required=True)


class ReturnBody(Schema):
    return_id = fields.String(required=True, validate=of(Reference))


class TicketFilters(PageArgs):
    branch_id = branch()
    state = one_of(State)
    kind = one_of(Kind)
    customer_id = fields.String(validate=of(Reference))


class TicketLine(Schema):
    id = fields.UUID(data_key="ticket_id")
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
    awaits_calendar_of = fields.Integer(allow_none=True)
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
    id = fields.UUID(data_key="escalation_id")
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
