"""The shapes of bank accounts in requests and answers."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from finance.bank import rules, values
from finance.bank.encodings import Kind
from finance.bank.formats import plain
from finance.bank.layouts import NEEDED, ROLES, AmountRule
from finance.bank.reading import TABLES
from finance.bank.sheets import DELIMITERS
from finance.kernel.fields import BRANCH, MONTH, NUMBER
from finance.kernel.fields import TEXT as LABEL
from shared import words
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import ANY_DAY, DAY, line

TEXT = line(100)
REASON = validate.Regexp(r"\A[a-z_]{1,40}\Z", error=words.WORD)
FILE_CHARS_MAX = 1_000_000
MATCHED_MAX = 2_000


DIALECT = validate.Regexp(r"\A[a-z][a-z0-9_]{0,39}\Z", error=words.NAME)
HEADINGS_MAX = 30
WORDS_MAX = 50


def _names_a_day(text: str) -> None:
    if not values.is_format(text):
        raise ValidationError(words.DATE_FORMAT)


DATE_FORMAT: list[Callable[[Any], Any]] = [*line(40), _names_a_day]


def _headings() -> fields.List[Any]:
    return fields.List(fields.String(validate=line(60)), validate=validate.Length(1, HEADINGS_MAX))


def _texts() -> fields.List[Any]:
    return fields.List(
        fields.String(validate=line(40)), load_default=list, validate=validate.Length(0, WORDS_MAX)
    )


class _File(fields.String):
    """Bytes as base64."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValidationError("not base64") from error


class BankAccountBody(Schema):
    """Without `branch_id` the account is the chain's. The first account registered is the main one."""

    name = fields.String(required=True, validate=TEXT)
    bank = fields.String(required=True, validate=TEXT)
    number = fields.String(
        required=True,
        validate=validate.Regexp(
            r"\A[A-Za-z0-9０-９Ａ-Ｚａ-ｚ][A-Za-z0-9０-９Ａ-Ｚａ-ｚ .\-　－]{3,39}\Z", error=words.BANK_NUMBER
        ),
    )
    branch_id = fields.String(load_default=None, allow_none=True, validate=BRANCH)


class BankAccountView(BankAccountBody):
    account_id = fields.UUID()
    is_main = fields.Boolean()
    registered_by = fields.String()
    registered_at = fields.AwareDateTime()
    last_day = fields.Date(allow_none=True, data_key="closed_on")
    closed_by = fields.String(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)


class BankCloseBody(Schema):
    """`successor_id` is the account that becomes the main one, needed where the main account closes and others stay."""

    closed_on = fields.Date(required=True, validate=DAY)
    successor_id = fields.UUID(load_default=None, allow_none=True)


class BankAccountsList(Schema):
    items = fields.List(fields.Nested(BankAccountView))


class BankStatementBody(Schema):
    """The file as the bank gave it; its encoding is found. MT940 and camt.053 say days and balances themselves; of a CSV or an
    XLSX they are needed, and the dialect.
    """

    format = fields.String(required=True, validate=validate.OneOf([each.value for each in Kind]))
    file = _File(
        required=True,
        validate=validate.Length(0, FILE_CHARS_MAX),
        metadata={"format": "byte", "maxLength": FILE_CHARS_MAX},
    )
    dialect = fields.String(load_default=None, validate=DIALECT)
    number = fields.String(load_default=None, validate=NUMBER)
    from_on = fields.Date(validate=ANY_DAY, load_default=None, data_key="from")
    to_on = fields.Date(validate=ANY_DAY, load_default=None, data_key="until")
    opening_fen = MoneyField(load_default=None, data_key="opening")
    closing_fen = MoneyField(load_default=None, data_key="closing")

    @validates_schema
    def _table_is_complete(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["format"] not in TABLES:
            return
        needed = ("dialect", "from_on", "to_on", "opening_fen", "closing_fen")
        missing = {
            self.fields[name].data_key or name: ["needed of a CSV"] for name in needed if data[name] is None
        }
        if missing:
            raise ValidationError(missing)


class BankColumnsBody(Schema):
    """For each role the headings that the bank may write, best first."""

    class Meta:
        include = {role: _headings() for role in ROLES}  # noqa: RUF012


class BankDefinitionBody(Schema):
    """How a bank writes its tables. `date_formats` are those of strptime; without any, days are read year first.

    `out_is_negative` says that money out has a minus in its own column. `footer_words` begin rows that are no lines, after
    `end_words` nothing is.
    """

    delimiter = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(DELIMITERS)))
    amount_rule = fields.String(required=True, validate=validate.OneOf([each.value for each in AmountRule]))
    out_is_negative = fields.Boolean(load_default=False)
    date_formats = fields.List(
        fields.String(validate=DATE_FORMAT), load_default=list, validate=validate.Length(0, 10)
    )
    columns = fields.Nested(BankColumnsBody, required=True)
    in_words = _texts()
    out_words = _texts()
    footer_words = _texts()
    end_words = _texts()

    @validates_schema
    def _names_what_its_rule_needs(self, data: dict[str, Any], **kwargs: Any) -> None:
        rule = AmountRule(data["amount_rule"])
        missing: dict[str, Any] = {}
        roles = {role: [f"needed of {rule}"] for role in NEEDED[rule] if not data["columns"].get(role)}
        if roles:
            missing["columns"] = roles
        if rule is AmountRule.DIRECTION:
            missing |= {name: [f"needed of {rule}"] for name in ("in_words", "out_words") if not data[name]}
            ins, outs = (
                {plain(each).casefold() for each in data[name]} for name in ("in_words", "out_words")
            )
            if ins & outs:
                missing.setdefault("out_words", ["a word says in or out, not both"])
        if missing:
            raise ValidationError(missing)


