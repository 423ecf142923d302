"""JSON of stops of sale. Bodies refuse unknown fields."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from returns.kernel.fields import PROOFS_MAX
from shared.lots import canonical
from shared.paging import PageArgs
from shared.texts import Lot
from shared.validators import line, note, of

LOT = of(Lot)
STOPPED_LOTS_MAX = 100


def _evidence() -> fields.List[Any]:
    return fields.List(
        fields.String(validate=line(200)),
        load_default=list,
        validate=validate.Length(max=PROOFS_MAX),
        metadata={"description": "References of reports, notices or complaints."},
    )


def _why(**kwargs: Any) -> fields.String:
    return fields.String(validate=note(500), **kwargs)


class StopSaleBody(Schema):
    product_id = fields.String(required=True, validate=LOT)
    lots = fields.List(
        fields.String(validate=LOT), required=True, validate=validate.Length(1, STOPPED_LOTS_MAX)
    )
    reason = _why(required=True)
    evidence = _evidence()

    @validates_schema
    def _each_lot_once(self, data: dict[str, Any], **_: Any) -> None:
        if len({canonical(lot) for lot in data["lots"]}) != len(data["lots"]):
            raise ValidationError("the same lot is named twice", "lots")


class LiftingBody(Schema):
    reason = _why(required=True)
    evidence = _evidence()


class LiftingView(Schema):
    state = fields.String(required=True, validate=validate.OneOf(("pending", "approved", "rejected")))
    reason = fields.String(required=True)
    evidence = fields.List(fields.String(), required=True)
    requested_by = fields.String(required=True)
    requested_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_reason = fields.String(required=True, allow_none=True)


class StopSaleView(Schema):
    stop_sale_id = fields.UUID(required=True, attribute="id")
    product_id = fields.String(required=True)
    lots = fields.List(fields.String(), required=True)
    reason = fields.String(required=True)
    evidence = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=validate.OneOf(("ordered", "lifted")))
    ordered_by = fields.String(required=True)
    ordered_at = fields.AwareDateTime(required=True)
    lifted_at = fields.AwareDateTime(required=True, allow_none=True)
    liftings = fields.List(fields.Nested(LiftingView), required=True)


class StopSaleFilters(PageArgs):
    product_id = fields.String(validate=LOT)
    lot = fields.String(validate=LOT)
    state = fields.String(validate=validate.OneOf(("ordered", "lifted")))
    lifting = fields.String(validate=validate.OneOf(("pending", "approved", "rejected")))


class StopSalePage(Schema):
    items = fields.List(fields.Nested(StopSaleView), required=True)
    next_cursor = fields.String(allow_none=True)
