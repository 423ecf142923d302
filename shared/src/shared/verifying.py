"""Verification by the scheduler, in slices: what `chains verify` does at once, part by part, again and again.

A part is a stream of a chain, the file of an archived month, a table against the log of rows, a proof, what strangers
wrote, or the anchors. Each turn takes the part that was tried longest ago: of a stream CHAIN_ROWS rows, after which the
next turn goes on where this one stopped; of anything else the whole, at most SLICE_S_MAX. `verified_parts` says how far
it has come, the gauges when the part that waits longest was last finished, and how many findings there are now.

Its own record lies in the database that it doubts: it finds what happens on ordinary days. Who audits runs
`chains verify`, which rests on nothing.

Source: X7
"""

from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from prometheus_client import Gauge
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from shared import archiving, chain, chain_archive, row_log, verification
from shared.chain import CANONICAL, GENESIS, Chain, Fault
from shared.service import Job, Service
from shared.settings import Settings
from shared.sqlstates import sqlstate_of
from shared.transaction import Tx

EVERY_S = 60
CHAIN_ROWS = 50_000
SLICE_S_MAX = 50
TOO_SLOW = "57014"
"""SQLSTATE of a statement that took longer than it may."""
VERIFIED_AT = Gauge(
    "apotheca_verified_at_seconds",
    "When the part that waits longest was last verified wholly, Unix time; 0 while one never was.",
    ["service"],
)
FINDINGS = Gauge("apotheca_verification_findings", "Findings of the scheduled verification now.", ["service"])

log = structlog.get_logger(__name__)


def job_of(service: Service, settings: Settings) -> Job:
    """The job that verifies one slice every EVERY_S."""
    return Job(name="verify_slice", every_s=EVERY_S, run=lambda tx: verify_slice(tx, service, settings))


def verify_slice(tx: Tx, service: Service, settings: Settings) -> int:
    """Verify a slice of the part that was tried longest ago. Returns 0: the next one has its own turn.

    A part that takes longer than SLICE_S_MAX is given up and tried again in its turn; it keeps the age alarm up.
    """
    names = list(parts(tx, service, settings))
    tx.conn.execute(text("delete from verified_parts where part <> all(:names)"), {"names": names})
    tx.conn.execute(
        text(
            "insert into verified_parts (part) select unnest(cast(:names as text[])) on conflict do nothing"
        ),
        {"names": names},
    )
    part = tx.conn.execute(
        text(
            "select part, upto, upto_hash from verified_parts order by upto > 0 desc, tried_at nulls first, part limit 1"
        )
    ).one()
    tx.conn.exec_driver_sql(CANONICAL)
    try:
        with tx.conn.begin_nested():
            tx.conn.exec_driver_sql(f"set local statement_timeout = '{SLICE_S_MAX}s'")
            faults, upto, upto_hash = _slice(tx, service, settings, part)
    except DBAPIError as error:
        if sqlstate_of(error) != TOO_SLOW:
            raise
        log.warning("verification_too_slow", part=part.part, seconds=SLICE_S_MAX)
        _write(tx, part.part, "tried_at = :now, upto = 0")
        _show(tx, service.name)
        return 0
    for fault in faults:
        log.error(
            "verification_finding",
            part=part.part,
            stream=fault.stream,
            no=fault.no,
            row=fault.row,
            fault=fault.kind,
        )
    if upto:
        _write(tx, part.part, "tried_at = :now, upto = :upto, upto_hash = :hash", upto=upto, hash=upto_hash)
    else:
        first = (
            f"{faults[0].kind}: {faults[0].stream} {faults[0].no} {faults[0].row or ''}" if faults else None
        )
        _write(
            tx,
            part.part,
            "tried_at = :now, verified_at = :now, upto = 0, findings = :findings, first_finding = :first",
            findings=len(faults),
            first=first,
        )
    _show(tx, service.name)
    return 0


