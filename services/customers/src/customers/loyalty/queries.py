"""What is read of points and redemptions."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from customers.loyalty.rules import Lot
from customers.loyalty.store.points import NOT_LOST
from customers.loyalty.store.redemptions import no_redemption
from shared.paging import decode_cursor, page, page_of
from shared.transaction import Tx

# The points of refunds are the difference of two cumulative sums in finance's order, each rounded down, so a
# line's refunds take back together what one refund of their sum would; what of the sale has expired is not taken.
_ENTRIES = f"""
    select kind, points, money_basis_fen, sale_id, sale_line_id, return_id, redemption_id, day, seq, id,
        coalesce(sale_line_id, '') as line
    from (
        select 'earn' as kind, e.points, e.basis_fen as money_basis_fen, e.sale_id, e.sale_line_id,
            null as return_id, null::uuid as redemption_id, e.day, e.source_seq as seq, e.sale_id as id
        from point_earnings e where e.customer_id = :customer_id
        union all
        select 'reverse_earn', (least(sale_before, cap) - least(sale_now, cap))::bigint, -refunded_fen, sale_id,
            sale_line_id, return_id, null, day, source_seq, refund_id
        from (
            select taken.*, sum(points) over sale as sale_now, sum(points) over sale - points as sale_before,
                (select sum(points) from point_earnings where sale_id = taken.sale_id)
                    - coalesce((select sum(points) from point_expiries where sale_id = taken.sale_id), 0) as cap
            from (
                select e.sale_id, e.sale_line_id, r.return_id, r.day, r.source_seq, r.refunded_fen, r.refund_id,
                    div(e.points::numeric * least(sum(r.refunded_fen) over line, e.gross_fen), e.gross_fen)
                    - div(e.points::numeric * least(sum(r.refunded_fen) over line - r.refunded_fen, e.gross_fen),
                        e.gross_fen) as points
                from point_earnings e
                join point_refunds r on r.sale_id = e.sale_id and r.sale_line_id = e.sale_line_id
                where e.customer_id = :customer_id and
                    {NOT_LOST}
                window line as (
                    partition by e.sale_id, e.sale_line_id order by r.source_seq, r.refund_id
                    rows between unbounded preceding and current row)
            ) as taken
            window sale as (
                partition by sale_id order by source_seq, refund_id, sale_line_id
                rows between unbounded preceding and current row)
        ) as capped
        union all
        select 'expire', -x.points, 0, x.sale_id, null, null, null, x.expired_on, 0,
            x.expiry_id::text || x.sale_id
        from point_expiries x where x.customer_id = :customer_id
        union all
        select step.kind, step.sign * r.points, step.sign * r.value_fen, r.sale_id, null, null, r.redemption_id,
            step.day, (extract(epoch from r.redeemed_at) * 1000000)::bigint + step.no, r.redemption_id::text
        from point_redemptions r cross join lateral (values
            (0, 'redeem', -1, r.redeemed_on, true),
            (1, 'restore_redeem', 1, r.restored_on, r.restored_on is not null),
            (2, 'redeem', -1, r.used_on, r.restored_on is not null and r.state = 'used')
        ) as step(no, kind, sign, day, happened)
        where r.customer_id = :customer_id and step.happened
        union all
        select 'restore_redeem', b.points, div(b.points::numeric * r.value_fen, r.points)::bigint, r.sale_id, null,
            b.return_id, r.redemption_id, b.day, b.source_seq, b.refund_id || ' ' || b.cause_event_id
        from point_restorations b join point_redemptions r using (redemption_id)
        where r.customer_id = :customer_id
        union all
        select 'correct', -b.points, -div(b.points::numeric * r.value_fen, r.points)::bigint, r.sale_id, null,
            b.return_id, r.redemption_id, c.corrected_on, 0, 'back ' || c.event_id
        from point_restorations b join point_redemptions r using (redemption_id)
        join point_corrections c on c.event_id = b.cause_event_id and c.kind = 'refund'
        where r.customer_id = :customer_id
        union all
        select step.kind, step.points, 0, c.sale_id, null, c.return_id, c.redemption_id, step.day, step.seq,
            c.kind || ' ' || c.event_id
        from point_corrections c cross join lateral (values
            (case c.kind when 'use' then 'redeem' else 'reverse_earn' end, -c.taken, c.lost_day, c.source_seq),
            ('correct', c.points, c.corrected_on, 0)
        ) as step(kind, points, day, seq)
        where c.customer_id = :customer_id and step.points <> 0
    ) as entry
