"""Sales targets, the daily reports beside them, and what customer relations cost and bring.

Source: F7, F28, F29
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from finance.kernel import dated
from finance.sales_targets import store
from finance.sales_targets.events import sales_target_set
from finance.sales_targets.rules import ReportDayInvalid, ReportExists, TargetExists, TargetNotFound
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.transaction import Tx


def set_target(tx: Tx, body: Mapping[str, Any], month: date) -> UUID:
    """A target of a branch, or of one person or channel in it, for a month. Raises ForeignBranch, TargetExists."""
    tx.actor.require_branch(body["branch_id"])
    target_id = new_id()
    if not store.add_target(tx, target_id, body, month):
        raise TargetExists("this target is set; change it")
    _tell(tx, target_id)
    audit.record(tx, "target.set", str(target_id), after=[*body.values()])
    return target_id


def change_target(tx: Tx, target_id: UUID, net_fen: int, strategy: str) -> None:
    """A new aim; the audit keeps that it was changed. Raises TargetNotFound, ForeignBranch."""
    row = store.locked_target(tx, target_id)
    if row is None:
        raise TargetNotFound("no such target")
    tx.actor.require_branch(row.branch_id)
    store.change_target(tx, target_id, net_fen, strategy)
    _tell(tx, target_id)
    audit.record(
        tx,
        "target.change",
        str(target_id),
        before=[row.net_fen, row.strategy],
        after=[net_fen, strategy],
    )


def _tell(tx: Tx, target_id: UUID) -> None:
    target = store.locked_target(tx, target_id)
    if target is not None:
        outbox.append(tx, sales_target_set(target_id, target, business_date(tx.now)))


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
    posted = store.posted_fen(tx, body["branch_id"], day)
    on_time = (today - day).days <= dated.value("sales_target_rules", "sales_report_due_days", day)
    if not store.add_report(tx, body, posted, on_time=on_time):
        raise ReportExists("this day is reported")
    audit.record(tx, "target.report", tx.actor.id, after=[*body.values()])
