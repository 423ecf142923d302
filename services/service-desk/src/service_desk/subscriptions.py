"""What the service desk reads of others' events: the fields it uses, no more.

Unknown fields are passed over, so a producer may add to a fact. A reader returns the fields it checked.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields

from shared.errors import Invalid


class EventUnreadable(Invalid):
    code = "service_desk_event_unreadable"


class _Reads(Schema):
    class Meta:
        unknown = EXCLUDE


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


def read_sale(data: Mapping[str, Any]) -> dict[str, Any]:
    """finance.sale.posted.v1, by far the most frequent: read by hand, in a tenth of a schema's time.

    `lots` are the distinct (product, lot) pairs, in order. Raises EventUnreadable.
    """
    try:
        customer_id = data["customer_id"]
        sale = {
            "sale_id": _text(data["sale_id"]),
            "branch_id": _text(data["branch_id"]),
            "customer_id": None if customer_id is None else _text(customer_id),
            "business_date": date.fromisoformat(data["business_date"]),
            "lots": sorted({(_text(line["product_id"]), _text(line["lot"])) for line in data["lines"]}),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise EventUnreadable(f"a posted sale lacks or spoils a field: {error!r}") from error
    return sale


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text belongs")
    return value


READS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "finance.sale.posted.v1": read_sale,
    "customers.customer.registered.v1": CustomerRegistered().load,
    "returns.return.refused.v1": ReturnRefused().load,
    "returns.return.settled.v1": ReturnSettled().load,
}
