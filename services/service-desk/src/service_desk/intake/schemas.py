"""JSON in of a new matter. Bodies refuse unknown fields."""

from marshmallow import Schema, fields

from service_desk.kernel.fields import SUBJECT_CHARS_MAX, branch, one_of, printed, reference
from service_desk.kernel.vocabulary import Channel, Kind, Severity
from service_desk.tickets import Reporter
from shared.validators import ANY_INSTANT, line, maybe_note


class TicketBody(Schema):
    kind = one_of(Kind, required=True)
    channel = one_of(Channel, required=True)
    branch_id = branch(required=True)
    customer_id = reference()
    severity = one_of(Severity, load_default="normal")
    reporter = one_of(Reporter, load_default="customer")
    subject = fields.String(required=True, validate=line(SUBJECT_CHARS_MAX))
    text = fields.String(load_default="", validate=maybe_note())
    sale_id = reference()
    product_id = printed()
    lot = printed()
    return_id = reference()
    received_at = fields.AwareDateTime(
        load_default=None,
        validate=ANY_INSTANT,
        allow_none=True,
        metadata={"description": "When it came in, if it is recorded later. The clocks run from here."},
    )
