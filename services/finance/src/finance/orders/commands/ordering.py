"""An order from draft to its end: what it wants is proposed, judged and confirmed by different persons.

A change of a confirmed order and a re-opening are proposals like the first one: the confirmed content stays in force
until they are confirmed, with every check made anew.
Source: F10, F12, F27, I30, I34, X9, model 3.2 (SalesOrder)
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from finance import credit
from finance.orders import events, store
from finance.orders.commands import judging
from finance.orders.commands.judging import HEADS, Judgement
from finance.orders.model import Decided, Order, Proposed, Wanted
from finance.orders.rules import (
    DRAFTS,
    ENDED,
    HOLDING,
    ApprovalNotNeeded,
    ApprovalUntilInvalid,
    Line,
    OrderChanged,
    OrderNotReady,
    OrderNotYours,
    OrderRefused,
    check_lines,
    rule_on,
    state_of,
    stored,
)
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx


def draft(tx: Tx, wanted: Wanted) -> UUID:
    """An order as a customer asks for it; it holds nothing yet. Raises ForeignBranch, and the faults of check_lines."""
    tx.actor.require_branch(wanted.branch_id)
    today = business_date(tx.now)
    check_lines(wanted.lines, (), today)
    order = Order(
        order_id=new_id(),
        number=f"SO{today.year}-{store.next_number(tx):06d}",
        branch_id=wanted.branch_id,
        customer_id=wanted.customer_id,
        contract_id=wanted.contract_id,
        state="draft",
        version=0,
        shipments=0,
        proposal=(),
        proposal_hash="",
        proposed_by=tx.actor.id,
        proposer_roles=sorted(tx.actor.roles),
        drafted_by=tx.actor.id,
        confirmed_at=None,
    )
    store.add(tx, order)
    store.propose(tx, order, wanted.lines, "draft")
    said = [
        order.order_id,
        order.number,
        order.branch_id,
        order.customer_id,
        order.contract_id,
        order.version,
        stored(wanted.lines),
    ]
    audit.record(tx, "order.draft", str(order.order_id), after=said)
    return order.order_id


def locked(tx: Tx, order_id: UUID, expected: Collection[str], version: int | None = None) -> Order:
    """The order, its row locked until the transaction ends.

    Raises OrderNotFound, ForeignBranch, OrderChanged (another version than the caller read), OrderNotReady.
    """
    order = store.lock(tx, order_id)
    if version is not None and version != order.version:
        raise OrderChanged("the order was changed since", version=order.version)
    if order.state not in expected:
        raise OrderNotReady(Text("the order is {state}", state=order.state), state=order.state)
    return order


def propose_change(tx: Tx, order_id: UUID, version: int, lines: Sequence[Line]) -> None:
    """Replace what a draft says, or propose a change of what is confirmed. Raises as locked and check_lines."""
    order = locked(tx, order_id, DRAFTS | HOLDING, version)
    check_lines(lines, store.confirmed_lines(tx, order_id), business_date(tx.now))
    store.propose(tx, order, lines, "draft" if order.state in DRAFTS else order.state)
    before = None if order.proposal is None else stored(order.proposal)
    audit.record(tx, "order.propose", str(order_id), before=before, after=stored(lines))


def check(tx: Tx, order_id: UUID) -> Judgement:
    """Judge what is proposed without holding anything; a draft without faults is checked.

    Raises as locked, CustomerNotYetKnown and CreditNotYetKnown.
    """
    order = _proposed(tx, order_id, None)
    with tx.conn.begin_nested() as savepoint:
        judged = judging.pass_through(tx, order)
        savepoint.rollback()
    if order.state in DRAFTS:
        store.keep_check(tx, order, judged.permission, is_free=not judged.faults)
    audit.record(tx, "order.check", str(order_id), after=[each.refusal.code for each in judged.faults])
    return judged


def _proposed(tx: Tx, order_id: UUID, version: int | None) -> Proposed:
    order = locked(tx, order_id, DRAFTS | HOLDING, version)
    if not isinstance(order, Proposed):
        raise OrderNotReady("nothing is proposed", state=order.state)
    return order


def decide(tx: Tx, order_id: UUID, said: Decided) -> None:
    """Decide on a matter of what is proposed: a discount, a price below the floor, an override of credit.

    The decision is on this content alone. Raises as locked, OrderChanged, ApprovalNotNeeded, ApprovalUntilInvalid, and
    the refusals of shared.approvals; who drafted or proposed it is excluded.
    """
    order = _proposed(tx, order_id, said.version)
    required = _roles_awaited(tx, order, said.matter)
    until = _until(tx, said.until) if said.matter == "credit" and said.approved else None
    asked = replace(judging.approval(tx, order, said.matter, required), until=until)
    decision = store.decide(tx, order, asked, said)
    audit.record(
        tx, f"order.decide_{said.matter}", str(order_id), after=[decision.subject_hash, said.approved]
    )


def _roles_awaited(tx: Tx, order: Proposed, matter: str) -> frozenset[str]:
    """Of a discount one of the roles that may give it, the caller's own if there is one."""
    if matter != "discount":
        return HEADS
    lines = judging.still_open(order.proposal, store.confirmed_lines(tx, order.order_id))
    able = judging.roles_for_discount(judging.look(tx, order, lines), lines, business_date(tx.now))
    if not able:
        raise ApprovalNotNeeded("no price of the order needs this approval")
    return frozenset(sorted(able & tx.actor.roles)[:1]) or able


