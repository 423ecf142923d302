"""The heads of this service's chains against their anchors outside the database (shared.anchors).

`chain_heads` keeps the last line of the anchors under the name ANCHORS, so that lines cut off at the end are missed.
Anchors are optional: a process without both settings writes none, and verification says so.

Source: X7
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, text

from shared import anchors, chain_archive
from shared.anchors import Line, LineFault, Point
from shared.chain import Chain, Fault
from shared.errors import Unavailable
from shared.service import Job
from shared.settings import Settings
from shared.transaction import Tx

ANCHORS = "anchors"
ANCHOR_EVERY_S = 300
FAILURES = Counter("apotheca_anchor_failures_total", "Anchors that could not be written.", ["service"])
ANCHORED_AT = Gauge(
    "apotheca_anchored_at_seconds",
    "When anchors were last found or brought up to date, Unix time.",
    ["service"],
)

log = structlog.get_logger(__name__)


class AnchorsUnwritable(Unavailable):
    """The folder is missing, full, read-only or not ours. Everything but the anchors goes on."""

    code = "anchors_unwritable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """What the files say: sound lines, and the faults of the others."""

    lines: Sequence[Line]
    faults: Sequence[LineFault]


def job_of(service: str, settings: Settings) -> tuple[Job, ...]:
    """The job that anchors every ANCHOR_EVERY_S; none without the settings."""
    if settings.anchors is None:
        return ()
    return (
        Job(name="anchor_heads", every_s=ANCHOR_EVERY_S, run=lambda tx: anchor_heads(tx, service, settings)),
    )


def anchor_heads(tx: Tx, service: str, settings: Settings) -> int:
    """Write a line of the heads that moved. Returns 0: there is no more to do at once. Raises AnchorsUnwritable."""
    if settings.anchors is None or settings.anchor_key is None:
        return 0
    tx.conn.execute(text("select pg_advisory_xact_lock(hashtextextended('anchors', 0))"))
    rows = tx.conn.execute(text("select chain, stream, last_no, last_hash from chain_heads")).all()
    last = _last(tx.conn)
    heads = {
        (row.chain, row.stream): (row.last_no, bytes(row.last_hash).hex())
        for row in rows
        if row.chain != ANCHORS
    }
    try:
        written = anchors.append(
            Path(settings.anchors), service, anchors.key_of(settings.anchor_key), tx.now, heads, last
        )
    except OSError as error:
        FAILURES.labels(service).inc()
        reason = error.strerror or type(error).__name__
        log.error("anchors_unwritable", folder=settings.anchors, reason=reason)  # noqa: TRY400 - the reason says it all
        raise AnchorsUnwritable("the folder of the anchors cannot be written") from error
    ANCHORED_AT.labels(service).set(tx.now.timestamp())
    if written:
        _keep(tx.conn, written)
    return 0


def _keep(conn: Connection, written: Point) -> None:
    conn.execute(
        text(
            "insert into chain_heads (chain, stream, last_no, last_hash) values (:chain, :chain, :no, :hash)"
            " on conflict (chain, stream) do update set last_no = excluded.last_no,"
            " last_hash = excluded.last_hash"
        ),
        {"chain": ANCHORS, "no": written[0], "hash": bytes.fromhex(written[1])},
    )


def _last(conn: Connection) -> Point:
    row = conn.execute(
        text("select last_no, last_hash from chain_heads where chain = :chain"), {"chain": ANCHORS}
    ).one_or_none()
    return (row.last_no, bytes(row.last_hash).hex()) if row else (0, anchors.FIRST)


# --- verification ----------------------------------------------------------------------------------------


def read(conn: Connection, service: str, settings: Settings) -> Anchored | None:
    """The anchors, None when there are none by the settings.

    To be called before the snapshot that they are compared with: heads only grow, so what was anchored before must
    be in it.
    """
    if settings.anchors is None or settings.anchor_key is None:
        return None
    last = _last(conn)
    public = anchors.key_of(settings.anchor_key).public_key()
    try:
        lines, faults = anchors.read(Path(settings.anchors), service, public, last)
    except OSError as error:
        what = f"missing: the folder cannot be read: {error.strerror or type(error).__name__}"
        return Anchored(lines=(), faults=[LineFault(file=settings.anchors, row=0, what=what)])
    return Anchored(lines=lines, faults=faults)


def line_faults(anchored: Anchored) -> Iterator[Fault]:
    for each in anchored.faults:
        yield Fault(chain=ANCHORS, stream=each.file, no=each.row, kind="anchor_line", row=each.what)


def stream_faults(
    conn: Connection, anchored: Anchored, chains: Sequence[Chain], folder: Path | None = None
) -> Iterator[Fault]:
    """Per stream the first anchor that the rows, in the database or in files of `folder`, or the head contradict."""
    tables = {each.name: each.table for each in chains}
    points: dict[tuple[str, str], dict[int, Line]] = defaultdict(dict)
    hashes: dict[tuple[str, str, int], str] = {}
    for line in anchored.lines:
        for chain, stream, no, digest in line.heads:
            earlier = hashes.setdefault((chain, stream, no), digest)
            points[chain, stream].setdefault(no, line)
            if earlier != digest:
                yield _fault(chain, stream, no, line, f"anchored with another hash before, {earlier[:16]}…")
    heads = {
        (row.chain, row.stream): row.last_no
        for row in conn.execute(text("select chain, stream, last_no from chain_heads"))
    }
    for (chain, stream), lines in sorted(points.items()):
        top = max(lines)
        if chain not in tables:
            yield _fault(chain, stream, top, lines[top], "the chain is not of this service")
        elif (chain, stream) not in heads:
            yield _fault(chain, stream, top, lines[top], "the stream vanished")
        elif heads[chain, stream] < top:
            yield _fault(chain, stream, top, lines[top], f"the head was wound back to {heads[chain, stream]}")
        else:
            yield from _other_hash(conn, folder, (chain, tables[chain]), stream, lines, hashes)


def _other_hash(
    conn: Connection,
    folder: Path | None,
    named: tuple[str, str],
    stream: str,
    lines: dict[int, Line],
    hashes: dict[tuple[str, str, int], str],
) -> Iterator[Fault]:
    """The last anchor vouches for all rows before it; only where it does not, the first that differs is sought.

    `named` are the chain and its table.
    """
    chain, table = named
    for numbers in ([max(lines)], sorted(lines)):
        rows = conn.execute(
            text(
                f"select chain_no, chain_hash from {table} where stream = :stream and chain_no = any(:numbers)"
            ),
            {"stream": stream, "numbers": numbers},
        )
        found = {row.chain_no: bytes(row.chain_hash).hex() for row in rows if row.chain_hash}
        found = {**chain_archive.hashes_at(conn, folder, chain, stream, numbers), **found}
        wrong = [no for no in numbers if found.get(no) != hashes[chain, stream, no]]
        if not wrong:
            return
    what = "has another hash" if wrong[0] in found else "is not there"
    yield _fault(chain, stream, wrong[0], lines[wrong[0]], f"the row {what}")


def _fault(chain: str, stream: str, no: int, line: Line, what: str) -> Fault:
    said = f"{what}; anchored {line.at}, {line.file} line {line.row}"
    return Fault(chain=chain, stream=stream, no=no, kind="anchor", row=said)
