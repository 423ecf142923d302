"""An order from draft to its end: what it wants is proposed, judged and confirmed by different persons.

A change of a confirmed order and a re-opening are proposals like the first one: the confirmed content stays in force
until they are confirmed, with every check made anew.
Source: F10, F12, F27, I30, I34, X9, model 3.2 (SalesOrder)
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from finance import credit, trade_permissions
from finance.orders import events
from finance.orders.commands import judging
from finance.orders.commands.judging import HEADS, Judgement
from finance.orders.rules import (
    DRAFTS,
    ENDED,
    HOLDING,
    ApprovalNotNeeded,
    ApprovalUntilInvalid,
    Line,
    OrderChanged,
    OrderNotFound,
    OrderNotReady,
    OrderNotYours,
    OrderRefused,
    check_lines,
    lines_of,
    rule_on,
    state_of,
    stored,
)
from finance.orders.tables import approvals, order_lines, orders, revisions
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx


def draft(tx: Tx, body: Mapping[str, Any], lines: Sequence[Line]) -> UUID:
    """An order as a customer asks for it; it holds nothing yet. Raises ForeignBranch, and the faults of check_lines."""
    tx.actor.require_branch(body["branch_id"])
    today = business_date(tx.now)
    check_lines(lines, (), today)
    order_id = new_id()
    number = tx.conn.execute(text("select nextval('sales_order_numbers')")).scalar_one()
    row: dict[str, Any] = {
        "order_id": order_id,
        "number": f"SO{today.year}-{number:06d}",
        "branch_id": body["branch_id"],
        "customer_id": body["customer_id"],
        "contract_id": body["contract_id"],
        "version": 0,
    }
    tx.conn.execute(
        insert(orders).values(
            **row,
            state="draft",
            proposal=[],
            proposal_hash="",
            **_proposer(tx),
            drafted_by=tx.actor.id,
            drafted_at=tx.now,
        )
    )
    _propose(tx, row, lines)
    audit.record(tx, "order.draft", str(order_id), after=[*row.values(), stored(lines)])
    return order_id


def _proposer(tx: Tx) -> dict[str, Any]:
    return {
        "proposed_by": tx.actor.id,
        "proposed_at": tx.now,
        "proposer_roles": sorted(tx.actor.roles),
    }


def _propose(tx: Tx, order: Mapping[str, Any], lines: Sequence[Line], **values: Any) -> None:
    """A new version, so that no decision on an earlier one counts."""
    version = order["version"] + 1
    content = [
        str(order["order_id"]),
        version,
        str(order["customer_id"]),
        str(order["contract_id"]),
        stored(lines),
    ]
    tx.conn.execute(
        update(orders)
        .where(orders.c.order_id == order["order_id"])
        .values(
            version=version,
            proposal=stored(lines),
            proposal_hash=audit.digest(content),
            **_proposer(tx),
            **values,
        )
    )


def locked(tx: Tx, order_id: UUID, expected: Collection[str], version: int | None = None) -> dict[str, Any]:
    """The order, its row locked until the transaction ends.

    Raises OrderNotFound, ForeignBranch, OrderChanged (another version than the caller read), OrderNotReady.
    """
    row = (
        tx.conn.execute(select(orders).where(orders.c.order_id == order_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise OrderNotFound("no such order")
    tx.actor.require_branch(row["branch_id"])
    if version is not None and version != row["version"]:
        raise OrderChanged("the order was changed since", version=row["version"])
    if row["state"] not in expected:
        raise OrderNotReady(Text("the order is {state}", state=row["state"]), state=row["state"])
    return dict(row)


def propose_change(tx: Tx, order_id: UUID, version: int, lines: Sequence[Line]) -> None:
    """Replace what a draft says, or propose a change of what is confirmed. Raises as locked and check_lines."""
    order = locked(tx, order_id, DRAFTS | HOLDING, version)
    check_lines(lines, judging.confirmed_lines(tx, order_id), business_date(tx.now))
    state = "draft" if order["state"] in DRAFTS else order["state"]
    _propose(tx, order, lines, state=state)
    audit.record(tx, "order.propose", str(order_id), before=order["proposal"], after=stored(lines))


def check(tx: Tx, order_id: UUID) -> Judgement:
    """Judge what is proposed without holding anything; a draft without faults is checked.

    Raises as locked, and CustomerNotYetKnown.
    """
    order = _proposed(tx, order_id, None)
    with tx.conn.begin_nested() as savepoint:
        judged = judging.pass_through(tx, order, lines_of(order["proposal"]))
        savepoint.rollback()
    if order["state"] in DRAFTS:
        tx.conn.execute(
            update(orders)
            .where(orders.c.order_id == order_id)
            .values(
                state="draft" if judged.faults else "checked",
                permission_version=None if judged.permission is None else judged.permission["version"],
            )
        )
    audit.record(tx, "order.check", str(order_id), after=[each["code"] for each in judged.faults])
    return judged


def _proposed(tx: Tx, order_id: UUID, version: int | None) -> dict[str, Any]:
    order = locked(tx, order_id, DRAFTS | HOLDING, version)
    if order["proposal"] is None:
        raise OrderNotReady("nothing is proposed", state=order["state"])
    return order


def decide(tx: Tx, order_id: UUID, body: Mapping[str, Any]) -> None:
    """Decide on a matter of what is proposed: a discount, a price below the floor, an override of credit.

    The decision is on this content alone. Raises as locked, OrderChanged, ApprovalNotNeeded, ApprovalUntilInvalid, and
    the refusals of shared.approvals; who drafted or proposed it is excluded.
    """
    order = _proposed(tx, order_id, body["version"])
    matter, approved = body["matter"], body["approved"]
    required = _roles_awaited(tx, order, matter)
    until = _until(tx, body["until"]) if matter == "credit" and approved else None
    asked = judging.approval(tx, order, matter, required)
    decision = asked.decide(
        person=tx.actor.id, roles=tx.actor.roles, approved=approved, reason=body["reason"], at=tx.now
    )
    tx.conn.execute(
        insert(approvals).values(
            order_id=order_id,
            matter=matter,
            subject_hash=decision.subject_hash,
            role=decision.role,
            person=decision.person,
            approved=approved,
            reason=decision.reason,
            until=until,
            at=tx.now,
        )
    )
    audit.record(tx, f"order.decide_{matter}", str(order_id), after=[decision.subject_hash, approved])


def _roles_awaited(tx: Tx, order: Mapping[str, Any], matter: str) -> frozenset[str]:
    """Of a discount one of the roles that may give it, the caller's own if there is one."""
    if matter != "discount":
        return HEADS
    judged = Judgement()
    today = business_date(tx.now)
    lines = judging.still_open(lines_of(order["proposal"]), judging.confirmed_lines(tx, order["order_id"]))
    known = trade_permissions.held_on(tx.conn, order["customer_id"], today)
    if known is not None:
        judging.judge_prices(tx, judged, order, lines, known, today)
    able = judging.roles_for_discount(judged, lines, today)
    if not able:
        raise ApprovalNotNeeded("no price of the order needs this approval")
    return frozenset(sorted(able & tx.actor.roles)[:1]) or able


