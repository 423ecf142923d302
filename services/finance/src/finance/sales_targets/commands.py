"""Sales targets, the daily reports beside them, and what customer relations cost and bring.

Source: F7, F28, F29
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from finance import sold
from finance.kernel import dated
from finance.sales_targets.rules import ReportDayInvalid, ReportExists, TargetExists, TargetNotFound
from finance.sales_targets.tables import targets
from shared import audit
from shared.clock import business_date, new_id
from shared.transaction import Tx


def set_target(tx: Tx, body: Mapping[str, Any], month: date) -> UUID:
    """A target of a branch, or of one person or channel in it, for a month. Raises ForeignBranch, TargetExists."""
    tx.actor.require_branch(body["branch_id"])
    target_id = new_id()
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
    if not added.rowcount:
        raise TargetExists("this target is set; change it")
    audit.record(tx, "target.set", str(target_id), after=[*body.values()])
    return target_id


def change_target(tx: Tx, target_id: UUID, net_fen: int, strategy: str) -> None:
    """A new aim; the audit keeps that it was changed. Raises TargetNotFound, ForeignBranch."""
    row = (
        tx.conn.execute(select(targets).where(targets.c.target_id == target_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise TargetNotFound("no such target")
    tx.actor.require_branch(row["branch_id"])
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
    audit.record(
        tx,
        "target.change",
        str(target_id),
        before=[row["net_fen"], row["strategy"]],
        after=[net_fen, strategy],
    )


def report_day(tx: Tx, body: Mapping[str, Any]) -> None:
    """What the caller says of a day, kept beside what is posted under the name. One report a day.

    Raises ForeignBranch, ReportDayInvalid, ReportExists.
    """
    tx.actor.require_branch(body["branch_id"])
    today, day = business_date(tx.now), body["day"]
    if not today - timedelta(days=31) <= day <= today:
        raise ReportDayInvalid(
            "a report is of one of the last 31 days",
            errors=[{"path": "day", "message": "too late, or to come"}],
        )
    posted = tx.conn.execute(
        text(
            f"select coalesce(sum(s.net_fen), 0)::bigint from {sold.SALES} s where s.booked_on = :day"
            " and s.branch_id = :branch and s.posted_by = :person"
        ),
        {"day": day, "branch": body["branch_id"], "person": tx.actor.id},
    ).scalar_one()
    added = tx.conn.execute(
        text(
            "insert into sales_reports (person, branch_id, day, reported_fen, posted_fen, visits, on_time,"
            " reported_at) values (:person, :branch, :day, :reported, :posted, :visits, :on_time, :now)"
            " on conflict do nothing"
        ),
        {
            "person": tx.actor.id,
            "branch": body["branch_id"],
            "day": day,
            "reported": body["net"],
            "posted": posted,
            "visits": body["visits"],
            "on_time": (today - day).days <= dated.value("sales_target_rules", "sales_report_due_days", day),
            "now": tx.now,
        },
    )
    if not added.rowcount:
        raise ReportExists("this day is reported")
    audit.record(tx, "target.report", tx.actor.id, after=[*body.values()])
