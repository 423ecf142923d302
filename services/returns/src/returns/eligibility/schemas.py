"""JSON of eligibility and reasons."""

from marshmallow import Schema, fields, validate

from returns.kernel import reasons
from returns.kernel.fields import choice_field
from returns.kernel.vocabulary import Kind


class EligibilityArgs(Schema):
    kind = choice_field(Kind, required=True)
    reason = fields.String(required=True, validate=validate.OneOf(reasons.codes()))
    unopened = fields.Boolean(load_default=True)
    intact = fields.Boolean(load_default=True)
    in_date = fields.Boolean(load_default=True)
    has_proof = fields.Boolean(load_default=True)


class EligibilityView(Schema):
    eligible = fields.Boolean(required=True)
    faults = fields.List(fields.String(), required=True)
    source = fields.String(required=True, metadata={"description": "Where the rule comes from."})
    effective_from = fields.Date(required=True)


class ReasonLeaf(Schema):
    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class ReasonView(ReasonLeaf):
    children = fields.List(fields.Nested(ReasonLeaf), required=True)


class ReasonsView(Schema):
    items = fields.List(fields.Nested(ReasonView), required=True)