def _until(tx: Tx, wanted: datetime | None) -> datetime:
    longest: datetime = tx.now + timedelta(hours=rule_on("credit_override_hours_max", business_date(tx.now)))
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
    CustomerNotYetKnown, CreditNotYetKnown.
    """
    order = _proposed(tx, order_id, version)
    if tx.actor.id in {order.drafted_by, order.proposed_by}:
        raise OrderNotYours("who asked for the order does not confirm it")
    lines = order.proposal
    confirmed = store.confirmed_lines(tx, order_id)
    judged = judging.pass_through(tx, order)
    if judged.faults:
        faults = [each.told() for each in judged.faults]
        raise OrderRefused("the order may not be confirmed; every fault is listed", faults=faults)
    assert judged.permission is not None, "without a permission there is a fault"
    shipped = {no: pair[1] for no, pair in confirmed.items()}
    store.write_lines(tx, order, lines, shipped)
    store.add_revision(tx, order, judged.permission, judged.priced, judged.override)
    is_change = order.state in HOLDING
    state = state_of([(line.quantity, shipped.get(line.no, 0)) for line in lines])
    told = store.confirm(tx, order, state, judged.permission, is_change=is_change)
    outbox.append(
        tx,
        events.order_confirmed(
            order,
            permission_version=judged.permission.version,
            version=told,
            day=business_date(tx.now),
            is_change=is_change,
        ),
    )


def end(tx: Tx, order_id: UUID, reason: str, *, is_cancelled: bool) -> None:
    """Cancel an order of which nothing is shipped, or close one with what is; what it holds is free at once.

    Raises as locked.
    """
    wanted = (
        {"draft", "checked", "confirmed"} if is_cancelled else {"part_shipped", "shipped", "draft", "checked"}
    )
    order = locked(tx, order_id, wanted)
    confirmed = store.confirmed_lines(tx, order_id)
    has_shipped = any(shipped for _, shipped in confirmed.values())
    if has_shipped == is_cancelled:
        # an order that was re-opened is a draft again, with what it shipped before
        raise OrderNotReady("close what has shipped, cancel what has not", state=order.state)
    unshipped = 0
    if order.state in HOLDING:
        judging.give_back(tx, order.contract_id, confirmed)
        unshipped = sum((line.quantity - shipped) * line.asked_fen for line, shipped in confirmed.values())
    credit.reserve(tx, customer_id=order.customer_id, order_id=order_id, fen=0)
    state = "cancelled" if is_cancelled else "closed"
    told = store.end(tx, order, state, reason, keeps_proposal=order.state in DRAFTS)
    outbox.append(
        tx,
        events.order_ended(order, state, unshipped_fen=unshipped, version=told, day=business_date(tx.now)),
    )


def reopen(tx: Tx, order_id: UUID) -> None:
    """Propose an ended order anew; it holds nothing until it is confirmed with every check. Raises as locked."""
    order = locked(tx, order_id, ENDED)
    confirmed = store.confirmed_lines(tx, order_id)
    lines = [line for line, _ in confirmed.values()] or order.proposal
    assert lines, "an order that never was confirmed keeps what it proposed"
    store.propose(tx, order, lines, "draft")
    audit.record(tx, "order.reopen", str(order_id), before=order.state, after="draft")
