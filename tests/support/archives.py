"""A log with a past: its events moved to months long gone, and a process that archives them and dies where it is told."""

import os
import signal
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import text

from shared import archive, archiving, chain_archive, durable
from shared.clock import utc_now
from shared.database import Database
from shared.service import Service, load
from shared.settings import Settings
from tests.support.ledger_service import PROCESSES, TILL
from tests.support.roles import behind


def moved_to(database: Database, month: date, *, first: int, last: int) -> None:
    """Make the events `first` to `last` ones that were recorded in `month`."""
    with behind(database) as conn:
        conn.execute(text("select ensure_log_month(:month)"), {"month": month})
        conn.execute(
            text("update outbox set month = :month, recorded_at = :at where seq between :first and :last"),
            {"month": month, "at": datetime(month.year, month.month, 15), "first": first, "last": last},
        )


def archive_all(database: Database, service: Service, folder: Path, *, keep_months: int = 1) -> list[str]:
    """Archive every month that is due and waits for nothing; returns the files."""
    files = []
    while True:
        with database.begin() as conn:
            months = [
                each
                for each in archiving.due(conn, service, utc_now().date(), keep_months)
                if not each.waits_for
            ]
            if not months:
                return files
            manifest = archiving.archive_month(conn, service, folder, months[0])
        files += [manifest.file] if manifest else []


def dies_archiving(settings: Settings, point: str) -> int | None:
    """Archive in a process that kills itself at `point`; its exit code, -9 when it did."""
    process = PROCESSES.Process(target=_archive_and_die, args=(settings, point))
    process.start()
    process.join(30)
    return process.exitcode


POINTS = (
    "in the lines",
    "before the manifest",
    "before it is read again",
    "before the drop",
    "before the commit",
)


def _archive_and_die(settings: Settings, point: str) -> None:
    def die(*_given: object, **_named: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if point == "in the lines":
        archive._force = die
    elif point == "before the manifest":
        archive._put = die
    elif point == "before it is read again":
        archive.check = die
    elif point == "before the drop":
        archiving._compare = die
    database = Database(settings.database_url, pool_size=2)
    with database.begin() as conn:
        [month, *_] = archiving.due(conn, TILL, utc_now().date(), 1)
        archiving.archive_month(conn, TILL, Path(settings.archive or ""), month)
        if point == "before the commit":
            die()


CHAIN_POINTS = (
    "in the lines",
    "before the manifest",
    "before it is read again",
    "before the drop",
    "before the commit",
)


def dies_archiving_a_chain(package: str, settings: Settings, point: str) -> int | None:
    """Archive a month of a chain in a process that kills itself at `point`; its exit code, -9 when it did."""
    process = PROCESSES.Process(target=_archive_chain_and_die, args=(package, settings, point))
    process.start()
    process.join(60)
    return process.exitcode


def _archive_chain_and_die(package: str, settings: Settings, point: str) -> None:
    def die(*_given: object, **_named: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    check = chain_archive._check

    def check_and_die(folder: Path, manifest: chain_archive.Manifest) -> None:
        check(folder, manifest)
        die()

    service = load(package)
    if point == "in the lines":
        durable.force = die
    elif point == "before the manifest":
        durable.put = die
    elif point == "before it is read again":
        chain_archive._check = die
    elif point == "before the drop":
        chain_archive._check = check_and_die
    database = Database(settings.database_url, pool_size=2)
    with database.begin() as conn:
        month = next(each for each in chain_archive.due(conn, utc_now().date(), 1) if not each.waits_for)
        chain_archive.archive_month(conn, service.name, Path(settings.archive or ""), month)
        if point == "before the commit":
            die()
