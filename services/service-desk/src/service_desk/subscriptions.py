"""What the service desk reads of others' events: the fields it uses, no more.

Unknown fields are passed over, so a producer may add to a fact. A reader returns the fields it checked.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields

from shared.errors import Invalid
from shared.texts import (
    BRANCH_PATTERN,
    LINE_PATTERN,
    LOT_CHARS_MAX,
    REFERENCE_PATTERN,
    Branch,
    Name,
    Reference,
)
from shared.validators import DAY, of

_REFERENCE: Final = re.compile(REFERENCE_PATTERN)
_BRANCH: Final = re.compile(BRANCH_PATTERN)
_LOT: Final = re.compile(LINE_PATTERN)


class EventUnreadable(Invalid):
    code = "service_desk_event_unreadable"


class _Reads(Schema):
    class Meta:
        unknown = EXCLUDE


class CustomerRegistered(_Reads):
    """customers.customer.registered.v1."""

    customer_id = fields.String(required=True, validate=of(Reference))
    kind = fields.String(required=True, validate=of(Name))
    branch_id = fields.String(required=True, validate=of(Branch))


class ReturnRefused(_Reads):
    """returns.return.refused.v1."""

    return_id = fields.String(required=True, validate=of(Reference))
    branch_id = fields.String(required=True, validate=of(Branch))
    cause = fields.String(required=True, validate=of(Name))


class ReturnSettled(_Reads):
    """returns.return.settled.v1."""

    return_id = fields.String(required=True, validate=of(Reference))
    branch_id = fields.String(required=True, validate=of(Branch))
    settled_on = fields.Date(required=True, validate=DAY)


def read_sale(data: Mapping[str, Any]) -> dict[str, Any]:
    """finance.sale.posted.v1, by far the most frequent: read by hand, in a tenth of a schema's time.

    `lots` are the distinct (product, lot) pairs, in order. Raises EventUnreadable.
    """
    try:
        customer_id = data["customer_id"]
        sale = {
            "sale_id": _text(data["sale_id"], _REFERENCE),
            "branch_id": _text(data["branch_id"], _BRANCH),
            "customer_id": None if customer_id is None else _text(customer_id, _REFERENCE),
            "business_date": date.fromisoformat(data["business_date"]),
            "lots": sorted(
                {
                    (_text(line["product_id"], _REFERENCE), _text(line["lot"], _LOT, LOT_CHARS_MAX))
                    for line in data["lines"]
                }
            ),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise EventUnreadable(f"a posted sale lacks or spoils a field: {error!r}") from error
    return sale


def _text(value: object, form: re.Pattern[str], longest: int = 64) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text belongs")
    if len(value) > longest or not form.match(value):
        raise ValueError("a text of another form")
    return value


READS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "finance.sale.posted.v1": read_sale,
    "customers.customer.registered.v1": CustomerRegistered().load,
    "returns.return.refused.v1": ReturnRefused().load,
    "returns.return.settled.v1": ReturnSettled().load,
}
