"""Months of the log go into files when they are old, and come back from there when somebody asks for them.

A month is archived when it ended `keep_months` months ago, all of its events are numbered, the broker has confirmed
them, and the service's own jobs have read them. Nobody else needs to have read them: the feed serves what is in the
files like what is in the database, so a consumer that was away for years, a rebuild and a new consumer read on.

All in one transaction: the month is written to the folder, read back and compared with the database, and only then
dropped, together with the row of `log_archives` that says where it went; whatever came to it meanwhile stops the drop
(`drop_log_month`). The month is read through `outbox`, so rights on that are enough. Killed at any instant,
either the month is still there, and the next run writes the files anew, or it is archived.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from shared import archive, incarnation
from shared.archive import BLOCK_EVENTS, About, ArchiveDamaged, Line, Manifest
from shared.clock import month_of
from shared.database import driver_of
from shared.errors import Conflict
from shared.outbox import LINE_SQL
from shared.service import Service
from shared.settings import Settings

MANIFESTS_REMEMBERED = 4
"""A reader needs one or two at a time; that of a hundred million events takes some 10 MB."""
SEQ_MAX = 2**63 - 1


def folder_of(settings: Settings) -> Path | None:
    return Path(settings.archive) if settings.archive else None


class ArchiveDiffers(Conflict):
    """What was read back from the files is not what the database holds. Nothing was dropped."""

    code = "archive_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of the log that may be archived; `waits_for` says why not, None when it may."""

    month: date
    first_seq: int | None
    last_seq: int | None
    events: int
    waits_for: str | None


def due(conn: Connection, service: Service, today: date, keep_months: int) -> list[Month]:
    """The months before the `keep_months` whole ones that precede the month of `today` (UTC), oldest first."""
    first_kept = month_of(today)
    for _ in range(keep_months):
        first_kept = month_of(first_kept - timedelta(days=1))
    names = conn.execute(
        text(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = to_regclass('outbox') and c.relname <> 'outbox_default' order by 1"
        )
    ).scalars()
    months = [date(int(name[-7:-3]), int(name[-2:]), 1) for name in names]
    return [_look(conn, service, month) for month in months if month < first_kept]


def _look(conn: Connection, service: Service, month: date) -> Month:
    found = conn.execute(
        text(
            f"select min(seq) as first_seq, max(seq) as last_seq, count(*) as events,"
            f" count(*) - count(seq) as unsequenced, (select min(confirmed_seq) from relay_cursor) as confirmed,"
            f" (select max(last_seq) from outbox_head) as head"
            f" from {rows_of(month)}"
        )
    ).one()
    waits_for = None
    if found.unsequenced:
        waits_for = "events that have no number yet"
    elif found.events and found.last_seq >= found.head:
        waits_for = "newer events: the last of the log stay in the database"
    elif found.events:
        positions = [found.confirmed] if found.confirmed is not None else []
        positions += [
            conn.execute(text(f"select {position}")).scalar() or 0 for position in service.log_positions
        ]
        if positions and min(positions) < found.last_seq:
            waits_for = f"what has read the log to {min(positions)} only"
    return Month(
        month=month,
        first_seq=found.first_seq,
        last_seq=found.last_seq,
        events=found.events,
        waits_for=waits_for,
    )


def rows_of(month: date) -> str:
    """The FROM of one month; as text, so that the statement is planned for its part alone."""
    return f"outbox where month = '{month.isoformat()}'"


def name_of(about: About, first_seq: int | None) -> str:
    """A log that was set back and numbered anew has another epoch: its files never take the place of others."""
    return f"{about.service}-log-{about.month:%Y-%m}-from-{first_seq}-epoch-{about.epoch}"


