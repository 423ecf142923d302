"""Price rules, sales strategies and grades: one person proposes, another decides, nothing is ever changed.

Source: F11, F12
"""

from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import Table

from finance.kernel.company import require_company
from finance.prices.model import PriceGrade, PriceRule, Rule, Strategy
from finance.prices.rules import (
    PriceRuleBackdated,
    PriceRuleDecided,
    PriceRuleInvalid,
    StrategyPlanInvalid,
)
from finance.prices.store import proposals
from shared.approvals import Approval
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx

APPROVERS = frozenset({"finance_head"})
"""Business proposes what is asked, finance decides whether it may be."""


def propose_price(tx: Tx, rule: PriceRule) -> UUID:
    """A list and a floor price from today on or later. Raises CompanyNotCovered, PriceRuleInvalid, PriceRuleBackdated."""
    require_company(tx.actor)
    if rule.floor_fen > rule.list_fen:
        raise _invalid("floor", "above the list price")
    _require_to_come(tx, rule)
    return proposals.propose(tx, rule)


def propose_grade(tx: Tx, grade: PriceGrade) -> UUID:
    """Which prices a customer gets from a day on. Raises CompanyNotCovered, PriceRuleBackdated."""
    require_company(tx.actor)
    _require_to_come(tx, grade)
    return proposals.propose(tx, grade)


def propose_strategy(tx: Tx, wanted: Strategy) -> UUID:
    """A promotion, a price concession, or more service. Raises as _require_scope, and PriceRuleInvalid, StrategyPlanInvalid."""
    _require_scope(tx, wanted)
    if wanted.last_day < wanted.first_day:
        raise _invalid("until", "before `from`")
    if (wanted.kind == "service_upgrade") != (wanted.discount_bp == 0):
        raise _invalid("discount_bp", "a service upgrade lowers no price, and every other strategy does")
    if wanted.kind == "service_upgrade" and not wanted.service:
        raise _invalid("service", "say what is done better")
    _require_to_come(tx, wanted)
    strategy = replace(
        wanted,
        products=sorted(set(wanted.products)),
        customer_kinds=sorted(set(wanted.customer_kinds)),
    )
    _require_plan(tx, strategy)
    return proposals.propose(tx, strategy)


def _invalid(path: str, message: str) -> PriceRuleInvalid:
    return PriceRuleInvalid(message, errors=[{"path": path, "message": message}])


def _require_to_come(tx: Tx, rule: Rule) -> None:
    today = business_date(tx.now)
    begins_on: date = rule.first_day if isinstance(rule, Strategy) else rule.effective_from
    if begins_on < today:
        raise PriceRuleBackdated(
            Text("today is {today}: what was sold keeps its price", today=today), today=str(today)
        )


def _require_scope(tx: Tx, rule: Rule) -> None:
    """Raises CompanyNotCovered, ForeignBranch."""
    if isinstance(rule, Strategy) and rule.branch_id is not None:
        tx.actor.require_branch(rule.branch_id)
    else:
        require_company(tx.actor)


def _require_plan(tx: Tx, strategy: Strategy) -> None:
    if strategy.plan_id is None:
        return
    plan = proposals.plan_scope(tx, strategy.plan_id)
    if plan is None:
        raise StrategyPlanInvalid("no approved promotion plan has this id")
    is_within = plan.first_day <= strategy.first_day and strategy.last_day <= plan.last_day
    has_products = not plan.products or (strategy.products and set(strategy.products) <= set(plan.products))
    if not is_within or not has_products or plan.branch_id != strategy.branch_id:
        raise StrategyPlanInvalid("the strategy goes beyond branch, days or products of its plan")


def decide(tx: Tx, table: Table, rule_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Put a proposal in force, or reject it with a reason; another person than who proposed it.

    Raises PriceRuleNotFound, PriceRuleDecided, CompanyNotCovered, ForeignBranch, PriceRuleBackdated,
    StrategyPlanInvalid, and the refusals of shared.approvals.
    """
    found = proposals.lock(tx, table, rule_id)
    _require_scope(tx, found.rule)
    if found.state != "proposed":
        raise PriceRuleDecided(Text("the rule was {state}", state=found.state), state=found.state)
    if approved:
        # a proposal that waited too long would reach back
        _require_to_come(tx, found.rule)
        if isinstance(found.rule, Strategy):
            _require_plan(tx, found.rule)
    approval = Approval(
        required=APPROVERS, excluded=frozenset({found.proposed_by}), subject_hash=found.subject_hash
    )
    proposals.decide(tx, table, found, approval, approved=approved, reason=reason)
