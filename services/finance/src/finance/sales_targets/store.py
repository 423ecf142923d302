"""The rows of sales targets and of what people reported beside them."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text, update

from finance import sold
from finance.sales_targets.model import Target
from finance.sales_targets.tables import targets
from shared.transaction import Tx


def add_target(tx: Tx, target_id: UUID, body: Mapping[str, Any], month: date) -> bool:
    """A target of a branch, or of one person or channel in it; false when the month has it already."""
    added = tx.conn.execute(
        text(
            "insert into sales_targets (target_id, branch_id, person, channel, month, net_fen, strategy, version,"
            " set_by, set_at) values (:target_id, :branch, :person, :channel, :month, :net, :strategy, 1, :actor,"
            " :now) on conflict (branch_id, person, channel, month) do nothing"
        ),
        {
            "target_id": target_id,
            "branch": body["branch_id"],
            "person": body["person"],
            "channel": body["channel"],
            "month": month,
            "net": body["net"],
            "strategy": body["strategy"],
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )
    return bool(added.rowcount)


def locked_target(tx: Tx, target_id: UUID) -> Target | None:
    """The target as it stands, held until the transaction ends."""
    row = (
        tx.conn.execute(
            text(
                "select branch_id, person, channel, month, net_fen, strategy, version from sales_targets"
                " where target_id = :id for update"
            ),
            {"id": target_id},
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Target(**row)


def change_target(tx: Tx, target_id: UUID, net_fen: int, strategy: str) -> None:
    """Its next version, set by who acts."""
    tx.conn.execute(
        update(targets)
        .where(targets.c.target_id == target_id)
        .values(
            net_fen=net_fen,
            strategy=strategy,
            version=targets.c.version + 1,
            set_by=tx.actor.id,
            set_at=tx.now,
        )
    )


def posted_fen(tx: Tx, branch_id: str, day: date) -> int:
    """Net of the sales that the person who acts posted in the branch, booked to the day."""
    posted: int = tx.conn.execute(
        text(
            f"select coalesce(sum(s.net_fen), 0)::bigint from {sold.SALES} s where s.booked_on = :day"
            " and s.branch_id = :branch and s.posted_by = :person"
        ),
        {"day": day, "branch": branch_id, "person": tx.actor.id},
    ).scalar_one()
    return posted


def add_report(tx: Tx, body: Mapping[str, Any], posted: int, *, on_time: bool) -> bool:
    """What the person who acts says of a day, beside what was posted; false when the day is reported."""
    added = tx.conn.execute(
        text(
            "insert into sales_reports (person, branch_id, day, reported_fen, posted_fen, visits, on_time,"
            " reported_at) values (:person, :branch, :day, :reported, :posted, :visits, :on_time, :now)"
            " on conflict do nothing"
        ),
        {
            "person": tx.actor.id,
            "branch": body["branch_id"],
            "day": body["day"],
            "reported": body["net"],
            "posted": posted,
            "visits": body["visits"],
            "on_time": on_time,
            "now": tx.now,
        },
    )
    return bool(added.rowcount)