def archive_month(conn: Connection, service: Service, folder: Path, month: Month) -> Manifest | None:
    """Write, check and drop one month in the caller's transaction; None when it held nothing.

    Raises ArchiveUnwritable, ArchiveDamaged, ArchiveDiffers: the caller rolls back, and nothing has happened.
    """
    conn.execute(text("set local lock_timeout = '5s'"))
    # the files of a large month are read again while the database waits
    conn.execute(text("set local idle_in_transaction_session_timeout = 0"))
    manifest = None
    if month.events:
        about = About(service=service.name, epoch=incarnation.standing(conn).epoch, month=month.month)
        name = name_of(about, month.first_seq)
        with driver_of(conn) as driver:
            archive.write(folder, name, about, _blocks(driver, about))
        manifest = archive.check(folder, name)
        _compare(conn, month, manifest)
    conn.execute(
        text("select drop_log_month(:month, :first, :last, :events, :file, :sha256, cast(:totals as jsonb))"),
        {
            "month": month.month,
            "first": month.first_seq,
            "last": month.last_seq,
            "events": month.events,
            "file": manifest.file if manifest else None,
            "sha256": manifest.sha256 if manifest else None,
            "totals": _totals_json(manifest) if manifest else None,
        },
    )
    return manifest


def _totals_json(manifest: Manifest) -> str:
    names = ("day", "type", "events", "amount_fen")
    return orjson.dumps([dict(zip(names, total, strict=True)) for total in manifest.totals]).decode()


def _blocks(driver: psycopg.Connection[Any], about: About) -> Iterator[list[bytes]]:
    more = ", 'log_hash', lpad(to_hex(log_hash), 16, '0')"
    line = LINE_SQL.format(source="%(source)s", more=more)
    statement = sql.SQL(f"select {line} from {rows_of(about.month)} order by seq")
    with driver.cursor(name="archive") as cursor:
        cursor.execute(statement, {"source": about.service})
        while rows := cursor.fetchmany(BLOCK_EVENTS):
            yield [row[0].encode() for row in rows]


def _compare(conn: Connection, month: Month, manifest: Manifest) -> None:
    """What the files hold against what the database counts by itself."""
    counted = [
        (row.day, row.type, row.events, int(row.amount_fen))
        for row in conn.execute(
            text(
                "select day, type, count(*) as events, sum(amount_fen) as amount_fen"
                f' from {rows_of(month.month)} group by day, type order by day, type collate "C"'
            )
        )
    ]
    if counted != manifest.totals:
        raise ArchiveDiffers(f"the files of {month.month:%Y-%m} do not hold what the database counts")


# --- reading back ---------------------------------------------------------------------------------------


def archived(conn: Connection, *, first: int = 0, last: int = SEQ_MAX) -> Sequence[Any]:
    """What was archived of the events `first` to `last`: rows of `log_archives`, in order."""
    return conn.execute(
        text(
            "select first_seq, last_seq, month, events, file, sha256, archived_at from log_archives"
            " where last_seq >= :first and first_seq <= :last order by first_seq"
        ),
        {"first": first, "last": last},
    ).all()


def with_archived(
    conn: Connection, folder: Path | None, live: Sequence[Line], *, after: int, limit: int
) -> list[bytes] | None:
    """The first `limit` events above `after`, of those in the files and the `live` ones; None when no file has any.

    Raises ArchiveDamaged.
    """
    found = archived(conn, first=after + 1, last=after + limit)
    if not found:
        return None
    streams = [archive.lines(*_opened(folder, row), after=after) for row in found]
    merged = heapq.merge(*streams, live, key=lambda line: line[0])
    return [line for _, line in islice(merged, limit)]


def log_hash_at(conn: Connection, folder: Path | None, at: int) -> int | None:
    """The hash of the log up to an archived event, None when no file has it. Raises ArchiveDamaged."""
    for row in archived(conn, first=at, last=at):
        log_hash = archive.log_hash_at(*_opened(folder, row), at)
        if log_hash is not None:
            return log_hash
    return None


def _opened(folder: Path | None, row: Any) -> tuple[Path, Manifest]:
    if folder is None:
        raise ArchiveDamaged(
            "these events are archived, and this process was not told where (APOTHECA_ARCHIVE)"
        )
    return folder, _manifest(folder, row.file.removesuffix(archive.SUFFIX), row.sha256)


@lru_cache(MANIFESTS_REMEMBERED)
def _manifest(folder: Path, name: str, sha256: str) -> Manifest:
    """A file's index, read once per process: files never change. Raises ArchiveDamaged when it is another file."""
    found = archive.manifest_of(folder, name)
    if found.sha256 != sha256:
        raise ArchiveDamaged(f"{found.file} is not the file that was written when the month was dropped")
    return found
