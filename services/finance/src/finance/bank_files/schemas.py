"""JSON in and out of files of banks and their dialects."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from finance.bank_files.rules import values
from finance.bank_files.rules.dialects import NEEDED, ROLES, AmountRule
from finance.bank_files.rules.encodings import Kind
from finance.bank_files.rules.formats import plain
from finance.bank_files.rules.reading import TABLES, Upload
from finance.bank_files.rules.sheets import DELIMITERS
from finance.kernel.fields import NUMBER
from shared import words
from shared.money import MoneyField
from shared.validators import ANY_DAY, line

FILE_CHARS_MAX = 1_000_000
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

    @post_load
    def _upload(self, data: dict[str, Any], **_: Any) -> Upload:
        return Upload(**data)
