"""The statements about what finance's log has lost: what it had moved, and what makes that good."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from customers.loyalty.model import Lost, Redemption
from customers.loyalty.store.redemptions import FIELDS
from shared.clock import business_date
from shared.transaction import Tx


def unknown_redemptions(conn: Connection, redemption_ids: Collection[UUID]) -> list[UUID]:
    """Which of these our log has lost: none while it was never set back."""
    asked = text(
        "select id from unnest(cast(:ids as uuid[])) as id where exists (select from log_epochs)"
        " and not exists (select from point_redemptions where redemption_id = id)"
    )
    return list(conn.execute(asked, {"ids": sorted(redemption_ids)}).scalars())


def lost_sales(conn: Connection, seqs: Mapping[UUID, int]) -> dict[str, Lost]:
    """By sale: those of these events of finance, given with their numbers, that earned points."""
    asked = text(
        "select cause_event_id, sale_id, min(day) as day from point_earnings"
        " where cause_event_id = any(:lost) group by 1, 2"
    )
    return {
        row.sale_id: Lost(kind="sale", event_id=row.cause_event_id, seq=seqs[row.cause_event_id], day=row.day)
        for row in conn.execute(asked, {"lost": list(seqs)})
    }


def sales_refunded_by(conn: Connection, event_ids: Collection[UUID]) -> set[str]:
    asked = text("select distinct sale_id from point_refunds where cause_event_id = any(:lost)")
    return set(conn.execute(asked, {"lost": list(event_ids)}).scalars())


def add_correction(
    tx: Tx, lost: Lost, *, sale_id: str, customer_id: str | None, taken: int, points: int
) -> None:
    """What makes a lost event good: `taken` is what it took, `points` what the customer gets back for it."""
    added = text(
        "insert into point_corrections (event_id, kind, source_seq, sale_id, return_id, redemption_id, customer_id,"
        " taken, points, lost_day, corrected_on, corrected_at, corrected_by) values (:event_id, :kind, :seq, :sale_id,"
        " :return_id, :redemption_id, :customer_id, :taken, :points, :day, :today, :now, :actor)"
    )
    tx.conn.execute(
        added,
        {
            **asdict(lost),
            "sale_id": sale_id,
            "customer_id": customer_id,
            "taken": taken,
            "points": points,
            "today": business_date(tx.now),
            "now": tx.now,
            "actor": tx.actor.id,
        },
    )


def hold_moved(conn: Connection, event_ids: Collection[UUID]) -> list[Redemption]:
    """Redemptions that these events used, or gave points back of, held in the order of their ids."""
    asked = text(
        f"select {FIELDS} from point_redemptions where used_event_id = any(:lost) or redemption_id in"
        " (select redemption_id from point_restorations where cause_event_id = any(:lost))"
        " order by redemption_id for update"
    )
    return [Redemption(*row) for row in conn.execute(asked, {"lost": list(event_ids)})]


def release(conn: Connection, redemption_id: UUID, restore_at: datetime) -> None:
    """No sale used it: it is as it was before, and nobody gives it back before `restore_at`."""
    written = text(
        "update point_redemptions set state = case when restored_at is null then 'open' else 'restored' end,"
        " sale_id = null, used_on = null, used_event_id = null, restore_at = greatest(restore_at, :restore_at)"
        " where redemption_id = :id"
    )
    conn.execute(written, {"id": redemption_id, "restore_at": restore_at})
