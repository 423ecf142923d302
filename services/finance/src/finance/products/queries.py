"""The catalogue as it is read: what holds on a day, every version, what waits."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.kernel.codes import long
from finance.products.rules import ProductProposalNotFound, ProductUploadNotFound
from shared.clock import business_date
from shared.paging import page_of
from shared.transaction import Tx

_OF_DAY = """v.effective_from <= cast(:day as date) and not exists (select from product_versions n
    where n.product_id = v.product_id and n.version > v.version and n.effective_from <= cast(:day as date))"""


def products(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """The version of each product that holds on a day, by product id."""
    gtin = args["gtin"]
    return page_of(
        tx.conn,
        "select v.* from product_versions v",
        {
            _OF_DAY: args["day"] or business_date(tx.now),
            "v.product_id = :product_id": args["product_id"],
            "v.gtins @> array[cast(:gtin as text)]": gtin and long(gtin),
            "v.trace_prefixes @> array[cast(:trace_prefix as text)]": args["trace_prefix"],
            "v.approval_number = :approval_number": args["approval_number"],
            "v.legal_class = :legal_class": args["legal_class"],
            "v.control_class = :control_class": args["control_class"],
            "v.temp_class = :temp_class": args["temp_class"],
            "v.category = :category": args["category"],
        },
        {"v.product_id": str},
        args,
    )


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
