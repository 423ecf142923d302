"""The statements that change redemptions, and the locked reads before them; all within the caller's transaction."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor
from sqlalchemy import Connection, text

from customers.loyalty.model import Redemption
from customers.loyalty.rules import RedemptionNotFound, RedemptionUnheardOf, given_back
from customers.loyalty.store.points import NOT_LOST, columns_of
from shared.events import Envelope
from shared.languages import Text
from shared.transaction import Tx

FIELDS = ", ".join(each.name for each in fields(Redemption))
_REDEMPTIONS = f"""
    select {FIELDS} from point_redemptions
    where redemption_id = any(%s)
    order by redemption_id for update
"""
_ADD_RESTORATIONS = f"""
    insert into point_restorations (refund_id, redemption_id, return_id, points, day, source_seq, cause_event_id)
    select * from unnest(%s::text[], %s::uuid[], %s::text[], %s::bigint[], %s::date[], %s::bigint[], %s::uuid[]) as u(
        refund_id, redemption_id, return_id, points, day, source_seq, cause_event_id)
    where not exists (
        select from point_restorations r where r.refund_id = u.refund_id and r.cause_event_id <> u.cause_event_id
            and {NOT_LOST})
    on conflict do nothing
"""
_USE = """
    update point_redemptions r set state = 'used', sale_id = u.sale_id, used_on = least(r.used_on, u.day),
        used_event_id = case when u.is_sale or r.used_event_id is null then u.event_id else r.used_event_id end
    from unnest(%s::uuid[], %s::text[], %s::date[], %s::uuid[], %s::boolean[])
        as u(redemption_id, sale_id, day, event_id, is_sale)
    where r.redemption_id = u.redemption_id
"""
_LOTS_OF_REDEMPTIONS = f"""
    select redemption_id, array_agg(points order by no),
        (select coalesce(sum(r.points), 0)::bigint from point_restorations r
            where r.redemption_id = l.redemption_id and {NOT_LOST})
    from point_redemption_lots l where redemption_id = any(%s) group by redemption_id order by redemption_id
"""
_GIVE_BACK = """
    update point_redemption_lots l set given_back = u.points
    from unnest(%s::uuid[], %s::int[], %s::bigint[]) as u(redemption_id, no, points)
    where l.redemption_id = u.redemption_id and l.no = u.no
"""
_CHECK = """
    insert into point_checks (customer_id)
    select distinct customer_id from point_redemptions where redemption_id = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Use:
    """A sale that was paid with a redemption, as the sale or a refund of it tells."""

    redemption_id: UUID
    sale_id: str
    cause: Envelope
    is_sale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """Points of a redemption that a refund of its sale gives back; a row of point_restorations."""

    refund_id: str
    redemption_id: UUID
    return_id: str
    points: int
    day: date
    source_seq: int
    cause_event_id: UUID


_Used = tuple[str, date, UUID, bool]
"""Of a redemption that is used: the sale, its first day, the event that told it, whether that is the sale's own."""


def settle_redemptions(
    cursor: Cursor[Any], uses: Sequence[Use], restorations: Sequence[Restoration]
) -> list[tuple[Use, Redemption]]:
    """Write what finance said of redemptions; what their lots get back is a function of all that was said.

    Finance is the judge: a redemption it used is used, though we may have given its points back meanwhile, and
    they are taken again; those are returned as they were, each once. Raises RedemptionUnheardOf.
    """
    ids = sorted({each.redemption_id for each in uses} | {each.redemption_id for each in restorations})
    again: dict[UUID, tuple[Use, Redemption]] = {}
    if not ids:
        return []
    found = {row[0]: Redemption(*row) for row in cursor.execute(_REDEMPTIONS, (ids,))}
    for redemption_id in ids:
        if redemption_id not in found:
            raise RedemptionUnheardOf("no such redemption", redemption_id=str(redemption_id))
    used: dict[UUID, _Used] = {}
    for use in uses:
        known = found[use.redemption_id]
        by = used[use.redemption_id][0] if use.redemption_id in used else known.sale_id
        if by not in {None, use.sale_id}:
            raise RedemptionUnheardOf("another sale used it", redemption_id=str(use.redemption_id))
        used[use.redemption_id] = _used(used.get(use.redemption_id), use)
        if known.state == "restored":
            again.setdefault(use.redemption_id, (use, known))
    if used:
        cursor.execute(_USE, columns_of([(each, *used[each]) for each in sorted(used)]))
    if restorations:
        cursor.execute(_ADD_RESTORATIONS, columns_of([astuple(each) for each in restorations]))
    settle_lots(cursor, ids)
    cursor.execute(_CHECK, (ids,))
    return list(again.values())


