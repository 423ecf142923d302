"""Time-driven work of a service: one active scheduler by advisory lock, a standby takes over when it dies.

Each run of a job is one transaction. A job that fails is logged and counted, and runs again at its next turn.
"""

import logging
import threading

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection, text

from shared import chain, metrics, upkeep
from shared.clock import utc_now
from shared.database import Database
from shared.identity import system_actor
from shared.parking import reason_of
from shared.service import Job, Service
from shared.settings import Settings
from shared.transaction import Tx

log = structlog.get_logger()

STANDBY_POLL_S = 1.0
RUNS_IN_A_ROW_MAX = 20
JOBS_AT_ONCE_MAX = 2


def jobs_of(service: Service) -> list[Job]:
    """The service's own jobs, the sealing of its chains, and the upkeep every service has."""
    seals = [
        Job(name=f"seal_{each.name}", every_s=1.0, run=lambda tx, each=each: chain.seal(tx.conn, each))  # type: ignore[misc]
        for each in service.chains
    ]
    return [*service.jobs, *seals, *upkeep.JOBS]


def run_once(database: Database, service: Service, job: Job) -> int:
    """One run in one transaction; returns what the job says it did."""
    with database.begin() as conn:
        return job.run(Tx(conn=conn, actor=system_actor(service.name), now=utc_now()))


def run(service: Service, settings: Settings, stop: threading.Event) -> None:
    """Work until `stop` is set. Holds the lock on a connection of its own: it dies with the process."""
    database = Database(settings.database_url, pool_size=JOBS_AT_ONCE_MAX + 2)
    try:
        while not stop.is_set():
            try:
                with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
                    if _lead(lock, service):
                        _work(database, service, lock, stop)
            except Exception as error:  # noqa: BLE001 - a lost connection ends leadership, not the process
                log.warning("scheduler_interrupted", error=repr(error))
            stop.wait(STANDBY_POLL_S)
    finally:
        database.dispose()


def _lead(lock: Connection, service: Service) -> bool:
    got = lock.execute(
        text("select pg_try_advisory_lock(hashtextextended('scheduler:' || :name, 0))"),
        {"name": service.name},
    )
    return bool(got.scalar())


def _work(database: Database, service: Service, lock: Connection, stop: threading.Event) -> None:
    # A turn skipped because the last one still works is as meant (max_instances), not worth a line each second.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(JOBS_AT_ONCE_MAX)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="Asia/Shanghai",
    )
    for job in jobs_of(service):
        scheduler.add_job(
            _guarded, "interval", (database, service, job, stop), seconds=job.every_s, id=job.name
        )
    scheduler.start()
    metrics.SCHEDULER_LEADER.set(1)
    log.info("scheduler_leads", jobs=len(scheduler.get_jobs()))
    try:
        while not stop.wait(STANDBY_POLL_S):
            lock.execute(text("select 1"))
    finally:
        metrics.SCHEDULER_LEADER.set(0)
        scheduler.shutdown(wait=True)


def _guarded(database: Database, service: Service, job: Job, stop: threading.Event) -> None:
    for _ in range(RUNS_IN_A_ROW_MAX):
        if stop.is_set():
            return
        try:
            with metrics.JOB_SECONDS.labels(job.name).time():
                done = run_once(database, service, job)
        except Exception as error:  # noqa: BLE001 - one job's fault must not stop the others
            metrics.JOB_RUNS.labels(job.name, "failed").inc()
            code, reason = reason_of(error)  # without the row contents that databases quote
            log.warning("job_failed", job=job.name, code=code, reason=reason)
            return
        metrics.JOB_RUNS.labels(job.name, "done").inc()
        if not done:
            return
