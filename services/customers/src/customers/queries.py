"""Every statement that only reads. Whoever calls has checked the branch, or passes the branches to show."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from customers.domain.permission import Permission, permission_on
from customers.repository import standing_of
from customers.tables import contacts, customers, trade_permissions

LOOKUP_ROWS_MAX = 20

# The points of refunds are the difference of two cumulative sums in finance's order, each rounded down, so a
# line's refunds take back together what one refund of their sum would.
_ENTRIES = """
    select * from (
        select 'earn' as kind, e.points, e.basis_fen as money_basis_fen, e.sale_id, e.sale_line_id,
            null as return_id, e.day, e.source_seq
        from point_earnings e where e.customer_id = :customer_id
        union all
        select 'reverse_earn',
            (div(points::numeric * least(until_before, gross_fen), gross_fen)
                - div(points::numeric * least(until_now, gross_fen), gross_fen))::bigint,
            -refunded_fen, sale_id, sale_line_id, return_id, day, source_seq
        from (
            select e.points, e.gross_fen, e.sale_id, e.sale_line_id, r.return_id, r.day, r.source_seq,
                r.refunded_fen, r.refund_id,
                (sum(r.refunded_fen) over line)::bigint as until_now,
                (sum(r.refunded_fen) over line - r.refunded_fen)::bigint as until_before
            from point_earnings e
            join point_refunds r on r.sale_id = e.sale_id and r.sale_line_id = e.sale_line_id
            where e.customer_id = :customer_id
            window line as (
                partition by e.sale_id, e.sale_line_id order by r.source_seq, r.refund_id
                rows between unbounded preceding and current row)
        ) as taken
    ) as entry
"""
_PAGE = (
    _ENTRIES + " where (source_seq, sale_line_id, sale_id) < (:seq, :line, :sale)"
    " order by source_seq desc, sale_line_id desc, sale_id desc limit :limit"
)
_BALANCE = """
    select coalesce(sum(
        e.points - div(e.points::numeric * least(coalesce(r.refunded_fen, 0), e.gross_fen), e.gross_fen)), 0)
    from point_earnings e
    left join lateral (
        select sum(refunded_fen)::bigint as refunded_fen from point_refunds
        where sale_id = e.sale_id and sale_line_id = e.sale_line_id
    ) as r on true
    where e.customer_id = :customer_id
"""


def customers_page(
    conn: Connection,
    *,
    branches: Sequence[str] | None,
    kind: str | None,
    status: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Customers of these branches (None: all) in the order of their ids, which is that of registration."""
    query = select(customers).order_by(customers.c.id).limit(limit)
    if branches is not None:
        query = query.where(customers.c.branch_id.in_(branches))
    if kind is not None:
        query = query.where(customers.c.kind == kind)
    if status is not None:
        query = query.where(customers.c.status == status)
    if after is not None:
        query = query.where(customers.c.id > after)
    return conn.execute(query).all()


def by_phone_index(conn: Connection, index: bytes, branches: Sequence[str] | None) -> Sequence[Any]:
    """At most LOOKUP_ROWS_MAX customers of these branches with the telephone number behind the blind index."""
    query = select(customers).where(customers.c.phone_index == index).order_by(customers.c.id)
    if branches is not None:
        query = query.where(customers.c.branch_id.in_(branches))
    return conn.execute(query.limit(LOOKUP_ROWS_MAX)).all()


def contact_rows(conn: Connection, customer_id: UUID) -> Sequence[Any]:
    return conn.execute(
        select(contacts).where(contacts.c.customer_id == customer_id).order_by(contacts.c.id)
    ).all()


def trade_permission(conn: Connection, customer: Any, on: date) -> tuple[Permission, int]:
    """The permission on a day, computed now, and the version of the one last published (0: none).

    A patient needs no licence: what a patient may buy is decided at the till. Source: G2, model 3.1 invariant 2
    """
    if customer.kind == "patient":
        allowed = customer.status == "active"
        reasons = () if allowed else (f"status_{customer.status}",)
        return Permission(allowed=allowed, categories=(), reasons=reasons, valid_until=None), 0
    version = conn.execute(
        select(trade_permissions.c.permission_version).where(trade_permissions.c.customer_id == customer.id)
    ).scalar()
    return permission_on(standing_of(conn, customer, on), on), int(version or 0)


def points_balance(conn: Connection, customer_id: str) -> int:
    """Everything earned less everything taken back; redeemed points later make it negative. Unit: points."""
    return int(conn.execute(text(_BALANCE), {"customer_id": customer_id}).scalar_one())


def points_page(
    conn: Connection, customer_id: str, *, before: tuple[int, str, str] | None, limit: int
) -> Sequence[Any]:
    """Entries of the points ledger, newest first."""
    seq, line, sale = before or (2**63 - 1, "", "")
    return conn.execute(
        text(_PAGE), {"customer_id": customer_id, "seq": seq, "line": line, "sale": sale, "limit": limit}
    ).all()


def change_rows(conn: Connection, customer_id: UUID, *, before: int | None, limit: int) -> Sequence[Any]:
    """The change log of a customer without values, newest first. Source: C34"""
    return conn.execute(
        text(
            "select id, at, actor, action, fields from customer_changes"
            " where customer_id = :customer_id and id < :before order by id desc limit :limit"
        ),
        {"customer_id": customer_id, "before": before or 2**63 - 1, "limit": limit},
    ).all()
