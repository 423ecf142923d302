"""Take lots off sale at once, and let them back only when two persons agree.

A stop binds every branch, so who orders or lifts it answers for every branch. Quality assurance orders alone:
nothing waits for an approval. It asks for the lifting, and management decides.
Source: G7, F27
"""

from typing import Any
from uuid import UUID

from returns.stop_sales import events, store
from returns.stop_sales.model import LiftingPending, NoLiftingPending, StopSaleLifted, StopSaleUnknown
from returns.stop_sales.tables import stop_sale_lifting_decisions
from shared import audit, outbox
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.identity import EVERY_BRANCH
from shared.lots import canonical
from shared.transaction import Tx

LIFTING_ROLES = frozenset({"management"})


def order_stop_sale(tx: Tx, body: dict[str, Any]) -> UUID:
    """Stop the sale of lots of a product, from this instant. Raises ForeignBranch."""
    tx.actor.require_branch(EVERY_BRANCH)
    stop_id = new_id()
    lots = sorted(body["lots"])
    store.add_stop_sale(
        tx,
        {
            "id": stop_id,
            "product_id": body["product_id"],
            "lots": lots,
            "lot_keys": [canonical(lot) for lot in lots],
            "reason": body["reason"],
            "evidence": body["evidence"],
            "state": "ordered",
            "ordered_by": tx.actor.id,
            "ordered_at": tx.now,
        },
    )
    audit.record(tx, "stop_sale.order", str(stop_id), after=[body["product_id"], lots, body["reason"]])
    outbox.append(
        tx,
        events.stop_sale_ordered(
            stop_sale_id=str(stop_id),
            product_id=body["product_id"],
            lots=lots,
            reason=body["reason"],
            ordered_at=tx.now,
            day=business_date(tx.now),
        ),
    )
    return stop_id


def ask_to_lift(tx: Tx, stop_id: UUID, *, reason: str, evidence: list[str]) -> None:
    """Ask management to let the lots back on sale. Raises StopSaleUnknown, StopSaleLifted, LiftingPending."""
    stop = _lock(tx, stop_id)
    if store.pending_lifting(tx, stop_id) is not None:
        raise LiftingPending("the last request is to be decided first")
    store.add_lifting(
        tx,
        {
            "id": new_id(),
            "stop_sale_id": stop_id,
            "state": "pending",
            "reason": reason,
            "evidence": evidence,
            "requested_by": tx.actor.id,
            "requested_at": tx.now,
        },
    )
    audit.record(tx, "stop_sale.ask_to_lift", str(stop_id), after=[stop["lots"], reason])


def decide_lifting(tx: Tx, stop_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Lift the stop, or let it stand. Raises StopSaleUnknown, StopSaleLifted, NoLiftingPending, SamePerson, ReasonMissing."""
    stop = _lock(tx, stop_id)
    lifting = store.pending_lifting(tx, stop_id)
    if lifting is None:
        raise NoLiftingPending("nobody asks to lift this stop")
    subject_hash = audit.digest([str(lifting["id"]), stop["product_id"], stop["lots"], lifting["reason"]])
    assert subject_hash is not None
    decision, state = decide_and_store(
        tx,
        stop_sale_lifting_decisions,
        {"lifting_id": lifting["id"]},
        Approval(
            required=LIFTING_ROLES, excluded=frozenset({lifting["requested_by"]}), subject_hash=subject_hash
        ),
        approved=approved,
        reason=reason,
    )
    store.end_lifting(tx, lifting["id"], state, decision)
    audit.record(tx, "stop_sale.decide_lifting", str(stop_id), after=[subject_hash, approved, reason])
    if approved:
        store.lift_stop_sale(tx, stop_id)
        outbox.append(
            tx,
            events.stop_sale_lifted(
                stop_sale_id=str(stop_id),
                product_id=stop["product_id"],
                lots=stop["lots"],
                lifted_at=tx.now,
                day=business_date(tx.now),
            ),
        )


def _lock(tx: Tx, stop_id: UUID) -> Any:
    tx.actor.require_branch(EVERY_BRANCH)
    stop = store.lock_stop_sale(tx, stop_id)
    if stop is None:
        raise StopSaleUnknown("no such stop of sale")
    if stop["state"] != "ordered":
        raise StopSaleLifted("the lots are back on sale already")
    return stop
