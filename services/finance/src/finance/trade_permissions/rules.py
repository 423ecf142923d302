"""May we sell this to whom: trade permissions as customers last told them.

Institutions need a permission that covers every category on the receipt, on the day of the sale; patients and
walk-ins need none. Credit needs a customer whom customers allow to trade, whatever its kind.
Source: C (trade permission gate), F13, model 3.0
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from finance.kernel.receipt import Receipt, uses_credit
from shared.categories import is_permitted
from shared.errors import Conflict, Unavailable
from shared.languages import Text

PATIENT = "patient"


class TradeNotPermitted(Conflict):
    code = "trade_not_permitted"
    cure = "Sell nothing of this to the customer until customers permits it; `missing` names the papers."


class CustomerUnknown(Conflict):
    """Nobody told us of this customer, and we have heard everything customers said."""

    code = "customer_unknown"
    cure = "Check the id; a customer registered a moment ago arrives within seconds."


class CustomerNotYetKnown(Unavailable):
    """Customers said things we have not heard yet; the customer, or its permission, may be one of them."""

    code = "customer_not_yet_known"
    cure = "Send the same again after `Retry-After` seconds."


def not_yet_known() -> CustomerNotYetKnown:
    return CustomerNotYetKnown("customers has news that is still on its way", retry_after_s=2)


@dataclass(frozen=True, slots=True)
class Permission:
    """One word of customers; `version` grows with each."""

    version: int
    kind: str
    allowed: bool
    categories: Sequence[str]
    valid_until: date | None

    @property
    def is_institution(self) -> bool:
        return self.kind != PATIENT


def check(permission: Permission | None, receipt: Receipt, day: date) -> None:
    """Raises TradeNotPermitted or CustomerUnknown when the sale to a customer may not be made.

    An unknown customer may buy for money: the till knows whom it serves before we do.
    """
    if permission is None:
        if not uses_credit(receipt):
            return
        raise CustomerUnknown("credit needs a customer we know")
    if not permission.is_institution and not uses_credit(receipt):
        return
    _require_allowed(permission, {line.product.category for line in receipt.lines}, day)


def require(permission: Permission | None, categories: Collection[str], day: date) -> None:
    """What is promised to a customer (a contract, an order, samples) needs one we know and may trade with that day.

    Raises TradeNotPermitted, CustomerUnknown.
    """
    if permission is None:
        raise CustomerUnknown("this needs a customer we know")
    _require_allowed(permission, categories, day)


def _require_allowed(permission: Permission, categories: Collection[str], day: date) -> None:
    if not permission.allowed:
        raise TradeNotPermitted("customers does not permit trade with this customer", reason="denied")
    if permission.valid_until is not None and permission.valid_until < day:
        raise TradeNotPermitted(
            Text("the permission ended on {valid_until}", valid_until=permission.valid_until),
            reason="expired",
        )
    if not permission.is_institution:
        return
    missing = sorted(each for each in set(categories) if not is_permitted(each, permission.categories))
    if missing:
        raise TradeNotPermitted(
            Text("the permission does not cover {missing}", missing=", ".join(missing)),
            reason="category",
            categories=missing,
        )
