"""JSON in and out of matches and reconciliations."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from finance.bank_files import clearings
from finance.bank_matching import rules
from finance.kernel.fields import BRANCH, MONTH, NUMBER
from finance.kernel.fields import TEXT as LABEL
from shared import words
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

REASON = validate.Regexp(r"\A[a-z_]{1,40}\Z", error=words.WORD)
MATCHED_MAX = 2_000


class BankLineView(Schema):
    """`clearing` is who settles, as far as the line tells; who paid is not kept."""

    line_id = fields.UUID()
    account_id = fields.UUID()
    statement_id = fields.UUID(data_key="bank_statement_id")
    booked_on = fields.Date()
    valued_on = fields.Date(allow_none=True)
    fen = MoneyField(data_key="amount")
    reference = fields.String()
    summary = fields.String()
    clearing = fields.String(allow_none=True)
    overdue = fields.Boolean(allow_none=True)


class BankCloseBody(Schema):
    """`successor_id` is the account that becomes the main one, needed where the main account closes and others stay."""

    closed_on = fields.Date(required=True, validate=DAY)
    successor_id = fields.UUID(load_default=None, allow_none=True)


class BankLinesPage(Schema):
    items = fields.List(fields.Nested(BankLineView))
    next_cursor = fields.String(allow_none=True)


class BankAccountArgs(PageArgs):
    account_id = fields.UUID(required=True)


class _BankDaysArgs(BankAccountArgs):
    """Booking days of the bank, both included."""

    first = fields.Date(load_default=None, validate=DAY, data_key="from")
    until = fields.Date(load_default=None, validate=DAY)


class BankLinesArgs(_BankDaysArgs):
    statement_id = fields.UUID(load_default=None, data_key="bank_statement_id")
    is_matched = fields.Boolean(load_default=None)


class BankAnyLineView(BankLineView):
    match_id = fields.UUID(required=True, allow_none=True)


class BankAnyLinesPage(Schema):
    items = fields.List(fields.Nested(BankAnyLineView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class BankItemView(Schema):
    source_id = fields.UUID()
    entry_kind = fields.String()
    branch_id = fields.String()
    booked_on = fields.Date()
    fen = MoneyField(data_key="amount")
    reference = fields.String(allow_none=True)


class BankBatchView(Schema):
    clearing = fields.String()
    branch_id = fields.String()
    day = fields.Date()
    channel_transaction_id = fields.String(allow_none=True)
    fen = MoneyField(data_key="amount")


class BankProposalView(Schema):
    kind = fields.String()
    rule = fields.String()
    items = fields.List(fields.Nested(BankItemView))
    batches = fields.List(fields.Nested(BankBatchView))
    fee_fen = MoneyField(data_key="fee")


class BankProposedLineView(BankLineView):
    proposals = fields.List(fields.Nested(BankProposalView))


class BankProposalsPage(Schema):
    items = fields.List(fields.Nested(BankProposedLineView))
    next_cursor = fields.String(allow_none=True)


class BankItemBody(Schema):
    source_id = fields.UUID(required=True)
    entry_kind = fields.String(required=True, validate=REASON)


class BankBatchBody(Schema):
    """All that is open of the day, or the payment of it that its channel calls so."""

    branch_id = fields.String(required=True, validate=BRANCH)
    day = fields.Date(validate=DAY, required=True)
    channel_transaction_id = fields.String(load_default=None, allow_none=True, validate=NUMBER)


class BankMatchBody(Schema):
    """`book` and `transit` name `items`, `settlement` names `clearing` and `batches`, `direct` names `reason`."""

    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in rules.MatchKind]))
    items = fields.List(
        fields.Nested(BankItemBody), load_default=list, validate=validate.Length(0, MATCHED_MAX)
    )
    clearing = fields.String(load_default=None, validate=validate.OneOf(clearings()))
    batches = fields.List(
        fields.Nested(BankBatchBody), load_default=list, validate=validate.Length(0, MATCHED_MAX)
    )
    reason = fields.String(load_default=None, validate=REASON)
    branch_id = fields.String(load_default=None, validate=BRANCH)

    @validates_schema
    def _names_what_its_kind_needs(self, data: dict[str, Any], **kwargs: Any) -> None:
        needed = {
            "book": ["items"],
            "transit": ["items"],
            "settlement": ["clearing", "batches"],
            "direct": ["reason"],
        }[data["kind"]]
        missing = {name: [f"needed of {data['kind']}"] for name in needed if not data[name]}
        if missing:
            raise ValidationError(missing)

    @post_load
    def _meant(self, data: dict[str, Any], **_: Any) -> rules.Meant:
        return rules.Meant(
            kind=rules.MatchKind(data["kind"]),
            items=[rules.Entry(**each) for each in data["items"]],
            clearing=data["clearing"],
            batches=[rules.Day(**each) for each in data["batches"]],
            reason=data["reason"],
            branch_id=data["branch_id"],
        )


class BankMatchedItemView(Schema):
    source_id = fields.UUID()
    entry_kind = fields.String()
    booked_on = fields.Date()
    fen = MoneyField(data_key="amount")


class BankMatchView(Schema):
    match_id = fields.UUID()
    line_id = fields.UUID()
    account_id = fields.UUID()
    kind = fields.String()
    reason = fields.String(allow_none=True)
    fee_fen = MoneyField(data_key="fee")
    booked_on = fields.Date()
    confirmed_by = fields.String()
    confirmed_at = fields.AwareDateTime()
    undone_by = fields.String(allow_none=True)
    undone_at = fields.AwareDateTime(allow_none=True)
    undone_reason = fields.String(allow_none=True)
    items = fields.List(fields.Nested(BankMatchedItemView))


class BankMatchesArgs(_BankDaysArgs):
    """The days are those of the matched lines."""

    line_id = fields.UUID(load_default=None)
    kind = fields.String(load_default=None, validate=validate.OneOf([each.value for each in rules.MatchKind]))
    is_undone = fields.Boolean(load_default=None)


class BankMatchRow(BankMatchView):
    """One match with the line it explains; without what it was matched with."""

    line_booked_on = fields.Date(validate=DAY, required=True)
    line_fen = MoneyField(data_key="line_amount", required=True)
    line_reference = fields.String(required=True)

    class Meta:
        exclude = ("items",)


class BankMatchesPage(Schema):
    items = fields.List(fields.Nested(BankMatchRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class BankUndoBody(Schema):
    reason = fields.String(required=True, validate=LABEL)


class BankMonthArgs(Schema):
    month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-11"})


class BankOnlyView(Schema):
    line_id = fields.UUID()
    booked_on = fields.String()
    reference = fields.String()
    fen = MoneyField(data_key="amount")


class BankBookOnlyView(Schema):
    source_id = fields.UUID()
    entry_kind = fields.String()
    branch_id = fields.String()
    booked_on = fields.String()
    reference = fields.String(allow_none=True)
    fen = MoneyField(data_key="amount")


class BankReconciliationView(Schema):
    """银行存款余额调节表: book and bank, each adjusted by what only the other knows, must meet."""

    account_id = fields.UUID()
    month = fields.String()
    is_covered = fields.Boolean()
    book_fen = MoneyField(data_key="book")
    received_by_bank_only = fields.List(fields.Nested(BankOnlyView))
    paid_by_bank_only = fields.List(fields.Nested(BankOnlyView))
    adjusted_book_fen = MoneyField(data_key="adjusted_book")
    statement_fen = MoneyField(data_key="statement")
    received_by_book_only = fields.List(fields.Nested(BankBookOnlyView))
    paid_by_book_only = fields.List(fields.Nested(BankBookOnlyView))
    adjusted_statement_fen = MoneyField(data_key="adjusted_statement")
    difference_fen = MoneyField(data_key="difference")
    lines = fields.Integer()
    matched_in_time = fields.Integer()


class BankCompletedView(BankReconciliationView):
    version = fields.Integer()
    content_hash = fields.String()
    completed_by = fields.String()
    completed_at = fields.AwareDateTime()


class BankCompletedList(Schema):
    items = fields.List(fields.Nested(BankCompletedView))


class BankListArgs(PageArgs):
    """Pages of lines and statements."""
