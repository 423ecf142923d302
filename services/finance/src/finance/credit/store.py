"""Where customers stand, their rows locked in one order."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from finance import open_items
from finance.credit.model import CreditChanged
from finance.credit.rules import Position


def hold(conn: Connection, customer_ids: Collection[UUID]) -> None:
    """Lock the customers' rows until the transaction ends, making those missing, always in the same order."""
    if not customer_ids:
        return
    wanted = {"ids": sorted(set(customer_ids))}
    conn.execute(
        text(
            "insert into exposures (customer_id) select x from unnest(cast(:ids as uuid[])) x order by x"
            " on conflict do nothing"
        ),
        wanted,
    )
    conn.execute(
        text("select 1 from exposures where customer_id = any(:ids) order by customer_id for update"), wanted
    )


_POSITIONS = f"""
select x.customer_id, l.limit_fen, coalesce(l.overdue_tolerance_fen, 0) as overdue_tolerance_fen,
    coalesce(l.on_hold, false) as on_hold, l.valid_until, coalesce(i.fen, 0)::bigint as outstanding_fen,
    coalesce(i.overdue_fen, 0)::bigint as overdue_fen, coalesce(o.fen, 0)::bigint as reserved_fen
from unnest(cast(:ids as uuid[])) as x(customer_id)
left join credit_limits l on l.customer_id = x.customer_id
left join lateral (
    select sum(open_fen) as fen, sum(open_fen) filter (where open_fen > 0 and due_on < :today) as overdue_fen
    from {open_items.ITEMS} i where customer_id = x.customer_id and open_fen <> 0
) i on true
left join lateral (
    select sum(fen) as fen from credit_reservations where customer_id = x.customer_id
) o on true
"""


def positions(conn: Connection, customer_ids: Collection[UUID], today: date) -> dict[UUID, Position]:
    """Exact as of this statement; to stay so until the transaction ends, `hold` the customers first."""
    rows = conn.execute(text(_POSITIONS), {"ids": sorted(set(customer_ids)), "today": today}).mappings()
    return {row["customer_id"]: Position(**row) for row in rows}


def reserved_for(conn: Connection, customer_id: UUID, order_id: UUID) -> int:
    """What the order holds of the customer's credit, in fen."""
    row = conn.execute(
        text("select customer_id, fen from credit_reservations where order_id = :id"), {"id": order_id}
    ).one_or_none()
    if row is None:
        return 0
    assert row.customer_id == customer_id, "an order never changes its customer"
    fen: int = row.fen
    return fen


def hold_for(conn: Connection, customer_id: UUID, order_id: UUID, fen: int) -> None:
    if fen:
        statement = (
            "insert into credit_reservations (order_id, customer_id, fen) values (:order, :customer, :fen)"
            " on conflict (order_id) do update set fen = excluded.fen"
        )
    else:
        statement = "delete from credit_reservations where order_id = :order"
    conn.execute(text(statement), {"order": order_id, "customer": customer_id, "fen": fen})


def keep(conn: Connection, newest: Sequence[CreditChanged]) -> None:
    """One word on each customer, unless a newer one is known."""
    conn.execute(
        text(
            "insert into credit_limits (customer_id, version, limit_fen, overdue_tolerance_fen, on_hold, valid_until)"
            " select customer_id, credit_version, limit_fen, overdue_tolerance_fen, on_hold, valid_until"
            " from jsonb_to_recordset(cast(:newest as jsonb)) as u(customer_id uuid, credit_version int,"
            " limit_fen bigint, overdue_tolerance_fen bigint, on_hold boolean, valid_until date) order by 1"
            " on conflict (customer_id) do update set version = excluded.version, limit_fen = excluded.limit_fen,"
            " overdue_tolerance_fen = excluded.overdue_tolerance_fen, on_hold = excluded.on_hold,"
            " valid_until = excluded.valid_until where credit_limits.version < excluded.version"
        ),
        {"newest": msgspec.json.encode(newest).decode()},
    )
