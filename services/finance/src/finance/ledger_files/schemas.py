"""JSON that goes out with the ledger as files."""

from marshmallow import Schema, fields

from finance.kernel.fields import BRANCH
from finance.vouchers import ACCOUNT


class LedgerBranchArgs(Schema):
    branch_id = fields.String(load_default=None, validate=BRANCH)


class JournalChainLine(Schema):
    """An entry; the first line is the head: format, month, stream, numbers, hashes, entries and sums."""

    chain_no = fields.Integer()
    chain_hash = fields.String(metadata={"description": "SHA-256, in hex."})
    entry = fields.List(fields.Raw(), metadata={"description": "What was hashed: docs/verification.md."})


class LedgerArgs(Schema):
    account = fields.String(load_default=None, validate=ACCOUNT)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class GeneralLedgerLine(Schema):
    """One line, amounts in fen; `balance_fen` is the account's balance (debit less credit) after the line."""

    account = fields.String()
    booked_on = fields.Date()
    voucher_no = fields.Integer(allow_none=True)
    entry_id = fields.Integer()
    line_no = fields.Integer()
    kind = fields.String()
    source_id = fields.UUID()
    reference = fields.String(allow_none=True)
    branch_id = fields.String()
    customer_id = fields.UUID(allow_none=True)
    debit_fen = fields.Integer()
    credit_fen = fields.Integer()
    balance_fen = fields.Integer()
