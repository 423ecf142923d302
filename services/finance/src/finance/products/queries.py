"""The catalogue as it is read: what holds on a day, every version, what waits."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.kernel.codes import long
from finance.products.rules import ProductProposalNotFound, ProductUploadNotFound, codes_meant
from shared import search
from shared.clock import business_date
from shared.paging import decode_cursor, page_of
from shared.transaction import Tx


def _of_day(alias: str, table: str = "product_versions") -> str:
    """SQL that is true of the last row of a product that begins by a day."""
    return f"""{alias}.effective_from <= cast(:day as date) and not exists (select from {table} n
    where n.product_id = {alias}.product_id and n.version > {alias}.version
    and n.effective_from <= cast(:day as date))"""


def products(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """The version of each product that holds on a day: by product id, or what a search finds, the best first."""
    if args["search"] is not None:
        return _searched(tx, args)
    return page_of(
        tx.conn, "select v.* from product_versions v", _filters(tx, args), {"v.product_id": str}, args
    )


def _filters(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    gtin = args["gtin"]
    return {
        _of_day("v"): args["day"] or business_date(tx.now),
        "v.product_id = :product_id": args["product_id"],
        "v.gtins @> array[cast(:gtin as text)]": gtin and long(gtin),
        "v.trace_prefixes @> array[cast(:trace_prefix as text)]": args["trace_prefix"],
        "v.approval_number = :approval_number": args["approval_number"],
        "v.legal_class = :legal_class": args["legal_class"],
        "v.control_class = :control_class": args["control_class"],
        "v.temp_class = :temp_class": args["temp_class"],
        "v.category = :category": args["category"],
    }


def _searched(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """By `shared.search`: reading on in the order of ids, or what the index narrows down."""
    filters = _filters(tx, args) | {_of_day("w", "product_words"): args["day"] or business_date(tx.now)}
    asked = search.sought(args["search"], codes_meant(args["search"]))

    def read(rank: str, own: Mapping[str, Any], is_probing: bool) -> Sequence[Mapping[str, Any]]:
        kept = "select product_id, version, effective_from, words from product_words"
        decided = search.decided(rank, "w")
        kind = "not materialized" if is_probing else "materialized"
        if is_probing:
            (beyond,) = decode_cursor(own["cursor"], str)
            hits = f"{kept} where product_id > :beyond order by product_id, version limit :probed"
            fixed = {"beyond": beyond or "", "probed": search.PROBED_ROWS}
        else:
            hits = f"{kept} w where {search.narrowed(rank, 'w')} and {decided} order by product_id, version"
            fixed = {}
        joined = (
            f"with hits as {kind} ({hits}) select v.* from hits w"
            f" join product_versions v on v.product_id = w.product_id and {decided}"
        )
        items: Sequence[Mapping[str, Any]] = page_of(
            tx.conn, joined, filters, {"w.product_id": str}, own, fixed=asked | fixed
        )["items"]
        return items

    return search.best_first(read, args, "product_id", str)


def versions(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Every version of one product, the first first."""
    return page_of(
        tx.conn,
        "select v.* from product_versions v",
        {"v.product_id = :product_id": args["product_id"]},
        {"v.version": int},
        args,
    )


_PROPOSALS = """
select p.*, p.fields as said, p.fields ? 'generic_name' as is_new, (
    select to_jsonb(v) from product_versions v where v.product_id = p.product_id
    order by v.version desc limit 1) as newest
from product_proposals p"""


def proposals(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What was proposed, the first first."""
    found = page_of(
        tx.conn,
        _PROPOSALS,
        {
            "p.state = :state": args["state"],
            "p.product_id = :product_id": args["product_id"],
            "p.upload_id = :upload_id": args["upload_id"],
        },
        {"p.proposal_id": UUID},
        args,
    )
    return found | {"items": [_shown(each) for each in found["items"]]}


def proposal(tx: Tx, proposal_id: UUID) -> dict[str, Any]:
    """Raises ProductProposalNotFound."""
    row = tx.conn.execute(text(f"{_PROPOSALS} where p.proposal_id = :id"), {"id": proposal_id}).mappings()
    found = row.one_or_none()
    if found is None:
        raise ProductProposalNotFound("no such proposal")
    return _shown(found)


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    newest = row["newest"]
    return {**row, "before": newest and {name: newest[name] for name in row["said"]}}


_UPLOADS = """
select u.*, (select count(*) from product_proposals p
    where p.upload_id = u.upload_id and p.state = 'proposed') as waiting
from product_uploads u"""


def uploads(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Uploads, the first first."""
    return page_of(
        tx.conn,
        _UPLOADS,
        {
            """exists (select from product_proposals p where p.upload_id = u.upload_id
                and p.state = 'proposed') = :has_waiting""": args["has_waiting"]
        },
        {"u.upload_id": UUID},
        args,
    )


def upload(tx: Tx, upload_id: UUID) -> dict[str, Any]:
    """Raises ProductUploadNotFound."""
    row = tx.conn.execute(text(f"{_UPLOADS} where u.upload_id = :id"), {"id": upload_id}).mappings()
    found = row.one_or_none()
    if found is None:
        raise ProductUploadNotFound("no such upload")
    return dict(found)
