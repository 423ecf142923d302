"""Close a month: prove that nothing is missing, freeze ledgers and metrics, and never open it again.

Source: P2, X3, architecture decision 5
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from reporting import facts, ledgers, metrics, months
from reporting.kernel.canonical import hash_of
from shared import audit, completeness, watermark
from shared.client import FeedClient
from shared.clock import business_date, next_month
from shared.completeness import Obstacle
from shared.database import Database
from shared.errors import Conflict
from shared.languages import Text
from shared.service import Service
from shared.transaction import Tx


class MonthIncomplete(Conflict):
    """`obstacles` names source and day of everything that is missing."""

    code = "month_incomplete"
    cure = "Wait for the source that is named, or let the operator repair it; then close the month."


class MonthAlreadyClosed(Conflict):
    code = "month_already_closed"
    cure = "Nothing needs doing: the month is closed; what came later is a revision."


class MonthNotOver(Conflict):
    code = "month_not_over"
    cure = "Close the month when it is over."


def close_month(
    tx: Tx, database: Database, service: Service, feeds: Sequence[FeedClient], month: date
) -> dict[str, Any]:
    """Freeze the ledgers and metrics of `month` (its first day) and close it.

    Ledgers of money follow the books: a month in which anything was sold or refunded waits until finance has closed it.
    Raises MonthNotOver, MonthAlreadyClosed, MonthIncomplete. The facts are locked from the last look at the
    state to the commit, so a fact is either in the frozen figures or a revision, never between.
    """
    if business_date(tx.now) < next_month(month):
        raise MonthNotOver(Text("{month:%Y-%m} ends after today", month=month))
    _require_open(tx.conn, month)
    obstacles = completeness.gate(database, service, feeds, month, facts.own_totals)
    if not obstacles and not facts.money_is_closed(tx.conn, month):
        obstacles = [Obstacle(source="finance", reason="period_open", expected="closed", found="open")]
    if obstacles:
        first = obstacles[0]
        raise MonthIncomplete(
            Text(
                "{month:%Y-%m} cannot be closed: {where} {reason}",
                month=month,
                where=f"{first.source} {first.day}" if first.day else first.source,
                reason=first.reason,
            ),
            obstacles=[each.as_json() for each in obstacles],
        )
    facts.hold(tx.conn)
    _require_open(tx.conn, month)
    watermarks = {source: watermark.state_of(tx.conn, source).contiguous_seq for source in service.sources}
    hashes = ledgers.freeze(tx, month)
    snapshots = metrics.freeze(tx, month, watermarks)
    figures = [[each.code, each.branch_id, each.numerator, each.denominator] for each in snapshots]
    content_hash = hash_of(
        {"month": month.isoformat(), "ledgers": hashes, "metrics": figures, "watermarks": watermarks}
    )
    definitions = {each.code: each.version for each in snapshots}
    months.add_close(tx, month, content_hash, watermarks, definitions)
    audit.record(tx, "month.close", f"{month:%Y-%m}", after=content_hash)
    closed = months.close_of(tx.conn, month)
    assert closed is not None
    return closed


def _require_open(conn: Connection, month: date) -> None:
    closed = months.close_of(conn, month)
    if closed is not None:
        raise MonthAlreadyClosed(
            Text("{month:%Y-%m} was closed already", month=month), closed_at=closed["closed_at"].isoformat()
        )
