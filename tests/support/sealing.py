"""Do at once what relay and scheduler do in time: number events, seal every chain, write down what is followed."""

from shared.clock import utc_now
from shared.identity import system_actor
from shared.scheduler import jobs_of
from shared.sequencer import number_events
from shared.settings import Settings
from shared.transaction import Tx


def settle(database, service):
    """Until nothing of `service` waits for a number, a hash or the log."""
    with database.begin() as conn:
        while number_events(conn):
            pass
    jobs = [
        job
        for job in jobs_of(service, Settings(database_url=database.url))
        if job.name.startswith(("follow_", "seal_"))
    ]
    for job in sorted(jobs, key=lambda each: each.name):
        done = 1
        while done:
            with database.begin() as conn:
                done = job.run(Tx(conn=conn, actor=system_actor(service.name), now=utc_now()))
