"""The operator's commands for one service: `python -m shared.ops <package> <command>`.

    parked list [--state parked|redriven|discarded]      what could not be applied
    parked show ID
    parked redrive ID… | --all                           apply again, after the cause was mended
    parked discard ID --reason "…"                       never apply; the record stays
    dlq depth | dlq drain [--park "…"]                   empty the dead-letter queue through the inbox
    topology verify [--management URL] | topology declare
    lag                                                  per source: here, known, produced, missing
    repair [SOURCE…]                                     fetch what is missing from the producers now
    log show                                             this service's log, and what holds it
    log raise-epoch --reason "…"                         this log was set back: number on, consumers must accept
    log keep-epoch --reason "…"                          this log was moved, nothing is lost: number on
    log accept SOURCE --reason "…"                       read the log of SOURCE as it is now; says what was lost
    chains verify                                        recompute every hash chain, compare it with its anchors
    chains findings                                      what the scheduled verification found, and when it was where
    chains acknowledge NO… --reason "…"                  explain rows that another program wrote
    anchors key                                          the public key that anchors are verified with, as PEM
    anchors write                                        anchor the heads of the chains now
    archive list                                         months of log, audit and rows in files, and those that are due
    archive run                                          archive every month that is due, oldest first
    archive verify                                       read every archived month again
    jobs list                                            what time demands of the service, and how often
    jobs run NAME                                        do it now, without waiting for its turn
    audit show SUBJECT                                   who did what to it, from files and database as one

Settings come from the environment as for every process. Output is JSON, one object per line. Exit code 0: done
or sound; 1: something is wrong or was refused; 2: wrong usage.
"""

import argparse
import getpass
import sys
import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import sqlalchemy
from amqp.exceptions import AMQPError
from pika.exceptions import AMQPError as PikaError

from shared import (
    acceptance,
    dlq,
    incarnation,
    logs,
    ops_records,
    parking,
    scheduler,
    topology,
    watermark,
)
from shared.client import FeedUnavailable, Head
from shared.clock import utc_now
from shared.errors import DomainError
from shared.identity import EVERY_BRANCH, Actor
from shared.jobs import run_once
from shared.ops_desk import Command, Desk, say
from shared.service import Service, load
from shared.settings import Settings, SettingsFaulty
from shared.transaction import Tx
from shared.wakeup import Wakeup


