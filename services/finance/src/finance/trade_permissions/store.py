"""What customers said about whom we may sell to: every word of it, and which one held on a day.

A sale that is told late is judged by the permission of its own day: one that was withdrawn later does not refuse
it, one that came back later does not excuse it. Words come in any order and more than once. Before the first word
on a customer the first one holds: whoever was a customer before these books was registered with them.
Source: model 3.0, X11
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import orjson
from psycopg import pq
from sqlalchemy import Connection

from finance.trade_permissions.model import PERMISSION_CHANGED
from finance.trade_permissions.rules import CustomerUnknown, Permission, not_yet_known
from shared import watermark
from shared.database import driver_of
from shared.transaction import Tx

_HELD = """
    select version, kind, allowed, categories, valid_until from trade_permission_versions
    where customer_id = {customer}
    order by from_day <= {day} desc, case when from_day <= {day} then version else -version end desc limit 1
"""
OF_ONE = f"select row_to_json(x) from ({_HELD.format(customer='%(customer)s::uuid', day='%(day)s::date')}) x"
"""What held for one customer, as `read` reads it."""
_OF_MANY = f"""
    select asked.customer, asked.day, held.*
    from unnest(%s::uuid[], %s::date[]) as asked(customer, day)
    join lateral ({_HELD.format(customer="asked.customer", day="asked.day")}) as held on true
"""
_ADD = """
    insert into trade_permission_versions (customer_id, version, from_day, kind, allowed, categories, valid_until)
    select customer_id, version, from_day, kind, allowed, array(select jsonb_array_elements_text(categories)),
        valid_until
    from jsonb_to_recordset(%s::jsonb) as told(customer_id uuid, version int, from_day date, kind text,
        allowed boolean, categories jsonb, valid_until date)
    order by customer_id, version on conflict do nothing
"""
_RENEW = """
    insert into trade_permissions (customer_id, version, kind, allowed, categories, valid_until)
    select distinct on (customer_id) customer_id, version, kind, allowed,
        array(select jsonb_array_elements_text(categories)), valid_until
    from jsonb_to_recordset(%s::jsonb) as told(customer_id uuid, version int, kind text, allowed boolean,
        categories jsonb, valid_until date)
    order by customer_id, version desc
    on conflict (customer_id) do update set version = excluded.version, kind = excluded.kind,
        allowed = excluded.allowed, categories = excluded.categories, valid_until = excluded.valid_until
    where trade_permissions.version < excluded.version
"""

KINDS = "(select customer_id, kind from trade_permissions)"
"""SQL: what kind of customer each one is that customers told us of."""


def keep(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep all that was said, from the day on which it was said, and the newest of each customer."""
    told = orjson.dumps(rows).decode()
    with driver_of(conn) as driver:
        driver.execute(_ADD, (told,))
        driver.execute(_RENEW, (told,))


def caught_up_with(tx: Tx, customer_ids: Collection[UUID]) -> set[UUID]:
    """Those of whom customers has nothing left to tell us: each by when it may have been registered itself."""
    level = watermark.level_since(tx.conn, "customers", types=[PERMISSION_CHANGED]) if customer_ids else None
    return {each for each in customer_ids if watermark.covers(level, now=tx.now, about=each)}


def require_told(tx: Tx, strangers: Collection[UUID]) -> None:
    """Nobody told us of these: there may be none. Raises CustomerUnknown, or CustomerNotYetKnown while news are on their way."""
    if not strangers:
        return
    if len(caught_up_with(tx, strangers)) < len(strangers):
        raise not_yet_known()
    raise CustomerUnknown("nobody told us of this customer")


def read(told: pq.abc.PGresult) -> Permission | None:
    """The answer to OF_ONE."""
    row = told.get_value(0, 0) if told.ntuples else None
    return None if row is None else msgspec.json.decode(row, type=Permission)


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
