"""JSON in and out of the reporting API."""

import re
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from reporting.subscriptions import FIRST_YEAR, LAST_YEAR
from shared.money import MoneyField
from shared.texts import FIRST_DAY, LAST_DAY, MONTH_PATTERN, Branch
from shared.validators import of

assert (FIRST_DAY.year, LAST_DAY.year) == (FIRST_YEAR, LAST_YEAR), "MONTH_PATTERN says the same years"
MONTH = re.compile(MONTH_PATTERN)


def parse_month(value: str) -> date:
    """`2017-03` → its first day. Raises ValidationError."""
    if not MONTH.match(value):
        raise ValidationError("must be a month such as 2017-03")
    return date.fromisoformat(f"{value}-01")


class MonthField(fields.Field[date]):
    """A month as `2017-03`, in Python its first day."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            metadata={"type": "string", "pattern": MONTH_PATTERN, "example": "2017-03"}, **kwargs
        )

    def _serialize(self, value: date | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value:%Y-%m}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str):
            raise ValidationError("must be a month such as 2017-03")
        return parse_month(value)


class BranchArgs(Schema):
    """`branch_id` left out means the whole chain."""

    branch_id = fields.String(load_default=None, validate=of(Branch), metadata={"example": "S1"})


class ScopeArgs(BranchArgs):
    month = MonthField(required=True)


class LedgerFileArgs(BranchArgs):
    lang = fields.String(load_default=None, validate=validate.OneOf(("en", "zh_CN")))


class Figures(Schema):
    quantity = fields.Integer()
    net = MoneyField()
    tax = MoneyField()
    total = MoneyField()
    cost = MoneyField()


class SalesFigures(Figures):
    receipts = fields.Integer()
    margin = MoneyField()
    refund_quantity = fields.Integer()
    refund_net = MoneyField()
    refund_tax = MoneyField()
    refund_total = MoneyField()


class SalesRow(SalesFigures):
    day = fields.Date()
    category = fields.String()


class SalesTotals(SalesFigures):
    identified_receipts = fields.Integer()


class Tender(Schema):
    tender = fields.String()
    amount = MoneyField()


class ReturnsFigures(Figures):
    returns = fields.Integer()


class ReturnsRow(ReturnsFigures):
    reason = fields.String()
    disposition = fields.String()


class ReturnEvents(Schema):
    fact = fields.String()
    cause = fields.String(metadata={"description": "Cause of a refusal, reason of a request, else empty."})
    returns = fields.Integer()
    amount = MoneyField()


class FeedbackFigures(Schema):
    records = fields.Integer()


class FeedbackRow(FeedbackFigures):
    channel = fields.String()
    kind = fields.String()


class Revision(Schema):
    """A fact of the month that arrived after its close."""

    source = fields.String()
    seq = fields.Integer()
    day = fields.Date()
    type = fields.String()
    branch_id = fields.String(allow_none=True)
    amount = MoneyField()
    recorded_at = fields.AwareDateTime()


class Ledger(Schema):
    kind = fields.String()
    month = MonthField()
    branch_id = fields.String(allow_none=True, metadata={"description": "null is the whole chain"})
    state = fields.String(validate=validate.OneOf(("open", "closed")))
    closed_at = fields.AwareDateTime(allow_none=True)
    closed_by = fields.String(allow_none=True)
    content_hash = fields.String(
        allow_none=True,
        metadata={"description": "SHA-256 of the frozen content; null while the month is open"},
    )
    revisions = fields.List(fields.Nested(Revision))
    revisions_total = fields.Integer()


class SalesLedger(Ledger):
    rows = fields.List(fields.Nested(SalesRow))
    totals = fields.Nested(SalesTotals)
    tenders = fields.List(fields.Nested(Tender))
    revised_totals = fields.Nested(SalesTotals, allow_none=True)


class ReturnsLedger(Ledger):
    rows = fields.List(fields.Nested(ReturnsRow))
    totals = fields.Nested(ReturnsFigures)
    events = fields.List(fields.Nested(ReturnEvents))
    revised_totals = fields.Nested(ReturnsFigures, allow_none=True)


class FeedbackLedger(Ledger):
    rows = fields.List(fields.Nested(FeedbackRow))
    totals = fields.Nested(FeedbackFigures)
    revised_totals = fields.Nested(FeedbackFigures, allow_none=True)


class MetricFigures(Schema):
    code = fields.String()
    version = fields.String(metadata={"description": "of the metric's definition"})
    month = MonthField()
    branch_id = fields.String(allow_none=True)
    numerator = fields.Integer()
    denominator = fields.Integer()
    value_bp = fields.Integer(allow_none=True, metadata={"description": "null when the denominator is 0"})
    n = fields.Integer()
    low_sample = fields.Boolean()
    detail = fields.Dict(keys=fields.String())


class MetricView(MetricFigures):
    state = fields.String(validate=validate.OneOf(("open", "closed")))
    frozen_at = fields.AwareDateTime(allow_none=True)
    revised = fields.Nested(
        MetricFigures, allow_none=True, metadata={"description": "the figure with facts that came late"}
    )


class MonthClose(Schema):
    month = MonthField()
    state = fields.String(validate=validate.OneOf(("open", "closed")))
    closed_at = fields.AwareDateTime(allow_none=True)
    closed_by = fields.String(allow_none=True)
    content_hash = fields.String(allow_none=True)
    watermarks = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)


class Months(Schema):
    items = fields.List(fields.Nested(MonthClose))


class SourceCompleteness(Schema):
    source = fields.String()
    contiguous_seq = fields.Integer()
    head_seq = fields.Integer()
    lag_events = fields.Integer()
    parked_events = fields.Integer()
    checked_at = fields.AwareDateTime(allow_none=True)
    halted_reason = fields.String(allow_none=True)
    halted_detail = fields.String(allow_none=True)


class Completeness(Schema):
    items = fields.List(fields.Nested(SourceCompleteness))
