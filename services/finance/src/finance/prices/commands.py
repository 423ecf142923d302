"""Price rules, sales strategies and grades: one person proposes, another decides, nothing is ever changed.

Source: F11, F12
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, select, text, update

from finance import promotion_plans
from finance.kernel.company import require_company
from finance.prices.rules import (
    PriceRuleBackdated,
    PriceRuleDecided,
    PriceRuleInvalid,
    PriceRuleNotFound,
    StrategyPlanInvalid,
)
from finance.prices.tables import price_grades, price_rules, strategies
from shared import audit
from shared.approvals import Approval
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx

APPROVERS = frozenset({"finance_head"})
"""Business proposes what is asked, finance decides whether it may be."""


def propose_price(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """A list and a floor price from today on or later. Raises CompanyNotCovered, PriceRuleInvalid, PriceRuleBackdated."""
    require_company(tx.actor)
    if body["floor"] > body["list_price"]:
        raise _invalid("floor", "above the list price")
    _require_to_come(tx, body["effective_from"])
    row = {
        "product_id": body["product_id"],
        "customer_kind": body["customer_kind"],
        "grade": body["grade"],
        "list_fen": body["list_price"],
        "floor_fen": body["floor"],
        "effective_from": body["effective_from"],
    }
    return _propose(tx, price_rules, row)


def propose_grade(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """Which prices a customer gets from a day on. Raises CompanyNotCovered, PriceRuleBackdated."""
    require_company(tx.actor)
    _require_to_come(tx, body["effective_from"])
    return _propose(tx, price_grades, dict(body))


def propose_strategy(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """A promotion, a price concession, or more service. Raises as _require_scope, and PriceRuleInvalid, StrategyPlanInvalid."""
    _require_scope(tx, body["branch_id"])
    if body["last_day"] < body["first_day"]:
        raise _invalid("until", "before `from`")
    if (body["kind"] == "service_upgrade") != (body["discount_bp"] == 0):
        raise _invalid("discount_bp", "a service upgrade lowers no price, and every other strategy does")
    if body["kind"] == "service_upgrade" and not body["service"]:
        raise _invalid("service", "say what is done better")
    _require_to_come(tx, body["first_day"])
    row = {
        **body,
        "products": sorted(set(body["products"])),
        "customer_kinds": sorted(set(body["customer_kinds"])),
    }
    _require_plan(tx, row)
    return _propose(tx, strategies, row)


def _invalid(path: str, message: str) -> PriceRuleInvalid:
    return PriceRuleInvalid(message, errors=[{"path": path, "message": message}])


def _require_to_come(tx: Tx, day: date) -> None:
    today = business_date(tx.now)
    if day < today:
        raise PriceRuleBackdated(
            Text("today is {today}: what was sold keeps its price", today=today), today=str(today)
        )


def _require_scope(tx: Tx, branch_id: str | None) -> None:
    """Raises CompanyNotCovered, ForeignBranch."""
    if branch_id is None:
        require_company(tx.actor)
    else:
        tx.actor.require_branch(branch_id)


def _require_plan(tx: Tx, row: Mapping[str, Any]) -> None:
    if row["plan_id"] is None:
        return
    plan = tx.conn.execute(
        text(f"select p.* from {promotion_plans.APPROVED} p where p.plan_id = :id"),
        {"id": row["plan_id"]},
    ).one_or_none()
    if plan is None:
        raise StrategyPlanInvalid("no approved promotion plan has this id")
    is_within = plan.first_day <= row["first_day"] and row["last_day"] <= plan.last_day
    has_products = not plan.products or (row["products"] and set(row["products"]) <= set(plan.products))
    if not is_within or not has_products or plan.branch_id != row["branch_id"]:
        raise StrategyPlanInvalid("the strategy goes beyond branch, days or products of its plan")


def _propose(tx: Tx, table: Table, row: Mapping[str, Any]) -> UUID:
    key = str(table.primary_key.columns[0].name)
    rule_id = new_id()
    tx.conn.execute(
        insert(table).values(
            **row,
            **{key: rule_id},
            state="proposed",
            subject_hash=audit.digest({**row, key: rule_id}),
            proposed_by=tx.actor.id,
            proposed_at=tx.now,
        )
    )
    audit.record(tx, f"{_noun(table)}.propose", str(rule_id), after=row)
    return rule_id


def _noun(table: Table) -> str:
    return table.name.removesuffix("s").removeprefix("sales_")


def decide(tx: Tx, table: Table, rule_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Put a proposal in force, or reject it with a reason; another person than who proposed it.

    Raises PriceRuleNotFound, PriceRuleDecided, CompanyNotCovered, ForeignBranch, PriceRuleBackdated,
    StrategyPlanInvalid, and the refusals of shared.approvals.
    """
    key = table.primary_key.columns[0]
    row = tx.conn.execute(select(table).where(key == rule_id).with_for_update()).mappings().one_or_none()
    if row is None:
        raise PriceRuleNotFound("no such rule")
    _require_scope(tx, row.get("branch_id"))
    if row["state"] != "proposed":
        raise PriceRuleDecided(Text("the rule was {state}", state=row["state"]), state=row["state"])
    if approved:
        # a proposal that waited too long would reach back
        _require_to_come(tx, row["first_day"] if table is strategies else row["effective_from"])
        if table is strategies:
            _require_plan(tx, dict(row))
    approval = Approval(
        required=APPROVERS,
        excluded=frozenset({row["proposed_by"]}),
        subject_hash=row["subject_hash"],
    )
    approval.decide(person=tx.actor.id, roles=tx.actor.roles, approved=approved, reason=reason, at=tx.now)
    state = "approved" if approved else "rejected"
    tx.conn.execute(
        update(table)
        .where(key == rule_id)
        .values(state=state, decided_by=tx.actor.id, decided_at=tx.now, decided_reason=reason)
    )
    audit.record(tx, f"{_noun(table)}.{state}", str(rule_id), after=[state, reason])
