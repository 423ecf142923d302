"""HTTP: price rules, grades of customers, sales strategies."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table

from finance.kernel.roles import ORDER_READERS
from finance.prices import commands, queries, schemas
from finance.prices.model import PriceGrade, PriceRule, Strategy
from finance.prices.tables import price_grades, price_rules, strategies
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

prices = Blueprint("prices", __name__, tag="orders")


def _rule(body: dict[str, Any]) -> PriceRule:
    return PriceRule(
        product_id=body["product_id"],
        customer_kind=body["customer_kind"],
        grade=body["grade"],
        list_fen=body["list_price"],
        floor_fen=body["floor"],
        effective_from=body["effective_from"],
    )


@prices.post("/price-rules")
@command
@admits("business_head")
@prices.arguments(schemas.PriceRuleBody)
@prices.response(201, schemas.PriceRuleView)
def propose_price(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Propose list and floor price of a product for a kind of customer."""
    return queries.rule(tx, price_rules, commands.propose_price(tx, _rule(body)))


@prices.get("/price-rules")
@query
@admits(*ORDER_READERS)
@prices.arguments(schemas.PriceRulesArgs, location="query")
@prices.response(200, schemas.PriceRulesPage)
def list_price_rules(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Every price rule there ever was, with who proposed and decided."""
    return queries.rules(tx, price_rules, args, "product_id", "customer_kind")


@prices.post("/price-rules/<uuid:rule_id>/decisions")
@command
@admits("finance_head")
@prices.arguments(DecisionBody)
@prices.response(200, schemas.PriceRuleView)
def decide_price_rule(tx: Tx, body: dict[str, Any], rule_id: UUID) -> dict[str, Any]:
    """Put a price in force, or reject it."""
    return _decided(tx, price_rules, rule_id, body)


@prices.post("/price-grades")
@command
@admits("business_head")
@prices.arguments(schemas.PriceGradeBody)
@prices.response(201, schemas.PriceGradeView)
def propose_price_grade(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Propose which prices a customer gets."""
    return queries.rule(tx, price_grades, commands.propose_grade(tx, PriceGrade(**body)))


@prices.get("/price-grades")
@query
@admits(*ORDER_READERS)
@prices.arguments(schemas.PriceGradesArgs, location="query")
@prices.response(200, schemas.PriceGradesPage)
def list_price_grades(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Grades of customers, as far as prices go."""
    return queries.rules(tx, price_grades, args, "customer_id")


@prices.post("/price-grades/<uuid:grade_id>/decisions")
@command
@admits("finance_head")
@prices.arguments(DecisionBody)
@prices.response(200, schemas.PriceGradeView)
def decide_price_grade(tx: Tx, body: dict[str, Any], grade_id: UUID) -> dict[str, Any]:
    """Put a grade in force, or reject it."""
    return _decided(tx, price_grades, grade_id, body)


@prices.post("/sales-strategies")
@command
@admits("business_head")
@prices.arguments(schemas.SalesStrategyBody)
@prices.response(201, schemas.SalesStrategyView)
def propose_strategy(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Propose a promotion, a price concession, or more service."""
    return queries.rule(tx, strategies, commands.propose_strategy(tx, Strategy(**body)))


@prices.get("/sales-strategies")
@query
@admits(*ORDER_READERS)
@prices.arguments(schemas.SalesStrategiesArgs, location="query")
@prices.response(200, schemas.SalesStrategiesPage)
def list_strategies(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Strategies of the token's branches and of all."""
    return queries.rules(tx, strategies, args)


@prices.post("/sales-strategies/<uuid:strategy_id>/decisions")
@command
@admits("finance_head")
@prices.arguments(DecisionBody)
@prices.response(200, schemas.SalesStrategyView)
def decide_strategy(tx: Tx, body: dict[str, Any], strategy_id: UUID) -> dict[str, Any]:
    """Put a strategy in force, or reject it."""
    return _decided(tx, strategies, strategy_id, body)


def _decided(tx: Tx, rules: Table, rule_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    commands.decide(tx, rules, rule_id, **body)
    return queries.rule(tx, rules, rule_id)
