"""What the service desk reads of others' events: the fields it uses, no more.

Unknown fields are passed over, so a producer may add to a fact.
"""

from collections.abc import Mapping
from typing import Final

from marshmallow import EXCLUDE, Schema, fields


class _Reads(Schema):
    class Meta:
        unknown = EXCLUDE


class SoldLine(_Reads):
    product_id = fields.String(required=True)
    lot = fields.String(required=True, allow_none=True)


class SalePosted(_Reads):
    """finance.sale.posted.v1."""

    sale_id = fields.String(required=True)
    branch_id = fields.String(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    business_date = fields.Date(required=True)
    lines = fields.List(fields.Nested(SoldLine), required=True)


class CustomerRegistered(_Reads):
    """customers.customer.registered.v1."""

    customer_id = fields.String(required=True)
    kind = fields.String(required=True)
    branch_id = fields.String(required=True)


class ReturnRefused(_Reads):
    """returns.return.refused.v1."""

    return_id = fields.String(required=True)
    branch_id = fields.String(required=True)
    cause = fields.String(required=True)


class ReturnSettled(_Reads):
    """returns.return.settled.v1."""

    return_id = fields.String(required=True)
    branch_id = fields.String(required=True)
    settled_on = fields.Date(required=True)


READS: Final[Mapping[str, Schema]] = {
    "finance.sale.posted.v1": SalePosted(),
    "customers.customer.registered.v1": CustomerRegistered(),
    "returns.return.refused.v1": ReturnRefused(),
    "returns.return.settled.v1": ReturnSettled(),
}
