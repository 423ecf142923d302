"""Promotion plans: finance's forecast and budget, approved by two; offers draw on them; the result at the end.

Nobody draws but an offer of the customers service, by its event (reactions.py).
Source: F6
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import ARRAY, Uuid, any_, literal, select, text, update

from finance import budgets, promotion_plans
from finance.budgets import BudgetExceeded, Move, overruns
from finance.promotions.model import OfferEnded, OfferProposed
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
from finance.promotions.tables import drawings, plan_decisions
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.errors import DomainError
from shared.languages import Text
from shared.transaction import Tx

ROLES = frozenset({"finance_head", "cs_manager"})
"""Finance stands for forecast and budget, customer service for the design."""


def propose(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """A plan under a code of its own. Raises ForeignBranch, PlanDaysInvalid, PlanCodeTaken."""
    tx.actor.require_branch(body["branch_id"])
    if body["last_day"] < body["first_day"]:
        raise PlanDaysInvalid(
            "a plan ends after it begins", errors=[{"path": "until", "message": "before `from`"}]
        )
    plan_id = new_id()
    row = {
        "code": body["code"],
        "branch_id": body["branch_id"],
        "first_day": body["first_day"],
        "last_day": body["last_day"],
        "products": sorted(set(body["products"])),
        "baseline_net_fen": body["baseline_net"],
        "baseline_margin_fen": body["baseline_margin"],
        "uplift_bp": body["uplift_bp"],
        "budget_fen": body["budget"],
    }
    if not promotion_plans.add(tx, plan_id, row, audit.digest(row)):
        raise PlanCodeTaken("another plan has this code")
    audit.record(tx, "promotion.propose", str(plan_id), after=row)
    return plan_id


def decide(tx: Tx, plan_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and customer service manager approve, two persons who did not prepare it; then it has its budget.

    Raises PlanNotFound, ForeignBranch, PlanNotReady, BudgetOverlaps, and the refusals of shared.approvals.
    """
    row = _locked(tx, plan_id, "proposed")
    _, state = decide_and_store(
        tx,
        plan_decisions,
        {"plan_id": plan_id},
        Approval(required=ROLES, excluded=frozenset({row["prepared_by"]}), subject_hash=row["subject_hash"]),
        approved=approved,
        reason=reason,
    )
    if not approved:
        _move(tx, row, "rejected")
    elif state == "approved":
        budget_id = budgets.open_of_plan(
            tx, row["branch_id"], row["code"], row["first_day"], row["last_day"], row["budget_fen"]
        )
        _move(tx, row, "approved", budget_id=budget_id)


