"""SQL of the writing side. A sale is one statement in one round trip; thousands are COPY (finance.sales.store.many).

The raw psycopg cursor is used throughout; its errors leave here as SQLAlchemy's, which the edge understands.
"""

import orjson
from msgspec import Struct

from finance import (
    channel_transactions,
    ledger,
    lots,
    open_items,
    product_checks,
    receipts,
    sold,
    stop_sales,
    trade_permissions,
)
from finance.kernel.sale import Booked, credit_of
from finance.periods import PERIODS
from finance.sales.events import SALE_POSTED, event_of
from finance.trade_permissions import Permission
from shared import round_trip
from shared.clock import business_date
from shared.round_trip import Statement, text_array
from shared.transaction import Tx


class Written(Struct, frozen=True):
    """What the sale statement did: nothing when the month is missing or closed or the number is taken.

    `stopped` are lots of its lines that were off sale when it was made; `tells` whether a lot's expiry is to be told
    (finance.lots): it is new, or contradicts what holds. `products` is what finance.product_checks judges by.
    `is_paid_by_another` says that a channel's id had paid another receipt.
    """

    added: bool
    period_state: str | None
    permission: Permission | None
    stopped: list[stop_sales.Lot]
    tells: bool
    products: bytes | None
    is_paid_by_another: bool


# `hold_month` may not have found the month that the snapshot of this statement shows: it was committed between them, and
# the statement was planned without its partitions. Nothing is written then, and the month is held first.
_ADD_SALE = f"""
with p as materialized (
    select state from {PERIODS} x
    where month = %(month)s::date and current_setting('finance.held_month', true) = %(month)s::date::text
), {receipts.SALE_PART.sql}, {sold.SALE_PART.sql}, {ledger.SALE_PART.sql}, o as (
    insert into outbox (event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, traceparent,
        correlation_id, data)
    select %(event_id)s::uuid, %(type)s, %(sale)s::uuid::text, 'sale', 1, %(booked)s::date, %(total)s::bigint, %(now)s::timestamptz,
        %(traceparent)s, %(request)s, %(event)s::jsonb from r
), a as (
    insert into audit (stream, at, actor, roles, action, subject, after_hash, request_id)
    select %(audit)s, %(now)s::timestamptz, %(actor)s, %(roles)s::text[], 'sale.post', %(sale)s::uuid::text, %(digest)s,
        %(request)s from r
)
"""
_WRITTEN = (
    f"select (select count(*) from r), (select state from p), ({stop_sales.OF_ONE_SALE}), {lots.OF_ONE_SALE},"
    f" ({product_checks.OF_ONE_SALE})"
)
_HOLD_MONTH = Statement("select hold_month(%(month)s::date)")
_PERMISSION = Statement(trade_permissions.OF_ONE)
_SALE = Statement(_ADD_SALE + _WRITTEN)
_SALE_ON_CREDIT = Statement(_ADD_SALE + open_items.SALE_PART.sql + _WRITTEN)


def add_sale(tx: Tx, booked: Booked) -> Written:
    """Write every row of the sale, in one round trip, if its month is open and its number is free.

    The caller judges the permission that comes back and rolls back by raising. The month stays open until the
    caller's transaction ends.
    """
    parameters = _sale_parameters(tx, booked)
    statement = _SALE
    if credit_of(booked):
        statement = _SALE_ON_CREDIT
        parameters |= open_items.SALE_PART.parameters_of(booked)
    # the month by itself, before: the statement that writes is planned with all partitions of the month in sight
    asked = [(_HOLD_MONTH, parameters), (statement, parameters)]
    if booked.priced.receipt.customer_id is not None:
        asked.insert(0, (_PERMISSION, parameters))
    names = channel_transactions.are_named(booked.priced.receipt)
    if names:
        asked.append((channel_transactions.CLAIM, parameters | channel_transactions.parameters_of(booked)))
    answers = round_trip.run(tx.conn, asked)
    reused = answers.pop().get_value(0, 0) if names else b"0"
    *found, _, added = answers
    count, state, stopped, tells, products = (added.get_value(0, column) for column in range(5))
    is_added = count == b"1"
    tx.has_events = tx.has_events or is_added
    return Written(
        is_added,
        state.decode() if state else None,
        trade_permissions.read(found[0]) if found else None,
        [(product, lot) for product, lot in orjson.loads(stopped or b"[]")],
        tells == b"t",
        products,
        reused != b"0",
    )


def _sale_parameters(tx: Tx, booked: Booked) -> dict[str, str | None]:
    return {
        **receipts.SALE_PART.parameters_of(booked),
        **sold.SALE_PART.parameters_of(booked),
        **ledger.SALE_PART.parameters_of(booked),
        "month": f"{booked.booked_on:%Y-%m}-01",
        "actor": tx.actor.id,
        "roles": text_array(sorted(tx.actor.roles)),
        "now": tx.now.isoformat(),
        "event_id": booked.event_id,
        "type": SALE_POSTED,
        "event": event_of(booked).decode(),
        "traceparent": tx.traceparent,
        "request": tx.correlation_id or tx.request_id,
        "audit": f"{business_date(tx.now):%Y-%m}",
        "digest": booked.priced.content_hash.hex(),
    }
