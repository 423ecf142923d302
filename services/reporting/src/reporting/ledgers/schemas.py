"""JSON in and out of ledgers."""

from marshmallow import Schema, fields, validate

from reporting.kernel.fields import BranchArgs, MonthField
from shared.money import MoneyField


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
    branch_id = fields.String(
        allow_none=True, metadata={"description": "The branch; null is the whole chain."}
    )
    state = fields.String(validate=validate.OneOf(("open", "closed")))
    closed_at = fields.AwareDateTime(allow_none=True)
    closed_by = fields.String(allow_none=True)
    content_hash = fields.String(
        allow_none=True,
        metadata={"description": "SHA-256 of the frozen content; null while the month is open."},
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
