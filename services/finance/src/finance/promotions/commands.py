"""Promotion plans: finance's forecast and budget, approved by two; offers draw on them; the result at the end.

Nobody draws but an offer of the customers service, by its event (reactions.py).
Source: F6
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from finance import budgets, product_checks, promotion_plans
from finance.budgets import BudgetExceeded, Move, overruns
from finance.promotion_plans import Forecast, Plan
from finance.promotions import store
from finance.promotions.model import Drawing, OfferEnded, OfferProposed
from finance.promotions.queries import plan_figures
from finance.promotions.rules import (
    DrawingNotFound,
    DrawingSettled,
    OfferOutsidePlan,
    PlanCodeTaken,
    PlanDaysInvalid,
    PlanNotFound,
    PlanNotReady,
    UsedTooMuch,
)
from finance.promotions.tables import plan_decisions
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.errors import DomainError
from shared.languages import Text
from shared.transaction import Tx

ROLES = frozenset({"finance_head", "cs_manager"})
"""Finance stands for forecast and budget, customer service for the design."""


def propose(tx: Tx, forecast: Forecast) -> UUID:
    """A plan under a code of its own. Raises ForeignBranch, PlanDaysInvalid, ProductUnknown, PlanCodeTaken."""
    tx.actor.require_branch(forecast.branch_id)
    if forecast.last_day < forecast.first_day:
        raise PlanDaysInvalid(
            "a plan ends after it begins", errors=[{"path": "until", "message": "before `from`"}]
        )
    paper = product_checks.Paper(product_checks.Door.PROMOTION, forecast.branch_id, forecast.code)
    named = [product_checks.Said("products", each) for each in forecast.products]
    product_checks.judge(tx, paper, business_date(tx.now), named)
    plan_id = new_id()
    row = asdict(forecast)
    if not promotion_plans.add(tx, plan_id, forecast, audit.digest(row)):
        raise PlanCodeTaken("another plan has this code")
    audit.record(tx, "promotion.propose", str(plan_id), after=row)
    return plan_id


def decide(tx: Tx, plan_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and customer service manager approve, two persons who did not prepare it; then it has its budget.

    Raises PlanNotFound, ForeignBranch, PlanNotReady, BudgetOverlaps, and the refusals of shared.approvals.
    """
    plan = _locked(tx, plan_id, "proposed")
    _, state = decide_and_store(
        tx,
        plan_decisions,
        {"plan_id": plan_id},
        Approval(required=ROLES, excluded=frozenset({plan.prepared_by}), subject_hash=plan.subject_hash),
        approved=approved,
        reason=reason,
    )
    if not approved:
        _move(tx, plan, replace(plan, state="rejected"))
    elif state == "approved":
        budget_id = budgets.open_of_plan(
            tx, plan.branch_id, plan.code, plan.first_day, plan.last_day, plan.budget_fen
        )
        _move(tx, plan, replace(plan, state="approved", budget_id=budget_id))