def _until(tx: Tx, wanted: Any) -> Any:
    longest = tx.now + timedelta(hours=rule_on("credit_override_hours_max", business_date(tx.now)))
    if wanted is None:
        return longest
    if not tx.now < wanted <= longest:
        raise ApprovalUntilInvalid(
            Text("an override ends after now and until {longest}", longest=longest.isoformat()),
            errors=[{"path": "until", "message": "too late, or over"}],
        )
    return wanted


def confirm(tx: Tx, order_id: UUID, version: int) -> None:
    """Put what is proposed in force, with every check made now: it holds credit and contract from here on.

    Raises as locked, OrderChanged, OrderNotYours (who drafted or proposed it), OrderRefused with all faults, and
    CustomerNotYetKnown.
    """
    order = _proposed(tx, order_id, version)
    if tx.actor.id in {order["drafted_by"], order["proposed_by"]}:
        raise OrderNotYours("who asked for the order does not confirm it")
    lines = lines_of(order["proposal"])
    confirmed = judging.confirmed_lines(tx, order_id)
    judged = judging.pass_through(tx, order, lines)
    if judged.faults:
        raise OrderRefused("the order may not be confirmed; every fault is listed", faults=judged.faults)
    assert judged.permission is not None, "without a permission there is a fault"
    shipped = {no: pair[1] for no, pair in confirmed.items()}
    _write_lines(tx, order_id, lines, shipped)
    _write_revision(tx, order, lines, judged)
    is_change = order["state"] in HOLDING
    state = state_of([(line.quantity, shipped.get(line.no, 0)) for line in lines])
    values = {} if is_change else {"confirmed_by": tx.actor.id, "confirmed_at": tx.now}
    told = _moved(
        tx,
        order,
        state,
        proposal=None,
        proposal_hash=None,
        permission_version=judged.permission["version"],
        **values,
    )
    outbox.append(
        tx,
        events.order_confirmed(
            order,
            lines,
            permission_version=judged.permission["version"],
            version=told,
            day=business_date(tx.now),
            is_change=is_change,
        ),
    )