def _write(tx: Tx, part: str, what: str, **values: Any) -> None:
    tx.conn.execute(
        text(f"update verified_parts set {what} where part = :part"), {"part": part, "now": tx.now, **values}
    )


def _show(tx: Tx, service: str) -> None:
    found = tx.conn.execute(
        text(
            "select coalesce(sum(findings), 0) as findings, bool_or(verified_at is null) as is_first_round,"
            " extract(epoch from min(verified_at)) as oldest from verified_parts"
        )
    ).one()
    VERIFIED_AT.labels(service).set(0 if found.is_first_round else float(found.oldest or 0))
    FINDINGS.labels(service).set(int(found.findings))


def findings(conn: Connection) -> Sequence[Any]:
    """The parts of which the scheduled verification found something, and those it has never finished."""
    return conn.execute(
        text(
            "select part, verified_at, tried_at, findings, first_finding from verified_parts"
            " order by findings desc, verified_at nulls first, part"
        )
    ).all()


# --- parts ----------------------------------------------------------------------------------------------


def parts(tx: Tx, service: Service, settings: Settings) -> Iterator[str]:
    """The names of everything that is verified, each once."""
    known = [each.name for each in verification.every_chain(service)]
    heads = text("select chain, stream from chain_heads where chain = any(:known)")
    for row in tx.conn.execute(heads, {"known": known}):
        yield f"stream {row.chain} {row.stream}"
    for row in chain_archive.archived(tx.conn):
        yield f"file {row.file}"
    for relation in row_log.relations(list(service.metadata.tables.values()), service.followed):
        yield f"table {relation}"
    for proof in (*verification.PROOFS, *service.proofs):
        yield f"proof {proof.relation}: {proof.name}"
    yield "foreign"
    if settings.anchors is not None:
        yield "anchors"


def _slice(tx: Tx, service: Service, settings: Settings, part: Any) -> tuple[list[Fault], int, bytes | None]:
    """What was found, and where to go on: 0 when the part is finished."""
    kind, _, name = part.part.partition(" ")
    tables = list(service.metadata.tables.values())
    folder = archiving.folder_of(settings)
    if kind == "stream":
        each, _, stream = name.partition(" ")
        chains = {one.name: one for one in verification.every_chain(service)}
        return _stretch(tx, chains[each], stream, part.upto, part.upto_hash)
    if kind == "file":
        said = next(row for row in chain_archive.archived(tx.conn) if row.file == name)
        found = chain_archive.verify_file(folder, said)
        return [found] if found else [], 0, None
    if kind == "table":
        return list(row_log.verify_table(tx.conn, name, tables, service.followed)), 0, None
    if kind == "proof":
        proofs = {f"{each.relation}: {each.name}": each for each in (*verification.PROOFS, *service.proofs)}
        return list(row_log.proved(tx.conn, proofs[name])), 0, None
    if kind == "foreign":
        return list(row_log.foreign(tx.conn)), 0, None
    return list(verification.anchor_faults(tx.conn, service, settings)), 0, None


def _stretch(
    tx: Tx, one: Chain, stream: str, upto: int, upto_hash: bytes | None
) -> tuple[list[Fault], int, bytes | None]:
    """Up to CHAIN_ROWS rows of a stream from `upto` on; at the end the head as it was when this turn began."""
    head = chain.head_of(tx.conn, one.name, stream)
    start = (upto, bytes(upto_hash or GENESIS))
    if not upto:
        before, _ = chain_archive.joints(
            [row for row in chain_archive.archived(tx.conn, one.name) if row.stream == stream]
        )
        start = before.get(stream, (0, GENESIS))
    fault, (no, digest) = chain.walk(tx.conn, one, stream, start, last=min(head[0], start[0] + CHAIN_ROWS))
    if fault is not None:
        return [fault], 0, None
    if no < head[0]:
        return [], no, digest
    ends = Fault(chain=one.name, stream=stream, no=no, kind="head")
    return [] if (no, digest) == head else [ends], 0, None
