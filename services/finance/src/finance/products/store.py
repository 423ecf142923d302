"""The statements that keep versions of products, what waits, and uploads. Who changes the catalogue waits for who does."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
import orjson
from psycopg import Cursor
from sqlalchemy import insert, select, text

from finance.products.events import product_changed
from finance.products.model import Known, Proposal, Version
from finance.products.rules import (
    FIELDS,
    Code,
    Product,
    ProductProposalNotFound,
    ProductUploadNotFound,
    codes_of,
    found_by,
)
from finance.products.tables import product_uploads
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.database import driver_of
from shared.transaction import Tx

_CONTENT = ("product_id", *FIELDS)
_VERSION_COLUMNS = (
    *_CONTENT,
    *("version", "effective_from", "source", "source_version", "upload_id", "proposal_id"),
    *("changed_by", "changed_at"),
)
_PROPOSAL_COLUMNS = (
    *(
        "proposal_id",
        "product_id",
        "fields",
        "effective_from",
        "source",
        "source_version",
        "upload_id",
        "state",
    ),
    *("subject_hash", "proposed_by", "proposed_at"),
)
_READ = "proposal_id, product_id, fields, effective_from, source, source_version, upload_id, state, subject_hash, proposed_by"
_NEWEST = f"""
select {", ".join(f"v.{name}" for name in _VERSION_COLUMNS[:-2])}
from unnest(%s::text[]) as x(id), lateral (
    select * from product_versions n where n.product_id = x.id order by n.version desc limit 1) v
"""
_WAITING = f"select {_READ} from product_proposals where product_id = any(%s) and state = 'proposed'"
_DECIDED = f"""
select {_READ} from unnest(%s::text[]) as x(id), lateral (
    select * from product_proposals p where p.product_id = x.id and p.state in ('approved', 'rejected')
    order by p.proposal_id desc limit 1) p
"""
_HOLDERS = """
select c.kind, c.code, c.product_id from product_codes c
join unnest(%s::text[], %s::text[]) as x(kind, code) on c.kind = x.kind and c.code = x.code
"""


VERSIONS = "(select * from product_versions)"
"""SQL: every version of every product; versions of a product rise with their days."""


def held_on(product_id: str, day: str) -> str:
    """SQL: the version of a product that holds on a day; both are expressions."""
    return (
        f"select * from product_versions v where v.product_id = {product_id} and v.effective_from <= {day}"
        " order by v.version desc limit 1"
    )


def lock(tx: Tx) -> None:
    """One changes the catalogue at a time, until its transaction ends."""
    tx.conn.execute(text("select pg_advisory_xact_lock(hashtextextended('finance:products', 0))"))


def known(tx: Tx, product_ids: Collection[str]) -> dict[str, Known]:
    """What is known of each of these products."""
    found = {each: Known() for each in product_ids}
    with driver_of(tx.conn) as driver:
        for row in driver.execute(_NEWEST, (list(found),)).fetchall():
            version = _version(row)
            found[version.product.product_id].newest = version
        for row in driver.execute(_WAITING, (list(found),)).fetchall():
            found[row[1]].waiting = Proposal(*row)
        for row in driver.execute(_DECIDED, (list(found),)).fetchall():
            found[row[1]].decided = Proposal(*row)
    return found


def _version(row: Sequence[Any]) -> Version:
    cells = dict(zip(_VERSION_COLUMNS, row, strict=False))
    product = msgspec.convert({name: cells.pop(name) for name in _CONTENT}, Product)
    return Version(product, **cells)


Holders = dict[Code, str]
"""Which product has a code now."""


def holders(tx: Tx, products: Sequence[Product]) -> Holders:
    """Who has the codes of these products."""
    codes = sorted({code for each in products for code in codes_of(each)})
    if not codes:
        return {}
    kinds, values = zip(*codes, strict=True)
    with driver_of(tx.conn) as driver:
        rows = driver.execute(_HOLDERS, (list(kinds), list(values))).fetchall()
    return {(kind, code): product_id for kind, code, product_id in rows}


def add_versions(tx: Tx, versions: Sequence[Version]) -> None:
    """Write them with their events, in this order."""
    if not versions:
        return
    day = business_date(tx.now)
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        with cursor.copy(f"copy product_versions ({', '.join(_VERSION_COLUMNS)}) from stdin") as copy:
            for each in versions:
                copy.write_row(
                    (
                        *(_cell(getattr(each.product, name)) for name in _CONTENT),
                        *(each.version, each.effective_from, each.source, each.source_version),
                        *(each.upload_id, each.proposal_id, tx.actor.id, tx.now),
                    )
                )
        _keep_codes(cursor, versions)
        _keep_words(cursor, versions)
        outbox.write(cursor, tx, [product_changed(each, day=day) for each in versions])
    audit.record(
        tx,
        "product.change",
        _subject([each.product.product_id for each in versions]),
        after=[
            [each.product.product_id, each.version, audit.digest(msgspec.to_builtins(each.product))]
            for each in versions
        ],
    )


_GIVE_UP = """
delete from product_codes c where c.product_id = any(%(ids)s) and not exists (
    select from unnest(%(owners)s::text[], %(kinds)s::text[], %(codes)s::text[]) as x(product_id, kind, code)
    where x.product_id = c.product_id and x.kind = c.kind and x.code = c.code)
"""
_GET = """
insert into product_codes (product_id, kind, code)
select * from unnest(%(owners)s::text[], %(kinds)s::text[], %(codes)s::text[]) as x(product_id, kind, code)
where not exists (select from product_codes c
    where c.kind = x.kind and c.code = x.code and c.product_id = x.product_id)
