"""What every service's scheduler does besides its own jobs: forgetting what is no longer needed, archiving the rest.

Watermarks, gap repair and the pruning of the inbox are the consumer's (shared.watermark).
"""

import structlog
from sqlalchemy import text

from shared import anchoring, archiving, log_months, messaging_metrics
from shared.service import Job, Service
from shared.settings import Settings
from shared.transaction import Tx

PRUNE_ROWS_MAX = 10_000
REDRIVEN_KEPT_DAYS = 365
"""Of parked events only the discarded ones stay for ever: they stand in for a fact that is missing."""

log = structlog.get_logger()


def prune_idempotency_keys(tx: Tx, kept_days: int) -> int:
    """Forget answers older than `kept_days`, at most PRUNE_ROWS_MAX at a time."""
    done = tx.conn.execute(
        text(
            "delete from idempotency_keys where ctid = any(array("
            " select ctid from idempotency_keys"
            " where created_at < :now - make_interval(days => :days) limit :limit))"
        ),
        {"now": tx.now, "days": kept_days, "limit": PRUNE_ROWS_MAX},
    )
    return int(done.rowcount)


def prune_redriven(tx: Tx) -> int:
    """Forget parked events that were applied after all REDRIVEN_KEPT_DAYS ago, at most PRUNE_ROWS_MAX at a time."""
    done = tx.conn.execute(
        text(
            "delete from parked_events where ctid = any(array("
            " select ctid from parked_events where state = 'redriven'"
            " and decided_at < :now - make_interval(days => :days) limit :limit))"
        ),
        {"now": tx.now, "days": REDRIVEN_KEPT_DAYS, "limit": PRUNE_ROWS_MAX},
    )
    return int(done.rowcount)


def make_log_months(tx: Tx) -> int:
    """Have the months of the log ready before they begin."""
    log_months.ensure_months(tx.conn, tx.now.date())
    return 0


def archive_log(tx: Tx, service: Service, settings: Settings) -> int:
    """Archive the oldest month that is due and waits for nothing; returns 1 when it did.

    The gauge `log_months_due` keeps what is due and not archived: alarm when it is not 0 for a day.
    Raises ArchiveUnwritable, ArchiveDamaged, ArchiveDiffers.
    """
    folder = archiving.folder_of(settings)
    if folder is None:
        return 0
    months = archiving.due(tx.conn, service, tx.now.date(), settings.archive_after_months)
    messaging_metrics.LOG_MONTHS_DUE.labels(service.name).set(len(months))
    if not months:
        return 0
    oldest = months[0]
    if oldest.waits_for:
        log.warning("log_month_waits", month=f"{oldest.month:%Y-%m}", waits_for=oldest.waits_for)
        return 0
    archiving.archive_month(tx.conn, service, folder, oldest)
    messaging_metrics.LOG_MONTHS_DUE.labels(service.name).set(len(months) - 1)
    return 1


def jobs_of(service: Service, settings: Settings) -> tuple[Job, ...]:
    return (
        Job(
            name="prune_idempotency_keys",
            every_s=3600,
            run=lambda tx: prune_idempotency_keys(tx, settings.idempotency_kept_days),
        ),
        Job(name="prune_redriven", every_s=3600, run=prune_redriven),
        Job(name="make_log_months", every_s=3600, run=make_log_months),
        Job(name="archive_log", every_s=3600, run=lambda tx: archive_log(tx, service, settings)),
        *anchoring.job_of(service.name, settings),
    )
