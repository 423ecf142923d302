"""What customers said about whom we may sell to: every word of it, and which one held on a day.

A sale that is told late is judged by the permission of its own day: one that was withdrawn later does not refuse
it, one that came back later does not excuse it. Words come in any order and more than once. Before the first word
on a customer the first one holds: whoever was a customer before these books was registered with them.
Source: model 3.0, X11
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from finance.domain.permission import Permission
from finance.subscriptions import PermissionChanged
from shared.database import driver_of
from shared.events import Envelope
from shared.transaction import Tx

_HELD = """
    select version, kind, allowed, categories, valid_until from trade_permission_versions
    where customer_id = {customer}
    order by from_day <= {day} desc, case when from_day <= {day} then version else -version end desc limit 1
"""
OF_ONE = _HELD.format(customer="%(customer)s::uuid", day="%(day)s::date")
_OF_MANY = f"""
    select asked.customer, asked.day, held.*
    from unnest(%s::uuid[], %s::date[]) as asked(customer, day)
    join lateral ({_HELD.format(customer="asked.customer", day="asked.day")}) as held on true
"""
_ADD = text(
    "insert into trade_permission_versions (customer_id, version, from_day, kind, allowed, categories, valid_until)"
    " values (:customer_id, :version, :from_day, :kind, :allowed, :categories, :valid_until)"
    " on conflict do nothing"
)
_RENEW = text(
    "insert into trade_permissions (customer_id, version, kind, allowed, categories, valid_until)"
    " values (:customer_id, :version, :kind, :allowed, :categories, :valid_until)"
    " on conflict (customer_id) do update set version = excluded.version, kind = excluded.kind,"
    " allowed = excluded.allowed, categories = excluded.categories, valid_until = excluded.valid_until"
    " where trade_permissions.version < excluded.version"
)


def on_changed(tx: Tx, envelope: Envelope) -> None:
    """Keep what was said, from the day on which it was said."""
    event = msgspec.convert(envelope.data, PermissionChanged)
    row = {
        "customer_id": event.customer_id,
        "version": event.permission_version,
        "from_day": envelope.day,
        "kind": event.kind,
        "allowed": event.allowed,
        "categories": event.categories,
        "valid_until": event.valid_until,
    }
    tx.conn.execute(_ADD, row)
    tx.conn.execute(_RENEW, row)


def held_on(conn: Connection, customer_id: UUID, day: date) -> Permission | None:
    """What held for a customer on a day; None when nothing was ever said."""
    return held(conn, {(customer_id, day)}).get((customer_id, day))


def held(conn: Connection, asked: Collection[tuple[UUID, date]]) -> dict[tuple[UUID, date], Permission]:
    """What held for each customer on its day; who was never spoken of is left out."""
    if not asked:
        return {}
    pairs = sorted(asked)
    with driver_of(conn) as driver:
        rows = driver.execute(_OF_MANY, ([each[0] for each in pairs], [each[1] for each in pairs])).fetchall()
    return {(row[0], row[1]): Permission(*row[2:]) for row in rows}