def times_given_up(conn: Connection, redemption_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often each was given back because the sale that took it again was lost: its facts are told in turn."""
    if not redemption_ids:
        return {}
    asked = text(
        "select id, count(c.redemption_id) from unnest(cast(:ids as uuid[])) as id left join point_corrections c"
        " on c.redemption_id = id and c.kind = 'use' and c.points > 0 group by id"
    )
    return {row[0]: row[1] for row in conn.execute(asked, {"ids": list(redemption_ids)})}


def _used(before: _Used | None, use: Use) -> _Used:
    """The event kept is the sale's own, whenever it is told; else the first that spoke of it."""
    if before is None:
        return use.sale_id, use.cause.day, use.cause.event_id, use.is_sale
    _, day, event_id, is_sale = before
    if use.is_sale:
        event_id = use.cause.event_id
    return use.sale_id, min(day, use.cause.day), event_id, is_sale or use.is_sale


def settle_lots(cursor: Cursor[Any], redemption_ids: Sequence[UUID]) -> None:
    """Spread what refunds gave back of redemptions, whose rows the caller holds, over their lots."""
    rows = []
    for redemption_id, lots, restored in cursor.execute(_LOTS_OF_REDEMPTIONS, (list(redemption_ids),)):
        if restored > sum(lots):
            raise RedemptionUnheardOf("more comes back than was redeemed", redemption_id=str(redemption_id))
        back = given_back(lots, restored)
        rows += [(redemption_id, no, points) for no, points in enumerate(back, 1)]
    if rows:
        cursor.execute(_GIVE_BACK, columns_of(rows))


def hold_redemption(tx: Tx, redemption_id: UUID) -> Redemption:
    """A redemption, held until this transaction ends. Raises RedemptionNotFound, ForeignBranch."""
    row = tx.conn.execute(
        text(f"select {FIELDS} from point_redemptions where redemption_id = :id for update"),
        {"id": redemption_id},
    ).one_or_none()
    if row is None:
        raise no_redemption(redemption_id)
    tx.actor.require_branch(row.branch_id)
    return Redemption(*row)


def no_redemption(redemption_id: UUID) -> RedemptionNotFound:
    return RedemptionNotFound(
        Text("no redemption {redemption_id}", redemption_id=redemption_id), redemption_id=str(redemption_id)
    )


def hold_unused(conn: Connection, now: datetime, limit: int) -> list[Redemption]:
    """Open redemptions whose time is over, held; those that another transaction holds are passed over."""
    rows = conn.execute(
        text(
            f"select {FIELDS} from point_redemptions where state = 'open' and restore_at <= :now"
            " order by restore_at, redemption_id limit :limit for update skip locked"
        ),
        {"now": now, "limit": limit},
    )
    return [Redemption(*row) for row in rows]


def restore(tx: Tx, redemption_id: UUID, *, cause: str, on: date) -> None:
    """Nobody used it, and its points go back; the caller holds it."""
    tx.conn.execute(
        text(
            "update point_redemptions set state = 'restored', restored_on = :today, restored_at = :now,"
            " restored_cause = :cause where redemption_id = :id"
        ),
        {"id": redemption_id, "today": on, "now": tx.now, "cause": cause},
    )
    give_all_back(tx.conn, redemption_id)


def give_all_back(conn: Connection, redemption_id: UUID) -> None:
    conn.execute(
        text("update point_redemption_lots set given_back = points where redemption_id = :id"),
        {"id": redemption_id},
    )


def add_redemption(tx: Tx, row: dict[str, Any]) -> bool:
    """False when the receipt has one already that may still be, or was, used."""
    added = tx.conn.execute(
        text(
            "insert into point_redemptions (redemption_id, customer_id, branch_id, receipt_number, points,"
            " value_fen, state, redeemed_on, redeemed_at, redeemed_by, restore_at)"
            " select :id, :customer_id, :branch_id, :receipt_number, :points, :value_fen, 'open', :today, :now,"
            " :actor, :restore_at where not exists (select 1 from point_redemptions"
            " where branch_id = :branch_id and receipt_number = :receipt_number and state = 'used')"
            " on conflict (branch_id, receipt_number) where state = 'open' do nothing"
        ),
        row,
    )
    return bool(added.rowcount)


def add_lots(conn: Connection, redemption_id: UUID, shares: Sequence[tuple[str, int]]) -> None:
    conn.execute(
        text(
            "insert into point_redemption_lots (redemption_id, no, sale_id, points)"
            " values (:id, :no, :sale_id, :points)"
        ),
        [
            {"id": redemption_id, "no": no, "sale_id": sale_id, "points": points}
            for no, (sale_id, points) in enumerate(shares, 1)
        ],
    )
