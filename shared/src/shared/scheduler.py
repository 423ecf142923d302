"""Time-driven work of a service: one active scheduler by advisory lock, a standby takes over when it dies.

Each run of a job is one transaction. A job that fails is logged and counted, and runs again at its next turn.
A job with nothing to do may be run less and less often (`Job.rest_s`), until it finds something.
"""

import logging
import threading

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from shared import chain, metrics, upkeep
from shared.database import Database
from shared.jobs import run_once
from shared.leadership import Leadership
from shared.parking import reason_of
from shared.row_log import Followed
from shared.service import Job, Service
from shared.settings import Settings
from shared.transaction import Tx
from shared.verification import every_chain
from shared.wakeup import Wakeup

log = structlog.get_logger()

STANDBY_POLL_S = 1.0
RUNS_IN_A_ROW_MAX = 20
JOBS_AT_ONCE_MAX = 2
SEAL_EVERY_S = 1.0
SEAL_REST_S = 10.0


def jobs_of(service: Service, settings: Settings) -> list[Job]:
    """The service's own jobs, the sealing of its chains, and the upkeep every service has."""
    return [
        *service.jobs,
        *map(_sealing, every_chain(service)),
        *map(_following, service.followed),
        *upkeep.jobs_of(service, settings),
    ]


def _sealing(each: chain.Chain) -> Job:
    def seal(tx: Tx) -> int:
        return chain.seal(tx.conn, each)

    return Job(name=f"seal_{each.name}", every_s=SEAL_EVERY_S, rest_s=SEAL_REST_S, run=seal)


def _following(each: Followed) -> Job:
    def follow(tx: Tx) -> int:
        return each.job(tx.conn)

    return Job(name=f"follow_{each.relation}", every_s=SEAL_EVERY_S, rest_s=SEAL_REST_S, run=follow)


def run(service: Service, settings: Settings, stop: threading.Event) -> None:
    """Work until `stop` is set. Holds the lock on a connection of its own: it dies with the process."""
    database = Database(settings.database_url, pool_size=2 * JOBS_AT_ONCE_MAX + 1)
    wakeup = Wakeup(settings.database_url)
    try:
        with Leadership(settings.database_url, f"scheduler:{service.name}") as leadership:
            while not stop.is_set():
                if leadership.held():
                    _work(database, service, settings, leadership, wakeup, stop)
                stop.wait(STANDBY_POLL_S)
    finally:
        wakeup.close()
        database.dispose()


def _work(
    database: Database,
    service: Service,
    settings: Settings,
    leadership: Leadership,
    wakeup: Wakeup,
    stop: threading.Event,
) -> None:
    # A turn skipped because the last one still works is as meant (max_instances), not worth a line each second.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(JOBS_AT_ONCE_MAX)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="Asia/Shanghai",
    )

    def paced(job: Job, pause_s: float) -> None:
        done = _guarded(database, service, job, stop, wakeup)
        next_s = job.every_s if done or job.rest_s is None else min(pause_s * 2, job.rest_s)
        if next_s != pause_s and not stop.is_set():
            scheduler.modify_job(job.name, args=(job, next_s))
            scheduler.reschedule_job(job.name, trigger="interval", seconds=next_s)

    for job in jobs_of(service, settings):
        scheduler.add_job(paced, "interval", (job, job.every_s), seconds=job.every_s, id=job.name)
    scheduler.start()
    metrics.SCHEDULER_LEADER.set(1)
    log.info("scheduler_leads", jobs=len(scheduler.get_jobs()))
    try:
        while leadership.held() and not stop.wait(STANDBY_POLL_S):
            continue
    finally:
        metrics.SCHEDULER_LEADER.set(0)
        scheduler.shutdown(wait=True)


def _guarded(
    database: Database, service: Service, job: Job, stop: threading.Event, wakeup: Wakeup | None = None
) -> int:
    """Run `job` as long as it has work, at most RUNS_IN_A_ROW_MAX times; return how much it did altogether."""
    total = 0
    for _ in range(RUNS_IN_A_ROW_MAX):
        if stop.is_set():
            break
        try:
            with metrics.JOB_SECONDS.labels(job.name).time():
                done = run_once(database, service, job, wakeup)
        except Exception as error:  # noqa: BLE001 - one job's fault must not stop the others
            metrics.JOB_RUNS.labels(job.name, "failed").inc()
            code, reason = reason_of(error)  # without the row contents that databases quote
            log.warning("job_failed", job=job.name, code=code, reason=reason)
            break
        metrics.JOB_RUNS.labels(job.name, "done").inc()
        if not done:
            break
        total += done
    return total
