"""Old months of the audit and of the log of rows in files: written, checked, dropped, and still part of the chain.

A month is one stream of its chain (shared.chain_months) and becomes two files of one name:

- `<name>.ndjson.gz`: the rows in the order of their numbers, one JSON object a line:
  `{"chain_no":7,"chain_hash":"<hex>","row":<content>}`, where the content is the text that the hash is made of.
- `<name>.manifest.json`: first and last number, the hashes before the first and of the last, SHA-256 of the other
  file; written last, without it there is no archive.

`chain_archives` says the same inside the database, and the head of the stream stays, so a file that is missing or was
altered is named, and what comes after it is still verified. All of a month happens in one transaction: killed at any
instant, either the month is still there, and the next run writes the files anew, or it is archived.

The product deletes no file: how long they are kept is the law's and the operator's matter (docs/tables.md).
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, text

from shared import audit, durable, row_log
from shared.archive import ArchiveDamaged, ArchiveUnwritable
from shared.chain import CANONICAL, GENESIS, Chain, Fault, link
from shared.clock import month_of
from shared.database import driver_of
from shared.errors import Conflict

FORMAT = "apotheca-chain/1"
SUFFIX = ".ndjson.gz"
CHAINS = (audit.CHAIN, row_log.CHAIN)
"""In the order in which a month of them is archived: the log of rows speaks of the audit's."""
FETCH_ROWS = 1_000
LINE_BYTES_MAX = 64 * 1024 * 1024
"""A line of the log of rows holds the keys of one statement."""
MONTH_S_MAX = 3_600
READ_FAULTS = (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error)


