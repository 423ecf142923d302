"""What every service's scheduler does besides its own jobs: forgetting what is no longer needed, archiving the rest.

Watermarks, gap repair and the pruning of the inbox are the consumer's (shared.watermark).
"""

from functools import partial

import structlog
from sqlalchemy import text

from shared import (
    anchoring,
    archiving,
    awaited,
    chain_archive,
    chain_months,
    log_months,
    messaging_metrics,
    verifying,
)
from shared.service import Job, Service
from shared.settings import Settings
from shared.transaction import Tx

PRUNE_ROWS_MAX = 10_000
PRUNE_EVERY_S = 300
"""With twenty runs in a row at most (shared.scheduler): 660 answers a second are forgotten as fast as they are given."""
PAGES_MAX = 100
"""Pages of 10,000 events each: some 160 MB a run."""
REDRIVEN_KEPT_DAYS = 365
"""Of parked events only the discarded ones stay for ever: they stand in for a fact that is missing."""

log = structlog.get_logger()


def prune_idempotency_keys(tx: Tx, kept_days: int) -> int:
    """Forget answers older than `kept_days`, at most PRUNE_ROWS_MAX at a time."""
    return _forget(tx, "idempotency_keys", "created_at", kept_days, PRUNE_ROWS_MAX)


def prune_inbox_pages(tx: Tx, kept_days: int) -> int:
    """Forget which events were received more than `kept_days` ago, at most PAGES_MAX pages at a time.

    The watermark knows that they were; only a source that was set back further could be compared with them, and is
    refused as `ancestor_unknown`.
    """
    return _forget(tx, "inbox_pages", "made_at", kept_days, PAGES_MAX)


def prune_awaited(tx: Tx) -> int:
    """Forget what was asked for and never again, at most PRUNE_ROWS_MAX at a time."""
    return awaited.forget_old(tx, PRUNE_ROWS_MAX)


def prune_redriven(tx: Tx) -> int:
    """Forget parked events that were applied after all REDRIVEN_KEPT_DAYS ago, at most PRUNE_ROWS_MAX at a time."""
    return _forget(
        tx, "parked_events", "state = 'redriven' and decided_at", REDRIVEN_KEPT_DAYS, PRUNE_ROWS_MAX
    )


def _forget(tx: Tx, table: str, instant: str, kept_days: int, limit: int) -> int:
    """Delete rows of which `instant` (SQL: a condition that ends in a column) lies more than `kept_days` back."""
    done = tx.conn.execute(
        text(
            f"delete from {table} where ctid = any(array("
            f" select ctid from {table} where {instant} < :now - make_interval(days => :days) limit :limit))"
        ),
        {"now": tx.now, "days": kept_days, "limit": limit},
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


def make_chain_months(tx: Tx, table: str) -> int:
    """Have the months of the audit or of the log of rows ready before they begin."""
    chain_months.ensure_months(tx.conn, table, tx.now.date())
    return 0


def archive_chains(tx: Tx, service: Service, settings: Settings) -> int:
    """Archive the oldest month of the audit or of the log of rows that is due; returns 1 when it did.

    The gauge `chain_months_due` keeps what is due and not archived: alarm when it is not 0 for a day.
    Raises ArchiveUnwritable, ArchiveDamaged, ChainBroken.
    """
    folder = archiving.folder_of(settings)
    if folder is None:
        return 0
    months = chain_archive.due(tx.conn, tx.now.date(), settings.audit_kept_months)
    messaging_metrics.CHAIN_MONTHS_DUE.labels(service.name).set(len(months))
    ready = [each for each in months if each.waits_for is None]
    if not ready:
        for each in months:
            log.warning(
                "chain_month_waits", chain=each.chain.name, month=each.stream, waits_for=each.waits_for
            )
        return 0
    chain_archive.archive_month(tx.conn, service.name, folder, ready[0])
    messaging_metrics.CHAIN_MONTHS_DUE.labels(service.name).set(len(months) - 1)
    return 1


def jobs_of(service: Service, settings: Settings) -> tuple[Job, ...]:
    return (
        Job(
            name="prune_idempotency_keys",
            every_s=PRUNE_EVERY_S,
            run=lambda tx: prune_idempotency_keys(tx, settings.idempotency_kept_days),
        ),
        Job(
            name="prune_inbox_pages",
            every_s=3600,
            run=lambda tx: prune_inbox_pages(tx, settings.inbox_kept_days),
        ),
        Job(name="prune_redriven", every_s=3600, run=prune_redriven),
        Job(name="prune_awaited", every_s=PRUNE_EVERY_S, run=prune_awaited),
        *(
            Job(name=f"make_{table}_months", every_s=3600, run=partial(make_chain_months, table=table))
            for table in chain_months.TABLES
        ),
        Job(name="archive_chains", every_s=3600, run=lambda tx: archive_chains(tx, service, settings)),
        verifying.job_of(service, settings),
        Job(name="make_log_months", every_s=3600, run=make_log_months),
        Job(name="archive_log", every_s=3600, run=lambda tx: archive_log(tx, service, settings)),
        *anchoring.job_of(service.name, settings),
    )
