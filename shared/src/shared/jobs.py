"""A turn of a job, whoever wants it: the scheduler when it is time, an operator, a month about to close."""

import time

from shared.clock import utc_now
from shared.database import Database
from shared.identity import system_actor
from shared.service import Job, Service
from shared.transaction import Tx
from shared.wakeup import Wakeup


def run_once(database: Database, service: Service, job: Job, wakeup: Wakeup | None = None) -> int:
    """One run in one transaction; returns what the job says it did. `wakeup` tells the relay of its events."""
    with database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor(service.name), now=utc_now())
        done = job.run(tx)
    if wakeup is not None and tx.has_events:
        wakeup.ring()
    return done


def run_before_close(database: Database, service: Service, wakeup: Wakeup, *, patience_s: float) -> list[str]:
    """Have all told that counts to days past, before a month of them closes; the jobs that did not end within `patience_s`.

    Works beside the active scheduler, which goes on with what is left. Each job runs once at least.
    """
    deadline, unfinished = time.monotonic() + patience_s, []
    for job in service.jobs:
        while job.before_close and run_once(database, service, job, wakeup):
            if time.monotonic() >= deadline:
                unfinished.append(job.name)
                break
    return unfinished
