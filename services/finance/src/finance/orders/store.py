"""The statements that hold and change orders, and what other areas read of them, as SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from finance.credit import Override
from finance.orders.model import Confirmed, Decided, Delivery, Order, Priced, Proposed, Shipment
from finance.orders.rules import Line, OrderNotFound, lines_of, stored
from finance.orders.tables import approvals, order_lines, orders, revisions, shipment_lines, shipments
from finance.trade_permissions import Permission
from shared import audit
from shared.approvals import Approval, Decision, decide_and_store, decisions_on
from shared.clock import business_date
from shared.transaction import Tx

ORDERS = "(select order_id, number, branch_id, customer_id, contract_id, state, drafted_by, confirmed_at from sales_orders)"
"""Each order."""
LINES = "(select order_id, no, product, quantity, shipped_quantity, deliver_on, completed_on from sales_order_lines)"
"""What is confirmed of each order."""
SHIPMENTS = (
    "(select shipment_id, order_id, no, branch_id, sale_id, receipt_number, sent_on, sent_at, sent_by, confirmed_at,"
    " total_fen from shipments)"
)
"""What was sent of orders; each is a sale."""
SHIPMENT_LINES = (
    "(select shipment_id, no, order_line, lot, expiry, quantity, unit_price_fen, unit_discount_fen, tax_bp, cost_fen,"
    " trace_codes from shipment_lines)"
)
"""The lots of shipments."""
ORDERED = "(select h.sale_id, o.order_id, o.drafted_by from shipments h join sales_orders o on o.order_id = h.order_id)"
"""The order that a sale shipped, and who drafted it."""


def order_of(row: Mapping[str, Any]) -> Order:
    """The order that a row holds; `Proposed` where it proposes something."""
    said = {each.name: row[each.name] for each in fields(Order)}
    if row["proposal"] is None:
        return Order(**said)
    return Proposed(**{**said, "proposal": lines_of(row["proposal"])})


def lock(tx: Tx, order_id: UUID) -> Order:
    """The order, its row locked until the transaction ends. Raises OrderNotFound, ForeignBranch."""
    wanted = [orders.c[each.name] for each in fields(Order)]
    row = tx.conn.execute(
        select(*wanted).where(orders.c.order_id == order_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise OrderNotFound("no such order")
    tx.actor.require_branch(row.branch_id)
    return order_of(row._asdict())


def confirmed_lines(tx: Tx, order_id: UUID) -> Confirmed:
    """What is confirmed of the order, with what is shipped of it, by line."""
    rows = tx.conn.execute(
        select(order_lines).where(order_lines.c.order_id == order_id).order_by(order_lines.c.no)
    )
    return {row.no: (line_of(row._asdict()), row.shipped_quantity) for row in rows}


def line_of(row: Mapping[str, Any]) -> Line:
    return lines_of([{name: row[name] for name in Line.__struct_fields__}])[0]


def confirmers(tx: Tx, order_id: UUID) -> set[str]:
    """Whoever confirmed any content of the order."""
    return set(
        tx.conn.execute(select(revisions.c.confirmed_by).where(revisions.c.order_id == order_id)).scalars()
    )


def decisions(tx: Tx, order: Order, matter: str) -> list[Decision]:
    """What was decided on a matter of the order, oldest first, whatever it proposed then."""
    return decisions_on(tx.conn, approvals, {"order_id": order.order_id, "matter": matter})


def decide(tx: Tx, order: Order, approval: Approval, said: Decided) -> Decision:
    """Keep the actor's decision. Raises the refusals of shared.approvals."""
    subject = {"order_id": order.order_id, "matter": said.matter}
    made, _ = decide_and_store(tx, approvals, subject, approval, approved=said.approved, reason=said.reason)
    return made


def override_until(tx: Tx, order: Proposed) -> datetime:
    """When the first of the two ends to which the heads let what is proposed go beyond its credit."""
    until: datetime = tx.conn.execute(
        text(
            "select min(until) from order_approvals where order_id = :id and matter = 'credit'"
            " and subject_hash = :hash"
        ),
        {"id": order.order_id, "hash": order.proposal_hash},
    ).scalar_one()
    return until


def next_number(tx: Tx) -> int:
    return int(tx.conn.execute(text("select nextval('sales_order_numbers')")).scalar_one())


def add(tx: Tx, order: Order) -> None:
    """A draft, which `propose` gives what it says."""
    tx.conn.execute(
        insert(orders).values(
            order_id=order.order_id,
            number=order.number,
            branch_id=order.branch_id,
            customer_id=order.customer_id,
            contract_id=order.contract_id,
            state=order.state,
            version=order.version,
            proposal=[],
            proposal_hash="",
            proposed_by=tx.actor.id,
            proposed_at=tx.now,
            proposer_roles=sorted(tx.actor.roles),
            drafted_by=tx.actor.id,
            drafted_at=tx.now,
        )
    )


def propose(tx: Tx, order: Order, lines: Sequence[Line], state: str) -> None:
    """A new version, so that no decision on an earlier one counts; an order that was ended is so no more."""
    version = order.version + 1
    content = [str(order.order_id), version, str(order.customer_id), str(order.contract_id), stored(lines)]
    tx.conn.execute(
        update(orders)
        .where(orders.c.order_id == order.order_id)
        .values(
            version=version,
            proposal=stored(lines),
            proposal_hash=audit.digest(content),
            proposed_by=tx.actor.id,
            proposed_at=tx.now,
            proposer_roles=sorted(tx.actor.roles),
            state=state,
            ended_by=None,
            ended_at=None,
            ended_reason=None,
        )
    )


