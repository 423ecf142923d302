"""The shapes of the lists of receivables: what they are asked by, and a row of each."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, NUMBER, DaysArgs
from finance.receivables.rules import PAYMENT_ACCOUNTS
from finance.receivables.schemas.debts import ReceivableAllocationView, ReceivedPaymentView, WriteOffView
from shared.paging import PageArgs


class PaymentsArgs(DaysArgs):
    """The days are those on which the money came."""

    tender = fields.String(load_default=None, validate=validate.OneOf(sorted(PAYMENT_ACCOUNTS)))
    reference = fields.String(load_default=None, validate=NUMBER)
    state = fields.String(
        load_default=None,
        validate=validate.OneOf(["open", "used", "reversed"]),
        metadata={"description": "`open`: some of it pays nothing yet."},
    )


class ReceivedPaymentRow(ReceivedPaymentView):
    """One payment; `GET /v1/payments/{payment_id}` tells what it paid."""

    class Meta:
        exclude = ("allocations",)


class PaymentsPage(Schema):
    items = fields.List(fields.Nested(ReceivedPaymentRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AllocationsArgs(DaysArgs):
    """The days are those of the allocations."""

    item_id = fields.UUID(
        load_default=None, metadata={"description": "The open item on either side of the allocation."}
    )


class AllocationRow(ReceivableAllocationView):
    """`undone_by` is the allocation that took this one back, `undoes` the one that this took back."""

    customer_id = fields.UUID(required=True)
    branch_id = fields.String(required=True)
    undone_by = fields.UUID(required=True, allow_none=True)


class AllocationsPage(Schema):
    items = fields.List(fields.Nested(AllocationRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class WriteOffsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    customer_id = fields.UUID(load_default=None)
    item_id = fields.UUID(load_default=None)
    state = fields.String(
        load_default=None,
        validate=validate.OneOf(["requested", "rejected", "written_off"]),
        metadata={"description": "`requested` waits for finance head or management."},
    )


class WriteOffRow(WriteOffView):
    customer_id = fields.UUID(required=True)


class WriteOffsPage(Schema):
    items = fields.List(fields.Nested(WriteOffRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