def parked_list(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.begin() as conn:
        rows = parking.list_parked(conn, state=given.state, limit=given.limit)
    for row in rows:
        say(**row)
    return True


def parked_show(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.begin() as conn:
        say(**parking.show_parked(conn, given.id))
    return True


def parked_redrive(desk: Desk, given: argparse.Namespace) -> bool:
    ids: list[UUID] = given.ids
    if given.all:
        with desk.database.begin() as conn:
            ids = parking.open_ids(conn)
    good = True
    for parked_id in ids:
        try:
            applied = parking.redrive(
                desk.database, desk.service, parked_id, actor=desk.actor, fetch=desk.fetch
            )
            say(id=parked_id, result="applied" if applied else "refused_again")
        except DomainError as error:
            applied = False
            say(id=parked_id, result=error.code, detail=error.detail)
        good = good and applied
    return good


def parked_discard(desk: Desk, given: argparse.Namespace) -> bool:
    parking.discard(desk.database, given.id, actor=desk.actor, reason=given.reason)
    say(id=given.id, result="discarded")
    return True


def dlq_depth(desk: Desk, given: argparse.Namespace) -> bool:
    waiting = dlq.depth(desk.service, desk.amqp_url())
    say(service=desk.service.name, messages=waiting)
    return waiting == 0


def dlq_drain(desk: Desk, given: argparse.Namespace) -> bool:
    done = dlq.drain(desk.service, desk.database, desk.amqp_url(), limit=given.limit, park=given.park)
    say(taken=done.taken, applied=done.applied, known=done.known, parked=done.parked)
    return True


def topology_verify(desk: Desk, given: argparse.Namespace) -> bool:
    with topology.connect(desk.amqp_url()) as connection:
        faults = topology.verify(
            connection,
            desk.service.name,
            desk.service.sources,
            given.management,
            topology.tls_context(desk.amqp_url()),
        )
    for fault in faults:
        say(fault=fault)
    if not faults:
        say(result="as described", bindings="compared" if given.management else "not compared")
    return not faults


def topology_declare(desk: Desk, given: argparse.Namespace) -> bool:
    with topology.connect(desk.amqp_url()) as connection:
        topology.declare_consumer(connection, desk.service.name, desk.service.sources, threading.Event())
    say(result="declared")
    return True


def lag(desk: Desk, given: argparse.Namespace) -> bool:
    heads = {feed.source: feed for feed in desk.feeds}
    good = True
    for source in desk.service.sources:
        with desk.database.begin() as conn:
            watermark.advance(conn, source)
            state = watermark.state_of(conn, source)
            holes = watermark.missing_ranges(conn, source, through=state.max_seq)
        head: Head | None = None
        try:
            if source in heads:
                watermark.beat(desk.database, desk.service.name, heads[source])
                head = heads[source].head()
            with desk.database.begin() as conn:
                state = watermark.state_of(conn, source)
        except FeedUnavailable as error:
            say(source=source, fault=error.detail)
        missing = sum(last - first + 1 for first, last in holes)
        age_s = watermark.stuck_s(state)
        is_stuck = age_s > desk.settings.watermark_age_s_max
        good = good and not missing and not is_stuck and state.halted_reason is None
        say(
            source=source,
            contiguous_seq=state.contiguous_seq,
            max_seq=state.max_seq,
            produced_seq=None if head is None else head.last_seq,
            behind=None if head is None else head.last_seq - state.contiguous_seq,
            missing_here=missing,
            epoch=state.epoch,
            stands_s=round(age_s),
            halted=state.halted_reason,
            why=state.halted_detail,
            producer_held=None if head is None else head.held,
        )
    return good


def repair(desk: Desk, given: argparse.Namespace) -> bool:
    wanted = given.sources or desk.service.sources
    for feed in desk.feeds:
        if feed.source in wanted:
            count = watermark.repair(desk.database, desk.service, feed, through=feed.head().last_seq)
            say(source=feed.source, repaired=count)
    return True


def log_show(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.begin() as conn:
        standing = incarnation.standing(conn)
    return _say_standing(standing)


def log_raise_epoch(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.begin() as conn:
        standing = incarnation.raise_epoch(Tx(conn=conn, actor=desk.actor, now=utc_now()), given.reason)
    return _say_standing(standing)


def log_keep_epoch(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.begin() as conn:
        standing = incarnation.keep_epoch(Tx(conn=conn, actor=desk.actor, now=utc_now()), given.reason)
    return _say_standing(standing)


def _say_standing(standing: incarnation.Standing) -> bool:
    log_hash = incarnation.shown(standing.log_hash)
    say(epoch=standing.epoch, last_seq=standing.last_seq, log_hash=log_hash, held=standing.fault)
    return standing.fault is None


def log_accept(desk: Desk, given: argparse.Namespace) -> bool:
    feed = next((each for each in desk.feeds if each.source == given.source), None)
    if feed is None:
        raise SettingsFaulty(f"APOTHECA_FEEDS names no address of {given.source}")
    done = acceptance.accept(desk.database, desk.service, feed, actor=desk.actor, reason=given.reason)
    for each in done.lost:
        say(lost_seq=each.seq, event_id=each.event_id, comes_again_as=each.comes_again_as)
    for note in done.notes:
        say(**note)
    say(source=feed.source, epoch=done.epoch, same_up_to=done.ancestor_seq, lost=len(done.lost))
    return True


def jobs_list(desk: Desk, given: argparse.Namespace) -> bool:
    for job in scheduler.jobs_of(desk.service, desk.settings):
        say(job=job.name, every_s=job.every_s)
    return True


def jobs_run(desk: Desk, given: argparse.Namespace) -> bool:
    """Until it has nothing left to do, with a bound; jobs lock what they change, so the scheduler may work beside it."""
    jobs = {job.name: job for job in scheduler.jobs_of(desk.service, desk.settings)}
    if given.name not in jobs:
        say(refused="job_unknown", detail=f"the jobs are {', '.join(sorted(jobs))}")
        return False
    wakeup = Wakeup(desk.settings.database_url)
    done = 0
    try:
        for _ in range(scheduler.RUNS_IN_A_ROW_MAX):
            latest = run_once(desk.database, desk.service, jobs[given.name], wakeup)
            done += latest
            if not latest:
                break
    finally:
        wakeup.close()
    say(job=given.name, done=done)
    return True


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shared.ops", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", help="customers, finance, service_desk, returns or reporting")
    parser.add_argument("--actor", default=getpass.getuser(), help="who decides; kept in the record")
    groups = parser.add_subparsers(dest="group", required=True)

    parked = groups.add_parser("parked").add_subparsers(dest="command", required=True)
    each = parked.add_parser("list")
    each.add_argument("--state", choices=("parked", "redriven", "discarded"), default="parked")
    each.add_argument("--limit", type=int, default=parking.LIST_ROWS_MAX)
    each.set_defaults(run=parked_list)
    each = parked.add_parser("show")
    each.add_argument("id", type=UUID)
    each.set_defaults(run=parked_show)
    each = parked.add_parser("redrive")
    each.add_argument("ids", type=UUID, nargs="*")
    each.add_argument("--all", action="store_true")
    each.set_defaults(run=parked_redrive)
    each = parked.add_parser("discard")
    each.add_argument("id", type=UUID)
    each.add_argument("--reason", required=True)
    each.set_defaults(run=parked_discard)

    letters = groups.add_parser("dlq").add_subparsers(dest="command", required=True)
    letters.add_parser("depth").set_defaults(run=dlq_depth)
    each = letters.add_parser("drain")
    each.add_argument("--limit", type=int, default=100_000)
    each.add_argument("--park", metavar="REASON", help="park untried: for events that kill the consumer")
    each.set_defaults(run=dlq_drain)

    objects = groups.add_parser("topology").add_subparsers(dest="command", required=True)
    each = objects.add_parser("verify")
    each.add_argument("--management", metavar="URL", help="of RabbitMQ's management API, to compare bindings")
    each.set_defaults(run=topology_verify)
    objects.add_parser("declare").set_defaults(run=topology_declare)

    groups.add_parser("lag").set_defaults(run=lag)
    each = groups.add_parser("repair")
    each.add_argument("sources", nargs="*")
    each.set_defaults(run=repair)
    _of_the_log(groups)
    ops_records.add_to(groups)
    return parser


def _of_the_log(groups: Any) -> None:
    log = groups.add_parser("log").add_subparsers(dest="command", required=True)
    log.add_parser("show").set_defaults(run=log_show)
    each = log.add_parser("raise-epoch")
    each.add_argument("--reason", required=True)
    each.set_defaults(run=log_raise_epoch)
    each = log.add_parser("keep-epoch")
    each.add_argument("--reason", required=True)
    each.set_defaults(run=log_keep_epoch)
    each = log.add_parser("accept")
    each.add_argument("source")
    each.add_argument("--reason", required=True)
    each.set_defaults(run=log_accept)
    timed = groups.add_parser("jobs").add_subparsers(dest="command", required=True)
    timed.add_parser("list").set_defaults(run=jobs_list)
    each = timed.add_parser("run")
    each.add_argument("name")
    each.set_defaults(run=jobs_run)


def work(service: Service, settings: Settings, given: argparse.Namespace) -> int:
    """Run one parsed command; refusals and unreachable producers are one line and exit code 1."""
    desk = Desk(service, settings, Actor(given.actor, frozenset({"operator"}), frozenset({EVERY_BRANCH})))
    run: Command = given.run
    try:
        return 0 if run(desk, given) else 1
    except DomainError as error:
        say(refused=error.code, detail=error.detail)
        return 1
    except (OSError, AMQPError, PikaError, httpx.HTTPError) as error:
        say(refused="broker_unreachable", detail=repr(error))
        return 1
    except sqlalchemy.exc.DBAPIError as error:
        say(refused="database_unavailable", detail=str(error.orig).strip())
        return 1
    finally:
        desk.close()


def main(words: Sequence[str]) -> int:
    given = arguments().parse_args(words)
    try:
        settings = Settings.from_env()
        logs.configure(service=given.package, process="ops", level="WARNING")
        return work(load(given.package), settings, given)
    except SettingsFaulty as fault:
        sys.stderr.write(f"settings are faulty:\n{fault}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
