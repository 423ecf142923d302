"""JSON of the categories of expense."""

from marshmallow import Schema, fields


class ExpenseCategoryView(Schema):
    category = fields.String()
    zh = fields.String()
    en = fields.String()
    account = fields.String()
    claimable = fields.Boolean()
    deducts_input_vat = fields.Boolean()
    attendees = fields.Boolean()


class ExpenseCategoriesView(Schema):
    items = fields.List(fields.Nested(ExpenseCategoryView))
