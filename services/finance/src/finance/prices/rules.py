"""What is in force for a product, and why a price may not be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from finance.kernel.receipt import Channel
from finance.kernel.sale import PricedSale
from finance.trade_permissions import Permission
from shared.errors import Conflict, Invalid, NotFound


class PriceBelowFloor(Conflict):
    """Less is asked for one unit than the floor in force."""

    code = "price_below_floor"
    cure = "Raise the price, or write an order and have it approved."


class DiscountNotApproved(Conflict):
    """Less is asked than list price and strategies allow, and nobody with the authority approved it."""

    code = "discount_not_approved"
    cure = "Write an order and let the discount be approved."


def is_wholesale(sale: PricedSale, permission: Permission | None) -> bool:
    """Whatever the channel is called, an institution buys wholesale."""
    return sale.receipt.channel is Channel.WHOLESALE or (permission is not None and permission.is_institution)


class PriceRuleNotFound(NotFound):
    code = "price_rule_not_found"
    cure = "Look it up in the list of price rules."


class PriceRuleDecided(Conflict):
    code = "price_rule_decided"
    cure = "Propose a new rule."


class PriceRuleInvalid(Invalid):
    code = "price_rule_invalid"
    cure = "Mend what the sentence names in the rule."


class PriceRuleBackdated(Invalid):
    """What was sold keeps the price that was in force."""

    code = "price_rule_backdated"
    cure = "Choose a first day from today on."


class StrategyPlanInvalid(Conflict):
    """The promotion plan is not approved, or does not cover the strategy."""

    code = "strategy_plan_invalid"
    cure = "Name an approved plan that covers branch, days and products of the strategy."


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What is in force for one line: list and floor price, and the best concession that it meets."""

    list_fen: int
    floor_fen: int
    rule_id: str
    concession_bp: int = 0
    strategy_id: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Of a promotion plan: its branch, its days and its products, all of them when there are none."""

    branch_id: str
    first_day: date
    last_day: date
    products: Sequence[str]