def draw(tx: Tx, offers: Sequence[OfferProposed], causes: Sequence[UUID]) -> list[UUID | DomainError]:
    """Reserve what offers to customers may cost on their plans' budgets, in this order, never more than is left.

    `causes` are the events that proposed them. One answer per offer: its drawing, or why there is none: PlanNotFound, PlanNotReady (also after its last day),
    OfferOutsidePlan, BudgetExceeded. What is refused reserves nothing. An offer has the same drawing each time: it is
    asked for again after our log lost the grant.
    """
    rows = promotion_plans.all_locked(tx, {offer.plan_id for offer in offers})
    ids = {row["budget_id"] for row in rows.values() if row["budget_id"]}
    held = {budget.budget_id: budget for budget in budgets.locked(tx, sorted(ids))}
    answers: list[UUID | DomainError] = []
    drawn: list[tuple[UUID, OfferProposed]] = []
    drawn_by: list[UUID] = []
    for offer, cause in zip(offers, causes, strict=True):
        try:
            row = _require_fit(tx, rows.get(offer.plan_id), offer)
            budget = held[str(row["budget_id"])]
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
    tx.conn.execute(
        text(
            "insert into promotion_drawings (drawing_id, plan_id, offer_id, amount_fen, cause_event_id, drawn_by,"
            " drawn_at) select u.*, :person, :now from unnest(cast(:ids as uuid[]), cast(:plans as uuid[]),"
            " cast(:offers as text[]), cast(:fen as bigint[]), cast(:causes as uuid[])) as u"
        ),
        {
            "ids": [drawing_id for drawing_id, _ in drawn],
            "plans": [offer.plan_id for _, offer in drawn],
            "offers": [str(offer.offer_id) for _, offer in drawn],
            "fen": [offer.cost_fen for _, offer in drawn],
            "causes": drawn_by,
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    budgets.move_all(
        tx,
        "drawing",
        [
            Move(rows[offer.plan_id]["budget_id"], drawing_id, reserved_fen=offer.cost_fen)
            for drawing_id, offer in drawn
        ],
    )
    told = [(str(offer.plan_id), [str(offer.offer_id), offer.cost_fen]) for _, offer in drawn]
    audit.record_all(tx, [audit.row_of(tx, "promotion.draw", plan, after=what) for plan, what in told])
    return answers


def _require_fit(tx: Tx, row: Mapping[str, Any] | None, offer: OfferProposed) -> Mapping[str, Any]:
    """The offer's plan. Raises PlanNotFound, PlanNotReady, OfferOutsidePlan."""
    row = _require(tx, row, "approved")
    if business_date(tx.now) > row["last_day"]:
        raise PlanNotReady("the plan is over", last_day=str(row["last_day"]))
    if offer.branch_id != row["branch_id"]:
        raise OfferOutsidePlan("the plan is another branch's")
    if not row["first_day"] <= offer.first_day <= offer.last_day <= row["last_day"]:
        raise OfferOutsidePlan(
            Text(
                "the plan lasts from {first_day} to {last_day}",
                first_day=row["first_day"],
                last_day=row["last_day"],
            )
        )
    return row


def settle(tx: Tx, ended: Sequence[OfferEnded], causes: Sequence[UUID]) -> None:
    """What offers cost in the end; the rest of their drawings returns to the plans. 0 when one was withdrawn.

    `causes` are the events that ended them.
    No entry is posted: a discount has lowered the sale's revenue already, and bought services come as claims.
    Raises PlanNotFound, ForeignBranch, PlanNotReady, DrawingNotFound, DrawingSettled, UsedTooMuch.
    """
    rows = promotion_plans.all_locked(tx, {offer.plan_id for offer in ended})
    found = tx.conn.execute(
        select(drawings).where(
            drawings.c.drawing_id == any_(literal([offer.drawing_id for offer in ended], ARRAY(Uuid)))
        )
    ).mappings()
    drawn = {row["drawing_id"]: row for row in found}
    used: dict[UUID, int] = {}
    moves = []
    for offer in ended:
        plan = _require(tx, rows.get(offer.plan_id), "approved")
        drawing = drawn.get(offer.drawing_id)
        if drawing is None or drawing["plan_id"] != offer.plan_id:
            raise DrawingNotFound("no such drawing of this plan")
        if drawing["used_fen"] is not None or offer.drawing_id in used:
            raise DrawingSettled("the drawing is settled")
        if offer.used_fen > drawing["amount_fen"]:
            raise UsedTooMuch(Text("{amount_fen} fen were drawn", amount_fen=drawing["amount_fen"]))
        used[offer.drawing_id] = offer.used_fen
        moves.append(
            Move(
                plan["budget_id"],
                offer.drawing_id,
                reserved_fen=-drawing["amount_fen"],
                actual_fen=offer.used_fen,
            )
        )
    tx.conn.execute(
        text(
            "update promotion_drawings d set used_fen = u.fen, settled_event_id = u.cause, settled_at = :now"
            " from unnest(cast(:ids as uuid[]), cast(:used as bigint[]), cast(:causes as uuid[]))"
            " as u(id, fen, cause) where d.drawing_id = u.id"
        ),
        {"ids": list(used), "used": list(used.values()), "causes": list(causes), "now": tx.now},
    )
    budgets.move_all(tx, "drawing", moves)
    told = [(str(offer.plan_id), [str(offer.drawing_id), offer.used_fen]) for offer in ended]
    audit.record_all(tx, [audit.row_of(tx, "promotion.settle", plan, after=what) for plan, what in told])


def undo(tx: Tx, lost: Mapping[UUID, int]) -> Iterator[dict[str, Any]]:
    """Make good what offers drew and cost by events that customers' log has lost, by id and number; says what it did.

    A drawing of an offer that customers forgot is free again, as if the offer had been withdrawn. One whose end alone
    was lost is open again for all it drew, because the end will be told again. What an offer cost stays where the offer
    is forgotten, or the result of its plan is frozen: people decide what becomes of it.
    """
    mine = drawings.c.cause_event_id.in_(lost) | drawings.c.settled_event_id.in_(lost)
    plans = promotion_plans.all_locked(
        tx, set(tx.conn.execute(select(drawings.c.plan_id).where(mine)).scalars())
    )
    budgets.locked(tx, sorted({plan["budget_id"] for plan in plans.values()}))
    rows = tx.conn.execute(select(drawings).where(mine).order_by(drawings.c.drawing_id)).mappings().all()
    for row in rows:
        plan, is_forgotten = plans[row["plan_id"]], row["cause_event_id"] in lost
        told = {"offer_id": row["offer_id"], "drawing_id": str(row["drawing_id"])}
        told["caused_by_seq"] = lost[row["cause_event_id"] if is_forgotten else row["settled_event_id"]]
        if row["used_fen"] is None:
            _resettle(tx, plan, row, used_fen=0)
            yield {"given_back": "drawing", "amount_fen": row["amount_fen"], **told}
        elif is_forgotten or plan["state"] != "approved":
            if row["used_fen"]:
                yield {"stays": "drawing used", "amount_fen": row["used_fen"], **told}
        else:
            _resettle(tx, plan, row, used_fen=None)
            yield {"open_again": "drawing", "amount_fen": row["amount_fen"], **told}


def _resettle(tx: Tx, plan: Mapping[str, Any], row: Mapping[str, Any], *, used_fen: int | None) -> None:
    """Free an open drawing (0), or open a settled one again (None)."""
    tx.conn.execute(
        update(drawings)
        .where(drawings.c.drawing_id == row["drawing_id"])
        .values(used_fen=used_fen, settled_at=None if used_fen is None else tx.now, settled_event_id=None)
    )
    sign = 1 if used_fen is None else -1
    move = Move(
        plan["budget_id"],
        row["drawing_id"],
        reserved_fen=sign * row["amount_fen"],
        actual_fen=-(row["used_fen"] or 0),
    )
    budgets.move_all(tx, "drawing", [move])
    what = [str(row["drawing_id"]), used_fen]
    audit.record(tx, "promotion.undo", str(row["plan_id"]), before=row["used_fen"], after=what)


def close(tx: Tx, plan_id: UUID) -> None:
    """Freeze the result once the plan is over and nothing is reserved any more.

    Raises PlanNotFound, ForeignBranch, PlanNotReady.
    """
    row = _locked(tx, plan_id, "approved")
    if business_date(tx.now) <= row["last_day"]:
        raise PlanNotReady("the plan is not over", last_day=str(row["last_day"]))
    [budget] = budgets.locked(tx, [row["budget_id"]])
    if budget.reserved_fen:
        raise PlanNotReady("settle the drawings and claims that reserve its budget first")
    figures = plan_figures(tx, row)
    names = ("net_fen", "margin_fen", "spent_fen", "roi_bp")
    _move(tx, row, "closed", **{name: figures[name] for name in names})


def _locked(tx: Tx, plan_id: UUID, expected: str) -> dict[str, Any]:
    return _require(tx, promotion_plans.all_locked(tx, {plan_id}).get(plan_id), expected)


def _require(tx: Tx, row: Mapping[str, Any] | None, expected: str) -> dict[str, Any]:
    """Raises PlanNotFound, ForeignBranch, PlanNotReady."""
    if row is None:
        raise PlanNotFound("no such plan")
    tx.actor.require_branch(row["branch_id"])
    if row["state"] != expected:
        raise PlanNotReady(Text("the plan is {state}", state=row["state"]), state=row["state"])
    return dict(row)


def _move(tx: Tx, row: Mapping[str, Any], state: str, **values: Any) -> None:
    promotion_plans.change(tx, row["plan_id"], {"state": state, **values})
    audit.record(
        tx, f"promotion.{state}", str(row["plan_id"]), before=row["state"], after=[state, *values.values()]
    )