"""


def _keep_codes(cursor: Cursor[Any], versions: Sequence[Version]) -> None:
    """The codes of each product's last version, and no others, are the product's."""
    newest = {each.product.product_id: each.product for each in versions}
    owned = [(product_id, *code) for product_id, product in newest.items() for code in codes_of(product)]
    owners, kinds, codes = zip(*owned, strict=True) if owned else ((), (), ())
    said = {"ids": list(newest), "owners": list(owners), "kinds": list(kinds), "codes": list(codes)}
    cursor.execute(_GIVE_UP, said)
    cursor.execute(_GET, said)


WORDS_ROWS_MAX = 2_000
"""In one statement: their index takes its time."""
_WORDS = """
select w.product_id, w.words from unnest(%s::text[]) as x(id), lateral (
    select * from product_words n where n.product_id = x.id order by n.version desc limit 1) w
"""


def _keep_words(cursor: Cursor[Any], versions: Sequence[Version]) -> None:
    """What finds each version, if it differs from what found the version before."""
    ids = list({each.product.product_id for each in versions})
    before = dict(cursor.execute(_WORDS, (ids,)).fetchall())
    rows = []
    for each in versions:
        product_id = each.product.product_id
        words, grams = found_by(each.product)
        if before.get(product_id) != words:
            before[product_id] = words
            rows.append((product_id, each.version, each.effective_from, words, grams))
    for first in range(0, len(rows), WORDS_ROWS_MAX):
        with cursor.copy(
            "copy product_words (product_id, version, effective_from, words, grams) from stdin"
        ) as copy:
            for row in rows[first : first + WORDS_ROWS_MAX]:
                copy.write_row(row)


def _cell(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _subject(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{ids[0]}..{ids[-1]}"


def propose(tx: Tx, proposals: Sequence[Proposal]) -> None:
    """Let each wait for quality assurance; one that another took the place of is kept as `superseded`."""
    if not proposals:
        return
    with (
        driver_of(tx.conn) as driver,
        driver.cursor().copy(f"copy product_proposals ({', '.join(_PROPOSAL_COLUMNS)}) from stdin") as copy,
    ):
        for each in proposals:
            copy.write_row(
                (
                    *(each.proposal_id, each.product_id, orjson.dumps(each.fields).decode()),
                    *(each.effective_from, each.source, each.source_version, each.upload_id, each.state),
                    *(each.subject_hash, each.proposed_by, tx.now),
                )
            )
    audit.record(
        tx,
        "product.propose",
        _subject([each.product_id for each in proposals]),
        after=[each.subject_hash for each in proposals],
    )


def supersede(tx: Tx, proposal_ids: Sequence[UUID]) -> None:
    """What their source no longer means waits no longer."""
    if proposal_ids:
        tx.conn.execute(
            text("update product_proposals set state = 'superseded' where proposal_id = any(:ids)"),
            {"ids": list(proposal_ids)},
        )


def adopt(tx: Tx, proposal_ids: Sequence[UUID], upload_id: UUID | None) -> None:
    """What was told again belongs to the newer upload, whose decision is asked for."""
    if proposal_ids and upload_id is not None:
        tx.conn.execute(
            text("update product_proposals set upload_id = :upload where proposal_id = any(:ids)"),
            {"ids": list(proposal_ids), "upload": upload_id},
        )


def begin_upload(tx: Tx) -> UUID:
    upload_id = new_id()
    tx.conn.execute(
        insert(product_uploads).values(upload_id=upload_id, uploaded_by=tx.actor.id, uploaded_at=tx.now)
    )
    return upload_id


def hold(tx: Tx, proposal_id: UUID) -> Proposal:
    """Raises ProductProposalNotFound."""
    return _held(tx, "proposal_id = %s", proposal_id, ProductProposalNotFound("no such proposal"))[0]


def hold_upload(tx: Tx, upload_id: UUID) -> tuple[str, list[Proposal]]:
    """Who uploaded it, and what waits of it, in the order of products. Raises ProductUploadNotFound."""
    row = tx.conn.execute(
        select(product_uploads.c.uploaded_by).where(product_uploads.c.upload_id == upload_id)
    ).one_or_none()
    if row is None:
        raise ProductUploadNotFound("no such upload")
    return row.uploaded_by, _held(tx, "upload_id = %s and state = 'proposed'", upload_id)


def _held(tx: Tx, condition: str, value: UUID, missing: Exception | None = None) -> list[Proposal]:
    with driver_of(tx.conn) as driver:
        rows = driver.execute(
            f"select {_READ} from product_proposals where {condition} order by product_id for update",
            (value,),
        ).fetchall()
    if not rows and missing is not None:
        raise missing
    return [Proposal(*row) for row in rows]


_SETTLE = """
update product_proposals p set state = %s, decided_by = %s, decided_at = %s, decided_reason = %s, version = x.version
from unnest(%s::uuid[], %s::int[]) as x(proposal_id, version) where p.proposal_id = x.proposal_id
"""


def settle(tx: Tx, state: str, reason: str | None, became: Sequence[tuple[UUID, int | None]]) -> None:
    """What became of proposals: each with the version that it is now, if any."""
    with driver_of(tx.conn) as driver:
        driver.execute(
            _SETTLE,
            (state, tx.actor.id, tx.now, reason, [each for each, _ in became], [no for _, no in became]),
        )
    audit.record(
        tx, f"product_proposal.{state}", _subject([str(each) for each, _ in became]), after=[became, reason]
    )


def hash_of(proposals: Sequence[Proposal]) -> str:
    """Of all that is decided on together."""
    return str(audit.digest([each.subject_hash for each in proposals]))
