"""The shapes of receivables in requests and answers."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from finance.kernel.fields import BRANCH, DAY_DOC, NUMBER, REASON
from finance.receivables.rules import PAYMENT_ACCOUNTS
from shared.money import MoneyField
from shared.paging import CURSOR, PageArgs
from shared.validators import DAY

STATUSES = ["open", "part", "settled", "written_off", "disputed"]
CUSTOMERS_DEFAULT, CUSTOMERS_MAX = 1_000, 5_000


class ReceivableAllocationView(Schema):
    """`amount` is below 0 where an allocation was taken back."""

    allocation_id = fields.UUID()
    credit_id = fields.UUID()
    debt_id = fields.UUID()
    fen = MoneyField(data_key="amount")
    allocated_on = fields.Date()
    undoes = fields.UUID(allow_none=True)
    actor = fields.String()
    at = fields.AwareDateTime()


class ReceivableView(Schema):
    """A debt has an amount above 0, a credit below; `open` is what no allocation has matched."""

    item_id = fields.UUID()
    customer_id = fields.UUID()
    branch_id = fields.String()
    kind = fields.String()
    source_id = fields.UUID()
    instalment = fields.Integer()
    booked_on = fields.Date()
    due_on = fields.Date()
    amount_fen = MoneyField(data_key="amount")
    open_fen = MoneyField(data_key="open")
    written_off_fen = MoneyField(data_key="written_off")
    settled_on = fields.Date(allow_none=True)
    disputed_at = fields.AwareDateTime(allow_none=True)
    dispute_reason = fields.String(allow_none=True)
    principal_id = fields.UUID(allow_none=True)
    status = fields.String(data_key="state")


class ReceivableWithAllocations(ReceivableView):
    allocations = fields.List(fields.Nested(ReceivableAllocationView))


class ReceivablesArgs(PageArgs):
    customer_id = fields.UUID(load_default=None)
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(load_default=None, validate=validate.OneOf(STATUSES))


class ReceivablesPage(Schema):
    items = fields.List(fields.Nested(ReceivableView))
    next_cursor = fields.String(allow_none=True)


class AgeingArgs(Schema):
    """`as_of` is today unless given; customers come in order of id, continued by `cursor`."""

    as_of = fields.Date(load_default=None, validate=DAY, metadata=DAY_DOC)
    branch_id = fields.String(load_default=None, validate=BRANCH)
    cursor = fields.String(load_default=None, allow_none=True, validate=CURSOR)
    limit = fields.Integer(load_default=CUSTOMERS_DEFAULT, validate=validate.Range(1, CUSTOMERS_MAX))


class AgeingBucketView(Schema):
    bucket = fields.String(metadata={"example": "31-60"})
    open = MoneyField()


class AgeingCustomerView(Schema):
    customer_id = fields.UUID()
    buckets = fields.List(MoneyField())
    total = MoneyField()


class AgeingView(Schema):
    """Σ buckets = total = balance of 1122 at the end of the day; `credits` (below 0) stand in the first bucket.

    `overdue_bp` is metric M19: overdue debts over debts.
    """

    as_of = fields.Date()
    branch_id = fields.String(allow_none=True)
    buckets = fields.List(fields.Nested(AgeingBucketView))
    total = MoneyField()
    credits = MoneyField()
    overdue = MoneyField()
    overdue_bp = fields.Integer(allow_none=True)
    customers = fields.List(fields.Nested(AgeingCustomerView))
    next_cursor = fields.String(allow_none=True)


class ReceivableProofArgs(Schema):
    as_of = fields.Date(load_default=None, validate=DAY, metadata=DAY_DOC)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class ReceivableProofView(Schema):
    """The sub-ledger against its control account, read in one snapshot."""

    as_of = fields.Date()
    branch_id = fields.String(allow_none=True)
    account = fields.String()
    ledger_fen = MoneyField(data_key="ledger")
    items_fen = MoneyField(data_key="items")
    agrees = fields.Boolean()


class IndicatorsArgs(Schema):
    """Days, both included."""

    first = fields.Date(required=True, validate=DAY, data_key="from", metadata=DAY_DOC)
    until = fields.Date(required=True, validate=DAY, metadata={"example": "2026-04-30"})
    branch_id = fields.String(load_default=None, validate=BRANCH)

    @validates_schema
    def _forward(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["until"] < data["first"]:
            raise ValidationError("the window is empty", "until")


class DunningSuccessView(Schema):
    level = fields.Integer()
    channel = fields.String()
    items = fields.Integer()
    settled = fields.Integer()


class IndicatorsView(Schema):
    """DSO (M20) in hundredths of a day, collection effectiveness (M21), dunning success (M22) per level and channel."""

    first = fields.Date(data_key="from")
    until = fields.Date()
    branch_id = fields.String(allow_none=True)
    opening_fen = MoneyField(data_key="opening")
    closing_fen = MoneyField(data_key="closing")
    credit_sales_fen = MoneyField(data_key="credit_sales")
    closing_current_fen = MoneyField(data_key="closing_current")
    dso_centidays = fields.Integer(allow_none=True)
    collection_effectiveness_bp = fields.Integer(allow_none=True)
    dunning = fields.List(fields.Nested(DunningSuccessView))


class PaymentShareBody(Schema):
    item_id = fields.UUID(required=True)
    amount_fen = MoneyField(minimum_fen=1, required=True, data_key="amount")


class ReceivedPaymentBody(Schema):
    """Money of a customer; `reference` (of the transfer, bill or receipt) is booked once per means of payment.

    It pays the named items, or with `oldest_first` those due first; what is left over stays a credit.
    """

    customer_id = fields.UUID(required=True)
    branch_id = fields.String(required=True, validate=BRANCH)
    tender = fields.String(required=True, validate=validate.OneOf(sorted(PAYMENT_ACCOUNTS)))
    reference = fields.String(required=True, validate=NUMBER)
    received_on = fields.Date(required=True, validate=DAY, metadata=DAY_DOC)
    amount_fen = MoneyField(minimum_fen=1, required=True, data_key="amount")
    allocations = fields.List(
        fields.Nested(PaymentShareBody), load_default=list, validate=validate.Length(0, 500)
    )
    oldest_first = fields.Boolean(load_default=False, truthy={True}, falsy={False})

    @validates_schema
    def _one_way(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["oldest_first"] and data["allocations"]:
            raise ValidationError("name items, or pay the oldest first, not both", "allocations")


class ReceivedPaymentView(Schema):
    payment_id = fields.UUID()
    customer_id = fields.UUID()
    branch_id = fields.String()
    tender = fields.String()
    reference = fields.String()
    received_on = fields.Date()
    booked_on = fields.Date()
    amount_fen = MoneyField(data_key="amount")
    unallocated_fen = MoneyField(data_key="unallocated")
    item_id = fields.UUID()
    received_by = fields.String()
    recorded_at = fields.AwareDateTime()
    reversed_on = fields.Date(allow_none=True)
    reversal_reason = fields.String(allow_none=True)
    allocations = fields.List(fields.Nested(ReceivableAllocationView))


class AllocationBody(Schema):
    credit_id = fields.UUID(required=True)
    debt_id = fields.UUID(required=True)
    amount_fen = MoneyField(minimum_fen=1, required=True, data_key="amount")


class AllocationDone(Schema):
    """The two items after the allocation."""

    allocation_id = fields.UUID()
    credit = fields.Nested(ReceivableView)
    debt = fields.Nested(ReceivableView)


class InstalmentBody(Schema):
    days = fields.Integer(required=True, strict=True, validate=validate.Range(0, 3650))
    share_bp = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10_000))


class CreditTermsBody(Schema):
    """Shares sum to 10 000 bp; days count from the business date of the sale."""

    customer_id = fields.UUID(required=True)
    effective_from = fields.Date(required=True, validate=DAY, metadata=DAY_DOC)
    instalments = fields.List(fields.Nested(InstalmentBody), required=True, validate=validate.Length(1, 60))


class CreditTermsView(Schema):
    customer_id = fields.UUID()
    effective_from = fields.Date()
    instalments = fields.List(fields.Nested(InstalmentBody))
    decided_by = fields.String()
    decided_at = fields.AwareDateTime()


class CreditTermsArgs(Schema):
    customer_id = fields.UUID(required=True)


class CreditTermsList(Schema):
    items = fields.List(fields.Nested(CreditTermsView))


class WriteOffBody(Schema):
    """All that is open, unless `amount` says less."""

    amount_fen = MoneyField(minimum_fen=1, load_default=None, data_key="amount")
    reason = fields.String(required=True, validate=REASON)


class RecoveryBody(Schema):
    credit_id = fields.UUID(required=True, metadata={"description": "The open item of the money that came."})
    amount_fen = MoneyField(minimum_fen=1, required=True, data_key="amount")


class WriteOffView(Schema):
    write_off_id = fields.UUID()
    item_id = fields.UUID()
    branch_id = fields.String()
    amount_fen = MoneyField(data_key="amount")
    reason = fields.String()
    state = fields.String()
    requested_by = fields.String()
    requested_at = fields.AwareDateTime()
    booked_on = fields.Date(allow_none=True)
