"""Close a month: prove that nothing is missing, freeze ledgers and metrics, and never open it again.

Source: P2, X3, architecture decision 5
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, text

from reporting.projections import FACTS_LOCK
from reporting.queries.ledgers import KINDS, ledgers
from reporting.queries.metrics import Metric, metrics
from reporting.queries.months import close_of, hash_of, money_is_closed
from reporting.queries.totals import own_totals
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


class MonthAlreadyClosed(Conflict):
    code = "month_already_closed"


class MonthNotOver(Conflict):
    code = "month_not_over"


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
    obstacles = completeness.gate(database, service, feeds, month, own_totals)
    if not obstacles and not money_is_closed(tx.conn, month):
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
    tx.conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": FACTS_LOCK})
    _require_open(tx.conn, month)
    watermarks = {source: watermark.state_of(tx.conn, source).contiguous_seq for source in service.sources}
    hashes = _freeze_ledgers(tx, month)
    snapshots = metrics(tx.conn, month)
    _freeze_metrics(tx, snapshots, watermarks)
    figures = [[each.code, each.branch_id, each.numerator, each.denominator] for each in snapshots]
    content_hash = hash_of(
        {"month": month.isoformat(), "ledgers": hashes, "metrics": figures, "watermarks": watermarks}
    )
    definitions = {each.code: each.version for each in snapshots}
    tx.conn.exec_driver_sql(
        "insert into month_closes (month, closed_at, closed_by, content_hash, watermarks, definitions)"
        " values (%s, %s, %s, %s, %s::jsonb, %s::jsonb)",
        (month, tx.now, tx.actor.id, content_hash, _json(watermarks), _json(definitions)),
    )
    audit.record(tx, "month.close", f"{month:%Y-%m}", after=content_hash)
    closed = close_of(tx.conn, month)
    assert closed is not None
    return closed


def _require_open(conn: Connection, month: date) -> None:
    closed = close_of(conn, month)
    if closed is not None:
        raise MonthAlreadyClosed(
            Text("{month:%Y-%m} was closed already", month=month), closed_at=closed["closed_at"].isoformat()
        )


def _freeze_ledgers(tx: Tx, month: date) -> dict[str, str]:
    """Store every ledger of every branch; returns `kind/branch` → hash."""
    rows: list[tuple[Any, ...]] = []
    hashes: dict[str, str] = {}
    for kind in KINDS:
        for branch_id, content in ledgers(tx.conn, kind, month).items():
            hashes[f"{kind}/{branch_id}"] = hash_of(content)
            rows.append((month, kind, branch_id, _json(content), hashes[f"{kind}/{branch_id}"]))
    tx.conn.exec_driver_sql(
        "insert into frozen_ledgers (month, kind, branch_id, content, content_hash)"
        " values (%s, %s, %s, %s::jsonb, %s)",
        rows,
    )
    return hashes


def _freeze_metrics(tx: Tx, snapshots: Sequence[Metric], watermarks: dict[str, int]) -> None:
    tx.conn.exec_driver_sql(
        "insert into metric_snapshots (month, metric, branch_id, version, numerator, denominator, value_bp, n,"
        " low_sample, detail, watermarks, frozen_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)",
        [
            (
                each.month,
                each.code,
                each.branch_id,
                each.version,
                each.numerator,
                each.denominator,
                each.value_bp,
                each.n,
                each.low_sample,
                _json(each.detail),
                _json(watermarks),
                tx.now,
            )
            for each in snapshots
        ],
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
