"""What the service desk hears of others: the fields it uses, no more, kept as the newest state of each aggregate.

Unknown fields are passed over, so a producer may add to a fact. A reader returns the fields it checked, and a refusal
parks the event. Each function takes all events of its type in a batch and runs one statement.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields

from service_desk.known import store, tables
from shared.consumer import in_sets
from shared.errors import Invalid
from shared.events import Envelope
from shared.languages import Text
from shared.refilling import Projection, refilled
from shared.texts import (
    BRANCH_PATTERN,
    LINE_PATTERN,
    LOT_CHARS_MAX,
    REFERENCE_PATTERN,
    Branch,
    Name,
    Reference,
)
from shared.transaction import Tx
from shared.validators import DAY, of

_REFERENCE: Final = re.compile(REFERENCE_PATTERN)
_BRANCH: Final = re.compile(BRANCH_PATTERN)
_LOT: Final = re.compile(LINE_PATTERN)


class EventUnreadable(Invalid):
    code = "service_desk_event_unreadable"
    cure = "Mend the producer of the event; the operator sends what was parked again."


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
        raise EventUnreadable(
            Text("a posted sale lacks or spoils a field: {error!r}", error=error)
        ) from error
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


def on_sale_posted(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Know the sale: its branch, customer and lots."""
    store.keep_newest(
        tx, tables.known_sales, ({**_read(each), "version": each.version} for each in envelopes)
    )


def on_customer_registered(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Know the customer's home branch."""
    store.keep_newest(
        tx,
        tables.known_customers,
        ({**_read(each), "version": each.version} for each in envelopes),
    )


def on_return_refused(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A ticket that names this return shows that it was refused, and why."""
    store.keep_newest(
        tx,
        tables.return_outcomes,
        (
            {
                **_read(each),
                "outcome": "refused",
                "decided_on": each.day,
                "version": each.version,
            }
            for each in envelopes
        ),
    )


def on_return_settled(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A ticket that names this return shows that it was settled."""
    rows = []
    for each in envelopes:
        settled = _read(each)
        decided_on = settled.pop("settled_on")
        rows.append(
            {
                **settled,
                "outcome": "settled",
                "cause": None,
                "decided_on": decided_on,
                "version": each.version,
            }
        )
    store.keep_newest(tx, tables.return_outcomes, rows)


def _read(envelope: Envelope) -> dict[str, Any]:
    """The fields we use. A refusal parks the event."""
    fields: dict[str, Any] = READS[envelope.type](envelope.data)
    return fields


REACTIONS: Mapping[str, Callable[[Tx, Sequence[Envelope]], None]] = {
    "finance.sale.posted.v1": on_sale_posted,
    "customers.customer.registered.v1": on_customer_registered,
    "returns.return.refused.v1": on_return_refused,
    "returns.return.settled.v1": on_return_settled,
}


WITHDRAW = refilled(
    {
        "finance": Projection(tables=["known_sales"], reactions={"finance.sale.posted.v1": on_sale_posted}),
        "customers": Projection(
            tables=["known_customers"],
            reactions={"customers.customer.registered.v1": on_customer_registered},
        ),
        "returns": Projection(
            tables=["return_outcomes"],
            reactions={
                "returns.return.refused.v1": on_return_refused,
                "returns.return.settled.v1": on_return_settled,
            },
        ),
    }
)
"""The service desk keeps copies only: all of a source's are made anew when its log lost events."""


handle = in_sets(REACTIONS)
