"""JSON of modes of the check, and of what contradicted the catalogue."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import DAY_DOC, NUMBER, REASON, DaysArgs
from finance.product_checks.rules import COMPARED, Door, Mode
from finance.product_checks.rules.dispensing import ASKED_FOR
from shared.decisions import DecisionField
from shared.paging import PageArgs
from shared.validators import DAY

STATES = ("proposed", "approved", "rejected")
MODES = validate.OneOf([each.value for each in Mode])
MODE_DOC = {"enum": [each.value for each in Mode]}


class ProductCheckSettingBody(Schema):
    """`off` looks nothing up, `warn` takes what contradicts and lists it, `enforce` refuses it."""

    mode = fields.String(required=True, validate=MODES)
    effective_from = fields.Date(required=True, validate=DAY, metadata=DAY_DOC)
    reason = fields.String(required=True, validate=REASON)


class ProductCheckDecisionView(Schema):
    role = fields.String(required=True)
    person = fields.String(required=True)
    approved = DecisionField(required=True, data_key="decision")
    reason = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)


class ProductCheckSettingView(Schema):
    """Of two that begin on one day the one approved last holds."""

    setting_id = fields.UUID(required=True)
    mode = fields.String(required=True, metadata=MODE_DOC)
    effective_from = fields.Date(required=True)
    reason = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    proposed_by = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    decisions = fields.List(fields.Nested(ProductCheckDecisionView), required=True)


class ProductCheckSettingsPage(Schema):
    items = fields.List(fields.Nested(ProductCheckSettingView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProductCheckSettingsArgs(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))


class ProductDifferenceView(Schema):
    """`said` is what the paper said, null for nothing; `holds` what the catalogue says, or asks for."""

    product_id = fields.String()
    field = fields.String(metadata={"enum": [*COMPARED, *ASKED_FOR]})
    said = fields.String(allow_none=True)
    holds = fields.String(allow_none=True)
    version = fields.Integer()


class ProductContradictionView(Schema):
    """`differing` is empty where the catalogue of the day has no such product."""

    contradiction_id = fields.UUID(required=True)
    branch_id = fields.String(required=True)
    day = fields.Date(required=True)
    product_id = fields.String(required=True)
    door = fields.String(required=True, metadata={"enum": [each.value for each in Door]})
    reference = fields.String(required=True, allow_none=True)
    differing = fields.List(fields.Nested(ProductDifferenceView), required=True)
    told_by = fields.String(required=True)
    told_at = fields.AwareDateTime(required=True)


class ProductContradictionsPage(Schema):
    items = fields.List(fields.Nested(ProductContradictionView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProductContradictionsArgs(PageArgs):
    """Days from `from` until `until`, both included."""

    branch_id = DaysArgs().fields["branch_id"]
    product_id = fields.String(load_default=None, validate=NUMBER)
    door = fields.String(load_default=None, validate=validate.OneOf([each.value for each in Door]))
    first = fields.Date(load_default=None, validate=DAY, data_key="from", metadata=DAY_DOC)
    until = fields.Date(load_default=None, validate=DAY, metadata=DAY_DOC)
