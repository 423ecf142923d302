"""The statements that keep what is proposed about prices, and what is decided on it."""

from dataclasses import asdict, fields
from uuid import UUID

from sqlalchemy import Table, insert, select, text, update

from finance import promotion_plans
from finance.prices.model import PriceGrade, PriceRule, Proposed, Rule, Strategy
from finance.prices.rules import PriceRuleNotFound, Scope
from finance.prices.tables import price_decisions, price_grades, price_rules, strategies
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import new_id
from shared.transaction import Tx

_TABLES = {PriceRule: price_rules, PriceGrade: price_grades, Strategy: strategies}
_KINDS: dict[str, type[Rule]] = {table.name: kind for kind, table in _TABLES.items()}


def noun(table: Table) -> str:
    return table.name.removesuffix("s").removeprefix("sales_")


def propose(tx: Tx, rule: Rule) -> UUID:
    """A rule that waits for its decision."""
    table = _TABLES[type(rule)]
    key = str(table.primary_key.columns[0].name)
    rule_id = new_id()
    tx.conn.execute(
        insert(table).values(
            **asdict(rule),
            **{key: rule_id},
            state="proposed",
            subject_hash=audit.digest({**asdict(rule), key: rule_id}),
            proposed_by=tx.actor.id,
            proposed_at=tx.now,
        )
    )
    audit.record(tx, f"{noun(table)}.propose", str(rule_id), after=asdict(rule))
    return rule_id


def lock(tx: Tx, table: Table, rule_id: UUID) -> Proposed:
    """Its row locked until the transaction ends. Raises PriceRuleNotFound."""
    key = table.primary_key.columns[0]
    row = tx.conn.execute(select(table).where(key == rule_id).with_for_update()).one_or_none()
    if row is None:
        raise PriceRuleNotFound("no such rule")
    kind = _KINDS[table.name]
    said = row._asdict()
    rule = kind(**{each.name: said[each.name] for each in fields(kind)})
    return Proposed(rule_id, rule, row.state, row.subject_hash, row.proposed_by)


def decide(
    tx: Tx, table: Table, found: Proposed, approval: Approval, *, approved: bool, reason: str | None
) -> None:
    """Keep the decision, and what the rule is by it. Raises the refusals of shared.approvals."""
    subject = {"rule_id": found.rule_id}
    _, state = decide_and_store(tx, price_decisions, subject, approval, approved=approved, reason=reason)
    tx.conn.execute(
        update(table)
        .where(table.primary_key.columns[0] == found.rule_id)
        .values(state=state, decided_by=tx.actor.id, decided_at=tx.now, decided_reason=reason)
    )
    audit.record(tx, f"{noun(table)}.{state}", str(found.rule_id), after=[state, reason])


def plan_scope(tx: Tx, plan_id: UUID) -> Scope | None:
    """Branch, days and products of an approved promotion plan."""
    row = tx.conn.execute(
        text(
            f"select p.branch_id, p.first_day, p.last_day, p.products from {promotion_plans.APPROVED} p"
            " where p.plan_id = :id"
        ),
        {"id": plan_id},
    ).one_or_none()
    return None if row is None else Scope(*row)