def draw(tx: Tx, offers: Sequence[OfferProposed], causes: Sequence[UUID]) -> list[UUID | DomainError]:
    """Reserve what offers to customers may cost on their plans' budgets, in this order, never more than is left.

    `causes` are the events that proposed them. One answer per offer: its drawing, or why there is none: PlanNotFound, PlanNotReady (also after its last day),
    OfferOutsidePlan, BudgetExceeded. What is refused reserves nothing. An offer has the same drawing each time: it is
    asked for again after our log lost the grant.
    """
    plans = promotion_plans.all_locked(tx, {offer.plan_id for offer in offers})
    ids = {plan.budget_id for plan in plans.values() if plan.budget_id}
    held = {budget.budget_id: budget for budget in budgets.locked(tx, sorted(ids))}
    answers: list[UUID | DomainError] = []
    drawn: list[tuple[UUID, OfferProposed]] = []
    drawn_by: list[UUID] = []
    for offer, cause in zip(offers, causes, strict=True):
        try:
            plan = _require_fit(tx, plans.get(offer.plan_id), offer)
            budget = held[str(plan.budget_id)]
            overruns([budget], {budget.budget_id: offer.cost_fen})
        except (PlanNotFound, PlanNotReady, OfferOutsidePlan, BudgetExceeded) as refusal:
            answers.append(refusal)
            continue
        held[budget.budget_id] = replace(budget, reserved_fen=budget.reserved_fen + offer.cost_fen)
        drawing_id = uuid5(NAMESPACE_URL, f"urn:apotheca:drawing:{offer.offer_id}")
        answers.append(drawing_id)
        drawn.append((drawing_id, offer))
        drawn_by.append(cause)
    if not drawn:
        return answers
    store.add_drawings(tx, drawn, drawn_by)
    budgets.move_all(
        tx,
        "drawing",
        [
            Move(_budget_of(plans[offer.plan_id]), drawing_id, reserved_fen=offer.cost_fen)
            for drawing_id, offer in drawn
        ],
    )
    told = [(str(offer.plan_id), [str(offer.offer_id), offer.cost_fen]) for _, offer in drawn]
    audit.record_all(tx, [audit.row_of(tx, "promotion.draw", plan, after=what) for plan, what in told])
    return answers


def _require_fit(tx: Tx, found: Plan | None, offer: OfferProposed) -> Plan:
    """The offer's plan. Raises PlanNotFound, PlanNotReady, OfferOutsidePlan."""
    plan = _require(tx, found, "approved")
    if business_date(tx.now) > plan.last_day:
        raise PlanNotReady("the plan is over", last_day=str(plan.last_day))
    if offer.branch_id != plan.branch_id:
        raise OfferOutsidePlan("the plan is another branch's")
    if not plan.first_day <= offer.first_day <= offer.last_day <= plan.last_day:
        raise OfferOutsidePlan(
            Text(
                "the plan lasts from {first_day} to {last_day}",
                first_day=plan.first_day,
                last_day=plan.last_day,
            )
        )
    return plan


def settle(tx: Tx, ended: Sequence[OfferEnded], causes: Sequence[UUID]) -> None:
    """What offers cost in the end; the rest of their drawings returns to the plans. 0 when one was withdrawn.

    `causes` are the events that ended them.
    No entry is posted: a discount has lowered the sale's revenue already, and bought services come as claims.
    Raises PlanNotFound, ForeignBranch, PlanNotReady, DrawingNotFound, DrawingSettled, UsedTooMuch.
    """
    plans = promotion_plans.all_locked(tx, {offer.plan_id for offer in ended})
    drawn = {each.drawing_id: each for each in store.drawings_of(tx, [offer.drawing_id for offer in ended])}
    used: dict[UUID, int] = {}
    moves = []
    for offer in ended:
        plan = _require(tx, plans.get(offer.plan_id), "approved")
        drawing = drawn.get(offer.drawing_id)
        if drawing is None or drawing.plan_id != offer.plan_id:
            raise DrawingNotFound("no such drawing of this plan")
        if drawing.used_fen is not None or offer.drawing_id in used:
            raise DrawingSettled("the drawing is settled")
        if offer.used_fen > drawing.amount_fen:
            raise UsedTooMuch(Text("{amount_fen} fen were drawn", amount_fen=drawing.amount_fen))
        used[offer.drawing_id] = offer.used_fen
        moves.append(
            Move(
                _budget_of(plan),
                offer.drawing_id,
                reserved_fen=-drawing.amount_fen,
                actual_fen=offer.used_fen,
            )
        )
    store.settle_drawings(tx, used, causes)
    budgets.move_all(tx, "drawing", moves)
    told = [(str(offer.plan_id), [str(offer.drawing_id), offer.used_fen]) for offer in ended]
    audit.record_all(tx, [audit.row_of(tx, "promotion.settle", plan, after=what) for plan, what in told])