"""
_PAGE = (
    _ENTRIES + " where (day, seq, coalesce(sale_line_id, ''), id) < (:day, :seq, :line, :id)"
    " order by day desc, seq desc, coalesce(sale_line_id, '') desc, id desc limit :limit"
)
_LOTS = f"""
    select e.sale_id, e.branch_id, e.earned_on, s.expires_on, e.earned, e.reversed_, x.points as expired,
        d.points as redeemed
    from (
        select e.sale_id, min(e.branch_id) as branch_id, min(e.day) as earned_on,
            sum(e.points)::bigint as earned,
            sum(case when exists (
                    select from point_corrections c where c.event_id = e.cause_event_id and c.kind = 'sale'
                ) then e.points
                else div(e.points::numeric * least(r.refunded_fen, e.gross_fen), e.gross_fen) end)::bigint as reversed_
        from point_earnings e
        cross join lateral (
            select coalesce(sum(refunded_fen), 0)::bigint as refunded_fen from point_refunds r
            where sale_id = e.sale_id and sale_line_id = e.sale_line_id and
                {NOT_LOST}
        ) as r
        where e.customer_id = :customer_id group by e.sale_id
    ) as e
    join point_sales s on s.sale_id = e.sale_id
    cross join lateral (
        select coalesce(sum(points), 0)::bigint as points from point_expiries where sale_id = e.sale_id
    ) as x
    cross join lateral (
        select coalesce(sum(points - given_back), 0)::bigint as points from point_redemption_lots
        where sale_id = e.sale_id
    ) as d
    order by s.expires_on nulls last, e.earned_on, e.sale_id
"""


def point_lots(conn: Connection, customer_id: str) -> list[Lot]:
    """Every sale that earned the customer points and what is left of them, the first to expire first."""
    return [Lot(**row) for row in conn.execute(text(_LOTS), {"customer_id": customer_id}).mappings()]


def points_page(conn: Connection, customer_id: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the entries of the points ledger, newest first. Raises CursorInvalid."""
    day, seq, line, entry_id = decode_cursor(args["cursor"], date, int, str, str)
    place = {
        "day": day or date.max,
        "seq": 2**63 - 1 if seq is None else seq,
        "line": line or "",
        "id": entry_id or "",
    }
    asked = {"customer_id": customer_id, "limit": args["limit"] + 1, **place}
    return page(conn.execute(text(_PAGE), asked).mappings(), args["limit"], "day", "seq", "line", "id")


def redemption(tx: Tx, redemption_id: UUID) -> dict[str, Any]:
    """One redemption with its lots. Raises RedemptionNotFound, ForeignBranch."""
    row = tx.conn.execute(
        text("select * from point_redemptions where redemption_id = :id"), {"id": redemption_id}
    ).one_or_none()
    if row is None:
        raise no_redemption(redemption_id)
    tx.actor.require_branch(row.branch_id)
    return {**row._mapping, "lots": lots_of(tx.conn, redemption_id)}  # noqa: SLF001 - SQLAlchemy's public name


def redemptions(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Redemptions by the day the points were set aside; keyset by day and id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        "select r.* from point_redemptions r",
        {
            "r.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "r.customer_id = :customer_id": args["customer_id"] and str(args["customer_id"]),
            "r.receipt_number = :receipt_number": args["receipt_number"],
            "r.state = :state": args["state"],
            "r.redeemed_on >= :first": args["first"],
            "r.redeemed_on <= :until": args["until"],
        },
        {"r.redeemed_on": date, "r.redemption_id": UUID},
        args,
    )


def lots_of(conn: Connection, redemption_id: UUID) -> list[dict[str, Any]]:
    """What a redemption took, the first consumed first, and what of it went back."""
    rows = conn.execute(
        text(
            "select sale_id, points, given_back from point_redemption_lots where redemption_id = :id order by no"
        ),
        {"id": redemption_id},
    )
    return [dict(row) for row in rows.mappings()]
