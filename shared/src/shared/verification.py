"""Verify everything that a service's books rest on: chains, rows, what rows say of each other, anchors.

Source: X7
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from shared import anchoring, archiving, audit, chain, chain_archive, incarnation, row_log
from shared.chain import Chain, Fault
from shared.database import Database
from shared.row_log import Proof
from shared.service import Service
from shared.settings import Settings

PROOFS = (
    Proof(
        name="events are numbered without a gap up to the head",
        relation="outbox",
        sql="select format('%s events from %s to %s, the head is %s', h.events, h.first, h.last, o.last_seq)"
        " from (select count(*) as events, min(seq) as first, coalesce(max(seq), 0) as last from outbox"
        " where seq is not null) h left join outbox_head o on true"
        " where h.last - h.first + 1 <> h.events or (h.events > 0 or not exists (select from log_archives)) and (h.last, 1) is distinct from (coalesce(o.last_seq, 0), coalesce(o.one, 1))",
    ),
    Proof(
        name="the running hash of the log is that of its events",
        relation="outbox",
        sql="select 'event ' || seq from (select seq, log_hash, lag(log_hash) over (order by seq) as before,"
        f" {incarnation.DIGEST.format(seq='seq', id='event_id')} as digest from outbox where seq is not null) o"
        " where log_hash is distinct from before # digest and (before is not null or seq = 1)"
        " and (seq > 1 or log_hash is distinct from digest)"
        " union all select 'the head' from outbox_head h where (h.log_hash, h.epoch) is distinct from"
        # of no events it is 0; of a last event that is in a file the file tells it
        " (case h.last_seq when 0 then 0 else coalesce((select log_hash from outbox where seq = h.last_seq), h.log_hash) end,"
        " (select coalesce(max(epoch), 1) from log_epochs))",
    ),
    Proof(
        name="totals are the sums of the events",
        relation="outbox_totals",
        sql="select concat_ws(' ', day, type) from outbox_totals t full join (select day, type, count(*) as events,"
        " sum(amount_fen) as fen from outbox where seq is not null group by day, type) o using (day, type)"
        " where (t.events, t.amount_fen) is distinct from (o.events, o.fen)"
        # a part of them is in files
        " and not exists (select from log_archives)",
    ),
)


def every_chain(service: Service) -> list[Chain]:
    """The service's own, the audit's, and the log of rows."""
    chains = {each.name: each for each in (*service.chains, audit.CHAIN, row_log.CHAIN)}
    return list(chains.values())


def verify(
    database: Database, service: Service, settings: Settings
) -> Iterator[tuple[str, list[Fault] | None]]:
    """Yield per chain its name and its faults, none when it is sound; `rows` holds those of the tables, too.

    At last the anchors: None when there are none by the settings.
    """
    with database.read() as conn:
        anchored = anchoring.read(conn, service.name, settings)
    yield from _of_chains(database, service, archiving.folder_of(settings))
    if anchored is None:
        yield anchoring.ANCHORS, None
        return
    with database.read() as conn:
        yield anchoring.ANCHORS, list(_against(conn, service, settings, anchored))


def anchor_faults(conn: Connection, service: Service, settings: Settings) -> Iterator[Fault]:
    """What the anchors contradict now; nothing when there are none by the settings."""
    anchored = anchoring.read(conn, service.name, settings)
    if anchored is not None:
        yield from _against(conn, service, settings, anchored)


def _against(
    conn: Connection, service: Service, settings: Settings, anchored: anchoring.Anchored
) -> Iterator[Fault]:
    yield from anchoring.line_faults(anchored)
    yield from anchoring.stream_faults(conn, anchored, every_chain(service), archiving.folder_of(settings))


def _of_chains(
    database: Database, service: Service, folder: Path | None
) -> Iterator[tuple[str, list[Fault]]]:
    for each in every_chain(service):
        with database.read() as conn:
            yield each.name, list(faults_of(conn, service, each, folder))


def faults_of(conn: Connection, service: Service, one: Chain, folder: Path | None = None) -> Iterator[Fault]:
    """The faults of one chain in the caller's snapshot, its archived months in `folder` included."""
    archived = chain_archive.archived(conn, one.name)
    for said in archived:
        if fault := chain_archive.verify_file(folder, said):
            yield fault
    before, apart = chain_archive.joints(archived)
    yield from apart
    yield from chain.verify(conn, one, before)
    if one is row_log.CHAIN:
        tables = list(service.metadata.tables.values())
        yield from row_log.verify(conn, tables, service.followed, (*PROOFS, *service.proofs))
        known = [anchoring.ANCHORS, *(each.name for each in every_chain(service))]
        strange = text("select chain, stream, last_no from chain_heads where chain <> all(:known)")
        for row in conn.execute(strange, {"known": known}):
            yield Fault(chain=row.chain, stream=row.stream, no=row.last_no, kind="inserted")
