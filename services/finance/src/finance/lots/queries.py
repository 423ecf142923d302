"""What holds of lots, what contradicted it, what was decided."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.lots import canonical
from shared.paging import page_of
from shared.transaction import Tx


def expiries(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Lots with their expiry; keyset by product and lot. Every branch's lots are the same lots, but the paper that told
    it is shown to those alone who may see its branch.
    """
    found = page_of(
        tx.conn,
        "select e.* from lot_expiries e",
        {
            "e.product_id = :product_id": args["product_id"],
            "e.lot_key = :lot": _key(args["lot"]),
            "e.source = :source": args["source"],
        },
        {"e.product_id": str, "e.lot_key": str},
        args,
    )
    for item in found["items"]:
        if item["branch_id"] is not None and not tx.actor.may_see(item["branch_id"]):
            item |= {"branch_id": None, "reference": None, "told_by": None}
    return found


def contradictions(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What was refused, of the token's branches, in the order in which it was told first. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        "select c.*, (c.decision_id is null) as is_open from lot_contradictions c",
        {
            "c.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "c.product_id = :product_id": args["product_id"],
            "c.lot_key = :lot": _key(args["lot"]),
            "(c.decision_id is null) = :is_open": args["is_open"],
            "c.decision_id = :decision_id": args["decision_id"],
        },
        {"c.contradiction_id": UUID},
        args,
    )


def decision(tx: Tx, decision_id: UUID) -> dict[str, Any]:
    row = tx.conn.execute(
        text("select * from lot_expiry_decisions where decision_id = :id"), {"id": decision_id}
    )
    return dict(row.mappings().one())


def decisions(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What quality assurance decided, the first first."""
    return page_of(
        tx.conn,
        "select d.* from lot_expiry_decisions d",
        {
            "d.product_id = :product_id": args["product_id"],
            "d.lot_key = :lot": _key(args["lot"]),
        },
        {"d.decision_id": UUID},
        args,
    )


def _key(lot: str | None) -> str | None:
    return lot and canonical(lot)