class BankDialectBody(BankDefinitionBody):
    dialect = fields.String(required=True, validate=DIALECT)


class BankTryBody(Schema):
    """A file, and the dialect by name or, before it is kept, as its definition."""

    file = _File(
        required=True,
        validate=validate.Length(0, FILE_CHARS_MAX),
        metadata={"format": "byte", "maxLength": FILE_CHARS_MAX},
    )
    dialect = fields.String(load_default=None, validate=DIALECT)
    definition = fields.Nested(BankDefinitionBody, load_default=None, allow_none=True)

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **kwargs: Any) -> None:
        if (data["dialect"] is None) == (data["definition"] is None):
            raise ValidationError({"dialect": ["name a dialect or define one, not both"]})


class BankTriedLineView(Schema):
    row = fields.Integer(required=True)
    booked_on = fields.Date(required=True)
    valued_on = fields.Date(required=True, allow_none=True)
    fen = MoneyField(data_key="amount", required=True)
    reference = fields.String(required=True)
    summary = fields.String(required=True)
    clearing = fields.String(required=True, allow_none=True)


class BankFaultView(Schema):
    row = fields.Integer(required=True)
    column = fields.String(required=True)
    value = fields.String(required=True, allow_none=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class BankTriedView(Schema):
    """What would be read: the first lines, how many there are and what they sum to, rows passed over, and every fault."""

    headings_row = fields.Integer(required=True)
    columns = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)
    count = fields.Integer(required=True)
    sum_fen = MoneyField(data_key="sum", required=True)
    first = fields.Date(required=True, allow_none=True, data_key="from")
    until = fields.Date(required=True, allow_none=True)
    lines = fields.List(fields.Nested(BankTriedLineView), required=True)
    passed_over = fields.List(fields.Integer(), required=True)
    faults = fields.List(fields.Nested(BankFaultView), required=True)
    fault_count = fields.Integer(required=True)


class BankDialectView(Schema):
    """Version 0 comes with the program."""

    dialect = fields.String(required=True)
    version = fields.Integer(required=True)
    definition = fields.Dict(required=True)
    kept_by = fields.String(required=True, allow_none=True)
    kept_at = fields.AwareDateTime(required=True, allow_none=True)


class BankDialectsList(Schema):
    items = fields.List(fields.Nested(BankDialectView), required=True)


class BankStatementView(Schema):
    statement_id = fields.UUID(data_key="bank_statement_id")
    account_id = fields.UUID()
    number = fields.String()
    format = fields.String()
    from_on = fields.Date(data_key="from")
    to_on = fields.Date(data_key="until")
    opening_fen = MoneyField(data_key="opening")
    closing_fen = MoneyField(data_key="closing")
    lines = fields.Integer()
    new_lines = fields.Integer()
    imported_by = fields.String()
    imported_at = fields.AwareDateTime()


class BankImportView(BankStatementView):
    """`also` are the statements of other accounts of ours in the file, `passed_over` the accounts that are not ours."""

    also = fields.List(fields.Nested(BankStatementView), required=True)
    passed_over = fields.List(fields.String(), required=True)


class BankStatementsPage(Schema):
    items = fields.List(fields.Nested(BankStatementView))
    next_cursor = fields.String(allow_none=True)


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
    overdue = fields.Boolean()


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
    branch_id = fields.String(required=True, validate=BRANCH)
    day = fields.Date(validate=DAY, required=True)


class BankMatchBody(Schema):
    """`book` and `transit` name `items`, `settlement` names `clearing` and `batches`, `direct` names `reason`."""

    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in rules.MatchKind]))
    items = fields.List(
        fields.Nested(BankItemBody), load_default=list, validate=validate.Length(0, MATCHED_MAX)
    )
    clearing = fields.String(load_default=None, validate=validate.OneOf(rules.clearings()))
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