def _budget_of(plan: Plan) -> UUID:
    assert plan.budget_id is not None, "what is approved has its budget"
    return plan.budget_id


def undo(tx: Tx, lost: Mapping[UUID, int]) -> Iterator[dict[str, Any]]:
    """Make good what offers drew and cost by events that customers' log has lost, by id and number; says what it did.

    A drawing of an offer that customers forgot is free again, as if the offer had been withdrawn. One whose end alone
    was lost is open again for all it drew, because the end will be told again. What an offer cost stays where the offer
    is forgotten, or the result of its plan is frozen: people decide what becomes of it.
    """
    plans = promotion_plans.all_locked(tx, store.plans_touched_by(tx, lost))
    budgets.locked(tx, sorted({_budget_of(plan) for plan in plans.values()}))
    for row in store.drawings_touched_by(tx, lost):
        plan, is_forgotten = plans[row.plan_id], row.cause_event_id in lost
        lost_event = row.cause_event_id if is_forgotten else row.settled_event_id
        assert lost_event is not None, "one of both is lost"
        told = {
            "offer_id": row.offer_id,
            "drawing_id": str(row.drawing_id),
            "caused_by_seq": lost[lost_event],
        }
        if row.used_fen is None:
            _resettle(tx, plan, row, used_fen=0)
            yield {"given_back": "drawing", "amount_fen": row.amount_fen, **told}
        elif is_forgotten or plan.state != "approved":
            if row.used_fen:
                yield {"stays": "drawing used", "amount_fen": row.used_fen, **told}
        else:
            _resettle(tx, plan, row, used_fen=None)
            yield {"open_again": "drawing", "amount_fen": row.amount_fen, **told}


def _resettle(tx: Tx, plan: Plan, row: Drawing, *, used_fen: int | None) -> None:
    """Free an open drawing (0), or open a settled one again (None)."""
    store.resettle_drawing(tx, row.drawing_id, used_fen)
    sign = 1 if used_fen is None else -1
    move = Move(
        _budget_of(plan),
        row.drawing_id,
        reserved_fen=sign * row.amount_fen,
        actual_fen=-(row.used_fen or 0),
    )
    budgets.move_all(tx, "drawing", [move])
    what = [str(row.drawing_id), used_fen]
    audit.record(tx, "promotion.undo", str(row.plan_id), before=row.used_fen, after=what)


def close(tx: Tx, plan_id: UUID) -> None:
    """Freeze the result once the plan is over and nothing is reserved any more.

    Raises PlanNotFound, ForeignBranch, PlanNotReady.
    """
    plan = _locked(tx, plan_id, "approved")
    if business_date(tx.now) <= plan.last_day:
        raise PlanNotReady("the plan is not over", last_day=str(plan.last_day))
    [budget] = budgets.locked(tx, [_budget_of(plan)])
    if budget.reserved_fen:
        raise PlanNotReady("settle the drawings and claims that reserve its budget first")
    _move(tx, plan, replace(plan, state="closed", **plan_figures(tx, asdict(plan))))


def _locked(tx: Tx, plan_id: UUID, expected: str) -> Plan:
    return _require(tx, promotion_plans.all_locked(tx, {plan_id}).get(plan_id), expected)


def _require(tx: Tx, plan: Plan | None, expected: str) -> Plan:
    """Raises PlanNotFound, ForeignBranch, PlanNotReady."""
    if plan is None:
        raise PlanNotFound("no such plan")
    tx.actor.require_branch(plan.branch_id)
    if plan.state != expected:
        raise PlanNotReady(Text("the plan is {state}", state=plan.state), state=plan.state)
    return plan


def _move(tx: Tx, before: Plan, after: Plan) -> None:
    promotion_plans.change(tx, after)
    changed = [value for name, value in asdict(after).items() if value != getattr(before, name)]
    audit.record(tx, f"promotion.{after.state}", str(after.plan_id), before=before.state, after=changed)
