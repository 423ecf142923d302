"""Promotion plans: finance's forecast and budget, approved by two; offers draw on them; the result at the end.

Nobody draws but an offer of the customers service, by its event (reactions.py).
Source: F6
"""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import insert, select, text, update

from finance.budgets import draws
from finance.budgets.rules import overruns
from finance.expenses.commands import budgets
from finance.expenses.queries import plan_figures
from finance.expenses.rules import (
    DrawingNotFound,
    DrawingSettled,
    OfferOutsidePlan,
    PlanCodeTaken,
    PlanDaysInvalid,
    PlanNotFound,
    PlanNotReady,
    UsedTooMuch,
)
from finance.expenses.tables import drawings, plan_decisions, plans
from finance.subscriptions import OfferProposed
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
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
    added = tx.conn.execute(
        text(
            "insert into promotion_plans (plan_id, code, branch_id, first_day, last_day, products,"
            " baseline_net_fen, baseline_margin_fen, uplift_bp, budget_fen, state, subject_hash, prepared_by,"
            " prepared_at) values (:plan_id, :code, :branch_id, :first_day, :last_day, :products,"
            " :baseline_net_fen, :baseline_margin_fen, :uplift_bp, :budget_fen, 'proposed', :hash, :person, :now)"
            " on conflict (code) do nothing"
        ),
        {**row, "plan_id": plan_id, "hash": audit.digest(row), "person": tx.actor.id, "now": tx.now},
    )
    if not added.rowcount:
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
        budget_id = budgets.open_budget(
            tx,
            branch_id=row["branch_id"],
            department="",
            category="",
            campaign=row["code"],
            first_day=row["first_day"],
            last_day=row["last_day"],
            amount_fen=row["budget_fen"],
            overrun="stop",
        )
        _move(tx, row, "approved", budget_id=budget_id)


def draw(tx: Tx, offer: OfferProposed) -> UUID:
    """Reserve what one offer to customers may cost on its plan's budget, never more than is left.

    An offer has the same drawing each time: it is asked for again after our log lost the grant.
    Raises PlanNotFound, PlanNotReady (also after its last day), OfferOutsidePlan, BudgetExceeded.
    """
    row = _locked(tx, offer.plan_id, "approved")
    if business_date(tx.now) > row["last_day"]:
        raise PlanNotReady("the plan is over", last_day=str(row["last_day"]))
    if offer.branch_id != row["branch_id"]:
        raise OfferOutsidePlan("the plan is another branch's")
    if not row["first_day"] <= offer.first_day <= offer.last_day <= row["last_day"]:
        raise OfferOutsidePlan(f"the plan lasts from {row['first_day']} to {row['last_day']}")
    drawing_id = uuid5(NAMESPACE_URL, f"urn:apotheca:drawing:{offer.offer_id}")
    tx.conn.execute(
        insert(drawings).values(
            drawing_id=drawing_id,
            plan_id=offer.plan_id,
            offer_id=str(offer.offer_id),
            amount_fen=offer.cost_fen,
            drawn_by=tx.actor.id,
            drawn_at=tx.now,
        )
    )
    overruns(draws.locked(tx, [row["budget_id"]]), {str(row["budget_id"]): offer.cost_fen})
    draws.move(tx, row["budget_id"], "drawing", drawing_id, reserved_fen=offer.cost_fen)
    audit.record(tx, "promotion.draw", str(offer.plan_id), after=[str(offer.offer_id), offer.cost_fen])
    return drawing_id


def settle(tx: Tx, plan_id: UUID, drawing_id: UUID, used_fen: int) -> None:
    """What the offer cost in the end; the rest of its drawing returns to the plan. 0 when the offer was withdrawn.

    No entry is posted: a discount has lowered the sale's revenue already, and bought services come as claims.
    Raises PlanNotFound, ForeignBranch, PlanNotReady, DrawingNotFound, DrawingSettled, UsedTooMuch.
    """
    row = _locked(tx, plan_id, "approved")
    drawing = (
        tx.conn.execute(
            select(drawings).where(drawings.c.drawing_id == drawing_id, drawings.c.plan_id == plan_id)
        )
        .mappings()
        .one_or_none()
    )
    if drawing is None:
        raise DrawingNotFound("no such drawing of this plan")
    if drawing["used_fen"] is not None:
        raise DrawingSettled("the drawing is settled")
    if used_fen > drawing["amount_fen"]:
        raise UsedTooMuch(f"{drawing['amount_fen']} fen were drawn")
    tx.conn.execute(
        update(drawings)
        .where(drawings.c.drawing_id == drawing_id)
        .values(used_fen=used_fen, settled_at=tx.now)
    )
    draws.move(
        tx,
        row["budget_id"],
        "drawing",
        drawing_id,
        reserved_fen=-drawing["amount_fen"],
        actual_fen=used_fen,
    )
    audit.record(tx, "promotion.settle", str(plan_id), after=[str(drawing_id), used_fen])


def close(tx: Tx, plan_id: UUID) -> None:
    """Freeze the result once the plan is over and nothing is reserved any more.

    Raises PlanNotFound, ForeignBranch, PlanNotReady.
    """
    row = _locked(tx, plan_id, "approved")
    if business_date(tx.now) <= row["last_day"]:
        raise PlanNotReady("the plan is not over", last_day=str(row["last_day"]))
    [budget] = draws.locked(tx, [row["budget_id"]])
    if budget.reserved_fen:
        raise PlanNotReady("settle the drawings and claims that reserve its budget first")
    figures = plan_figures(tx, row)
    names = ("net_fen", "margin_fen", "spent_fen", "roi_bp")
    _move(tx, row, "closed", **{name: figures[name] for name in names})


def _locked(tx: Tx, plan_id: UUID, expected: str) -> dict[str, Any]:
    row = (
        tx.conn.execute(select(plans).where(plans.c.plan_id == plan_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise PlanNotFound("no such plan")
    tx.actor.require_branch(row["branch_id"])
    if row["state"] != expected:
        raise PlanNotReady(f"the plan is {row['state']}", state=row["state"])
    return dict(row)


def _move(tx: Tx, row: Mapping[str, Any], state: str, **values: Any) -> None:
    tx.conn.execute(update(plans).where(plans.c.plan_id == row["plan_id"]).values(state=state, **values))
    audit.record(
        tx, f"promotion.{state}", str(row["plan_id"]), before=row["state"], after=[state, *values.values()]
    )
