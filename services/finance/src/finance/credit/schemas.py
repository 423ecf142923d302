"""What the route of a customer's credit answers."""

from marshmallow import Schema, fields

from shared.money import MoneyField


class ExposureView(Schema):
    """Debts are those of the token's branches, and `is_whole` says whether these are all; room is the company's."""

    is_whole = fields.Boolean(required=True)
    limit_fen = MoneyField(data_key="limit", required=True, allow_none=True)
    overdue_tolerance_fen = MoneyField(data_key="overdue_tolerance", required=True)
    on_hold = fields.Boolean(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    outstanding_fen = MoneyField(data_key="outstanding", required=True)
    overdue_fen = MoneyField(data_key="overdue", required=True)
    reserved_fen = MoneyField(data_key="reserved", required=True, allow_none=True)
    available_fen = MoneyField(data_key="available", required=True)
    refusal = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The code with which the next fen on credit is refused; null when it is not."
        },
    )