class ChainBroken(Conflict):
    """The month is not what was sealed: it stays where it is, as evidence."""

    code = "chain_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month that is old enough; `waits_for` says why it is not archived yet, None when it may be."""

    chain: Chain
    month: date
    rows: int
    waits_for: str | None

    @property
    def stream(self) -> str:
        return f"{self.month:%Y-%m}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the other file holds; hashes in hex, `sha256` is that of the file as it lies there."""

    format: str
    service: str
    chain: str
    stream: str
    first_no: int
    last_no: int
    previous_hash: str
    last_hash: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file: the number and hash that it was sealed with, and the content."""

    no: int
    hash: str
    content: str


# --- what is due ----------------------------------------------------------------------------------------


def due(conn: Connection, today: date, keep_months: int) -> list[Month]:
    """The months before the `keep_months` whole ones that precede the month of `today`, in the order to archive."""
    first_kept = month_of(today)
    for _ in range(keep_months):
        first_kept = month_of(first_kept - timedelta(days=1))
    found = [
        (date(int(name[-7:-3]), int(name[-2:]), 1), CHAINS.index(chain), chain)
        for chain in CHAINS
        for name in _parts(conn, chain)
    ]
    return [
        _look(conn, chain, month)
        for month, _, chain in sorted(found, key=lambda each: each[:2])
        if month < first_kept
    ]


def _parts(conn: Connection, chain: Chain) -> Sequence[str]:
    return (
        conn.execute(
            text(
                "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
                " where i.inhparent = to_regclass(:table) and c.relname ~ '_y[0-9]{4}m[0-9]{2}$' order by 1"
            ),
            {"table": chain.table},
        )
        .scalars()
        .all()
    )


def _look(conn: Connection, chain: Chain, month: date) -> Month:
    stream = f"{month:%Y-%m}"
    rows, sealed = conn.execute(
        text(f"select count(*), count(chain_no) from {_rows_of(chain, stream)}")
    ).one()
    waits_for = None
    if sealed < rows:
        waits_for = f"{rows - sealed} rows that have no number yet"
    elif chain is row_log.CHAIN:
        unexplained = conn.execute(text(row_log.UNEXPLAINED.format(stream=f"'{stream}'"))).scalar_one()
        audited = conn.execute(
            text("select to_regclass('audit' || to_char(cast(:month as date), '\"_y\"YYYY\"m\"MM'))"),
            {"month": month},
        ).scalar()
        if unexplained:
            waits_for = (
                f"{unexplained} findings of the kind foreign that nobody has explained (chains acknowledge)"
            )
        elif audited is not None:
            waits_for = "the audit of the same month"
    return Month(chain=chain, month=month, rows=rows, waits_for=waits_for)


def _rows_of(chain: Chain, stream: str) -> str:
    """The FROM of one stream; as text, so that the statement is planned for its part alone."""
    return f"{chain.table} t where t.stream = '{stream}'"


# --- writing --------------------------------------------------------------------------------------------


def archive_month(conn: Connection, service: str, folder: Path, month: Month) -> Manifest | None:
    """Write, check and drop one month in the caller's transaction; None when it held nothing.

    Raises ArchiveUnwritable, ArchiveDamaged, ChainBroken: the caller rolls back, and nothing has happened.
    """
    conn.exec_driver_sql(
        "set local lock_timeout = '5s'; set local idle_in_transaction_session_timeout = 0;"
        f" set local statement_timeout = '{MONTH_S_MAX}s'; set local work_mem = '128MB'"
    )
    conn.exec_driver_sql(CANONICAL)
    manifest = _write(conn, service, folder, month) if month.rows else None
    if manifest is not None:
        _check(folder, manifest)
    conn.execute(
        text(
            "select drop_chain_month(:table, :month, :first_no, :last_no, decode(:previous_hash, 'hex'),"
            " decode(:last_hash, 'hex'), :file, :sha256)"
        ),
        {
            **dict.fromkeys(("first_no", "last_no", "previous_hash", "last_hash", "file", "sha256")),
            **(asdict(manifest) if manifest else {}),
            "table": month.chain.table,
            "month": month.month,
        },
    )
    return manifest


def _write(conn: Connection, service: str, folder: Path, month: Month) -> Manifest:
    previous_no, previous_hash = _before(conn, month)
    name = f"{service}-{month.chain.name}-{month.stream}-from-{previous_no + 1}"
    path = folder / f"{name}{SUFFIX}"
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
                last = _write_rows(conn, month, packed, Row(previous_no, previous_hash.hex(), ""))
            file.flush()
            durable.force(file.fileno())
        durable.into_place(part, path)
        manifest = Manifest(
            format=FORMAT,
            service=service,
            chain=month.chain.name,
            stream=month.stream,
            first_no=previous_no + 1,
            last_no=last.no,
            previous_hash=previous_hash.hex(),
            last_hash=last.hash,
            file=path.name,
            sha256=_sha256(path),
        )
        durable.put(folder / f"{name}.manifest.json", orjson.dumps(asdict(manifest)))
    except OSError as fault:
        raise ArchiveUnwritable(
            f"{folder} cannot be written: {fault.strerror or type(fault).__name__}"
        ) from fault
    return manifest


def _before(conn: Connection, month: Month) -> tuple[int, bytes]:
    """Number and hash that the rows of the month follow: those of what was archived of the stream before."""
    row = conn.execute(
        text(
            "select last_no, last_hash from chain_archives where chain = :chain and stream = :stream"
            " order by last_no desc limit 1"
        ),
        {"chain": month.chain.name, "stream": month.stream},
    ).one_or_none()
    return (row.last_no, bytes(row.last_hash)) if row else (0, GENESIS)


def _write_rows(conn: Connection, month: Month, packed: gzip.GzipFile, last: Row) -> Row:
    """Write the rows of the month, each proved to follow the one before; returns the last."""
    statement = (
        f"select t.chain_no, encode(t.chain_hash, 'hex'), {month.chain.content_sql}"
        f" from {_rows_of(month.chain, month.stream)} order by t.chain_no"
    )
    with driver_of(conn) as driver, driver.cursor(name="chain_archive") as cursor:
        cursor.execute(statement.encode())
        while rows := cursor.fetchmany(FETCH_ROWS):
            for no, digest, content in rows:
                row = Row(no, digest, content)
                if not follows(last, row):
                    raise ChainBroken(
                        f"row {no} of {month.chain.name} {month.stream} is not what was sealed: verify the chains first"
                    )
                packed.write(
                    b'{"chain_no":%d,"chain_hash":"%s","row":%s}\n' % (no, digest.encode(), content.encode())
                )
                last = row
    return last


def follows(last: Row, row: Row) -> bool:
    return row.no == last.no + 1 and row.hash == link(bytes.fromhex(last.hash), row.no, row.content).hex()


def _check(folder: Path, manifest: Manifest) -> None:
    """Read back what was written. Raises ArchiveDamaged."""
    last = Row(manifest.first_no - 1, manifest.previous_hash, "")
    for row in read(folder, manifest.file, manifest.sha256):
        if not follows(last, row):
            raise ArchiveDamaged(f"{manifest.file}: row {row.no} is not what was sealed")
        last = row
    if (last.no, last.hash) != (manifest.last_no, manifest.last_hash):
        raise ArchiveDamaged(f"{manifest.file} ends at row {last.no} instead of {manifest.last_no}")


# --- reading --------------------------------------------------------------------------------------------


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(folder: Path, file: str, sha256: str | None = None) -> Iterator[Row]:
    """The rows of a file; at the end, its hash is compared where one is given. Raises ArchiveDamaged."""
    path = folder / file
    try:
        with gzip.open(path, "rb") as packed:
            while line := packed.readline(LINE_BYTES_MAX):
                yield _row(line)
        if sha256 is not None and _sha256(path) != sha256:
            raise ArchiveDamaged(f"{file} is not the file that was written when the month was dropped")
    except FileNotFoundError as fault:
        raise ArchiveDamaged(f"{file} is missing") from fault
    except READ_FAULTS as fault:
        raise ArchiveDamaged(f"{file} cannot be read: {type(fault).__name__}") from fault


def _row(line: bytes) -> Row:
    """Raises ValueError when it is no line of an archive."""
    head, mark, rest = line.decode().partition('","row":')
    if not mark or not rest.endswith("}\n"):
        raise ValueError("not a line of an archive")
    said = orjson.loads(f'{head}"}}')
    return Row(int(said["chain_no"]), str(said["chain_hash"]), rest[:-2])


def archived(conn: Connection, chain: str | None = None) -> Sequence[Any]:
    """Rows of `chain_archives`, of one chain or all, in the order of their rows."""
    return conn.execute(
        text(
            "select chain, stream, first_no, last_no, previous_hash, last_hash, file, sha256, archived_at"
            " from chain_archives where chain = coalesce(cast(:chain as text), chain) order by chain, stream, first_no"
        ),
        {"chain": chain},
    ).all()


def verify_file(folder: Path | None, said: Any) -> Fault | None:
    """The first thing wrong with one archived stretch, a row of `chain_archives`."""

    def fault(kind: str, no: int, what: str) -> Fault:
        return Fault(chain=said.chain, stream=said.stream, no=no, kind=kind, row=what)

    if folder is None:
        return fault("file_unread", said.first_no, f"{said.file}: APOTHECA_ARCHIVE is not set here")
    if not (folder / said.file).exists():
        return fault(
            "file_missing", said.first_no, f"{said.file} with rows {said.first_no} to {said.last_no}"
        )
    last = Row(said.first_no - 1, bytes(said.previous_hash).hex(), "")
    try:
        for row in read(folder, said.file, said.sha256):
            if not follows(last, row):
                return fault("file_altered", last.no + 1, said.file)
            last = row
    except ArchiveDamaged as damage:
        return fault("file_altered", last.no + 1, damage.detail)
    if (last.no, last.hash) != (said.last_no, bytes(said.last_hash).hex()):
        return fault(
            "file_altered", last.no + 1, f"{said.file} ends at row {last.no} instead of {said.last_no}"
        )
    return None


def joints(rows: Sequence[Any]) -> tuple[dict[str, tuple[int, bytes]], list[Fault]]:
    """Where each stream goes on in the database, and the archived stretches that do not follow one another."""
    ends: dict[str, tuple[int, bytes]] = {}
    faults = []
    for row in rows:
        no, digest = ends.get(row.stream, (0, GENESIS))
        if (row.first_no, bytes(row.previous_hash)) != (no + 1, digest):
            what = f"{row.file} begins at row {row.first_no}, the stretch before it ends at {no}"
            faults.append(Fault(chain=row.chain, stream=row.stream, no=no + 1, kind="missing", row=what))
        ends[row.stream] = row.last_no, bytes(row.last_hash)
    return ends, faults


def hashes_at(
    conn: Connection, folder: Path | None, chain: str, stream: str, numbers: Sequence[int]
) -> Mapping[int, str]:
    """The hashes of archived rows by number. What a file does not give is left out: `verify_file` says why."""
    found: dict[int, str] = {}
    wanted = set(numbers)
    for said in archived(conn, chain):
        if said.stream != stream:
            continue
        within = {no for no in wanted if said.first_no <= no <= said.last_no}
        if said.last_no in within:
            found[said.last_no] = bytes(said.last_hash).hex()
        if folder is None or not within - found.keys():
            continue
        try:
            found |= {row.no: row.hash for row in read(folder, said.file) if row.no in within}
        except ArchiveDamaged:
            continue
    return found


def audit_of(conn: Connection, folder: Path | None, subject: str) -> Iterator[dict[str, Any]]:
    """Every row of the audit on a subject, oldest first, from files and database as one. Raises ArchiveDamaged."""
    names = (
        "id",
        "stream",
        "at",
        "actor",
        "roles",
        "action",
        "subject",
        "before_hash",
        "after_hash",
        "request_id",
    )
    for said in archived(conn, audit.CHAIN.name):
        if folder is None:
            raise ArchiveDamaged(
                f"{said.file} is archived, and this process was not told where (APOTHECA_ARCHIVE)"
            )
        for row in read(folder, said.file, said.sha256):
            if subject in row.content and (values := orjson.loads(row.content))[6] == subject:
                yield dict(zip(names, values, strict=True))
    conn.exec_driver_sql(CANONICAL)
    statement = text(
        f"select {audit.CHAIN.content_sql} from audit t where t.subject = :subject order by t.id"
    )
    for content in conn.execute(statement, {"subject": subject}).scalars():
        yield dict(zip(names, orjson.loads(content), strict=True))