def keep_check(tx: Tx, order: Order, permission: Permission | None, *, is_free: bool) -> None:
    """What judging a draft came to."""
    tx.conn.execute(
        update(orders)
        .where(orders.c.order_id == order.order_id)
        .values(
            state="checked" if is_free else "draft",
            permission_version=None if permission is None else permission.version,
        )
    )


def write_lines(tx: Tx, order: Order, lines: Sequence[Line], shipped: Mapping[int, int]) -> None:
    """Confirm these lines instead of those before. `shipped` is what left of each, in units."""
    today = business_date(tx.now)
    tx.conn.execute(
        delete(order_lines).where(
            order_lines.c.order_id == order.order_id, order_lines.c.no.not_in([line.no for line in lines])
        )
    )
    for line, row in zip(lines, stored(lines), strict=True):
        row = {**row, "deliver_on": line.deliver_on}  # noqa: PLW2901
        statement = upsert(order_lines).values(order_id=order.order_id, **row)
        is_complete = line.quantity == shipped.get(line.no, 0)
        changed = {name: statement.excluded[name] for name in row if name != "no"}
        tx.conn.execute(
            statement.on_conflict_do_update(
                index_elements=["order_id", "no"],
                set_={
                    **changed,
                    "completed_on": text(f"coalesce(sales_order_lines.completed_on, date '{today}')")
                    if is_complete
                    else None,
                },
            )
        )


def add_revision(
    tx: Tx, order: Proposed, permission: Permission, priced: Mapping[int, Priced], override: Override | None
) -> None:
    """What the order is confirmed with, and what it was judged by."""
    tx.conn.execute(
        insert(revisions).values(
            order_id=order.order_id,
            version=order.version,
            lines=stored(order.proposal),
            subject_hash=order.proposal_hash,
            total_fen=sum(line.total_fen for line in order.proposal),
            permission={
                "version": permission.version,
                "on": str(business_date(tx.now)),
                "kind": permission.kind,
                "categories": list(permission.categories),
                "valid_until": None if permission.valid_until is None else str(permission.valid_until),
            },
            prices=[
                {
                    "no": no,
                    "verdict": each.verdict,
                    "rule_id": each.prices.rule_id,
                    "strategy_id": each.prices.strategy_id,
                    "list_fen": each.prices.list_fen,
                    "floor_fen": each.prices.floor_fen,
                }
                for no, each in sorted(priced.items())
            ],
            override_id=None if override is None else override.approval_id,
            proposed_by=order.proposed_by,
            confirmed_by=tx.actor.id,
            confirmed_at=tx.now,
        )
    )


def confirm(tx: Tx, order: Order, state: str, permission: Permission, *, is_change: bool) -> int:
    """What was proposed is in force; returns the version of the event that tells it."""
    first = {} if is_change else {"confirmed_by": tx.actor.id, "confirmed_at": tx.now}
    return _move(tx, order, state, **_NO_PROPOSAL, permission_version=permission.version, **first)


def end(tx: Tx, order: Order, state: str, reason: str, *, keeps_proposal: bool) -> int:
    """The order is cancelled or closed; returns the version of the event that tells it."""
    ended = {"ended_by": tx.actor.id, "ended_at": tx.now, "ended_reason": reason}
    return _move(tx, order, state, **ended, **({} if keeps_proposal else _NO_PROPOSAL))


_NO_PROPOSAL = {"proposal": None, "proposal_hash": None}


def _move(tx: Tx, order: Order, state: str, **values: object) -> int:
    told: int = tx.conn.execute(
        update(orders)
        .where(orders.c.order_id == order.order_id)
        .values(state=state, events=orders.c.events + 1, **values)
        .returning(orders.c.events)
    ).scalar_one()
    audit.record(tx, f"order.{state}", str(order.order_id), before=order.state, after=[state, order.version])
    return told


def add_shipment(tx: Tx, shipment: Shipment) -> None:
    """Keep what left, lot by lot."""
    order = shipment.delivery.order
    tx.conn.execute(
        insert(shipments).values(
            shipment_id=shipment.shipment_id,
            order_id=order.order_id,
            no=shipment.delivery.no,
            branch_id=order.branch_id,
            sale_id=UUID(shipment.sale_id),
            receipt_number=shipment.receipt_number,
            sent_on=shipment.sent_on,
            sent_at=tx.now,
            sent_by=tx.actor.id,
            confirmed_at=order.confirmed_at,
            total_fen=shipment.delivery.total_fen,
        )
    )
    tx.conn.execute(
        insert(shipment_lines),
        [
            {
                "shipment_id": shipment.shipment_id,
                "no": index,
                "order_line": parcel.line_no,
                "lot": parcel.lot,
                "expiry": parcel.expiry,
                "quantity": parcel.quantity,
                "unit_price_fen": line.unit_price_fen,
                "unit_discount_fen": line.unit_discount_fen,
                "tax_bp": line.tax_bp,
                "cost_fen": parcel.cost_fen,
                "trace_codes": list(parcel.trace_codes),
            }
            for index, (parcel, line) in enumerate(shipment.delivery.packed, 1)
        ],
    )


def ship(tx: Tx, delivery: Delivery) -> None:
    """The order and its lines as the delivery leaves them."""
    order_id, today = delivery.order.order_id, business_date(tx.now)
    for no in delivery.sent:
        ordered, shipped = delivery.after[no]
        tx.conn.execute(
            update(order_lines)
            .where(order_lines.c.order_id == order_id, order_lines.c.no == no)
            .values(shipped_quantity=shipped, completed_on=today if ordered == shipped else None)
        )
    tx.conn.execute(
        update(orders)
        .where(orders.c.order_id == order_id)
        .values(state=delivery.state, shipments=orders.c.shipments + 1)
    )