def _write_lines(tx: Tx, order_id: UUID, lines: Sequence[Line], shipped: Mapping[int, int]) -> None:
    today = business_date(tx.now)
    tx.conn.execute(
        delete(order_lines).where(
            order_lines.c.order_id == order_id, order_lines.c.no.not_in([line.no for line in lines])
        )
    )
    for line, row in zip(lines, stored(lines), strict=True):
        row = {**row, "deliver_on": line.deliver_on}  # noqa: PLW2901
        statement = upsert(order_lines).values(order_id=order_id, **row)
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


def _write_revision(tx: Tx, order: Mapping[str, Any], lines: Sequence[Line], judged: Judgement) -> None:
    tx.conn.execute(
        insert(revisions).values(
            order_id=order["order_id"],
            version=order["version"],
            lines=stored(lines),
            subject_hash=order["proposal_hash"],
            total_fen=sum(line.total_fen for line in lines),
            permission=judged.permission,
            prices=[
                {
                    "no": no,
                    "verdict": judged.verdicts[no],
                    "rule_id": found.rule_id,
                    "strategy_id": found.strategy_id,
                    "list_fen": found.list_fen,
                    "floor_fen": found.floor_fen,
                }
                for no, found in sorted(judged.prices.items())
            ],
            override_id=None if judged.override is None else judged.override.approval_id,
            proposed_by=order["proposed_by"],
            confirmed_by=tx.actor.id,
            confirmed_at=tx.now,
        )
    )


def _moved(tx: Tx, order: Mapping[str, Any], state: str, **values: Any) -> int:
    """Change the state of a locked order; returns the version of the event that tells it."""
    told: int = tx.conn.execute(
        update(orders)
        .where(orders.c.order_id == order["order_id"])
        .values(state=state, events=orders.c.events + 1, **values)
        .returning(orders.c.events)
    ).scalar_one()
    audit.record(
        tx, f"order.{state}", str(order["order_id"]), before=order["state"], after=[state, order["version"]]
    )
    return told


def end(tx: Tx, order_id: UUID, reason: str, *, is_cancelled: bool) -> None:
    """Cancel an order of which nothing is shipped, or close one with what is; what it holds is free at once.

    Raises as locked.
    """
    wanted = (
        {"draft", "checked", "confirmed"} if is_cancelled else {"part_shipped", "shipped", "draft", "checked"}
    )
    order = locked(tx, order_id, wanted)
    confirmed = judging.confirmed_lines(tx, order_id)
    has_shipped = any(shipped for _, shipped in confirmed.values())
    if has_shipped == is_cancelled:
        # an order that was re-opened is a draft again, with what it shipped before
        raise OrderNotReady("close what has shipped, cancel what has not", state=order["state"])
    unshipped = 0
    if order["state"] in HOLDING:
        judging.give_back(tx, order["contract_id"], confirmed)
        unshipped = sum((line.quantity - shipped) * line.asked_fen for line, shipped in confirmed.values())
    credit.reserve(tx, customer_id=order["customer_id"], order_id=order_id, fen=0)
    state = "cancelled" if is_cancelled else "closed"
    kept = {} if order["state"] in DRAFTS else {"proposal": None, "proposal_hash": None}
    told = _moved(tx, order, state, ended_by=tx.actor.id, ended_at=tx.now, ended_reason=reason, **kept)
    outbox.append(
        tx,
        events.order_ended(order, state, unshipped_fen=unshipped, version=told, day=business_date(tx.now)),
    )


def reopen(tx: Tx, order_id: UUID) -> None:
    """Propose an ended order anew; it holds nothing until it is confirmed with every check. Raises as locked."""
    order = locked(tx, order_id, ENDED)
    confirmed = judging.confirmed_lines(tx, order_id)
    lines = [line for line, _ in confirmed.values()] or lines_of(order["proposal"])
    _propose(tx, order, lines, state="draft", ended_by=None, ended_at=None, ended_reason=None)
    audit.record(tx, "order.reopen", str(order_id), before=order["state"], after="draft")
