"""May we trade with whom: judged by the last word of customers, once what it said meanwhile had the time to arrive.

A customer nobody told us of is refused when customers has nothing left to tell; a permission that says no is refused
by the first head from after the question, or after 20 s though customers is silent: then its last word stands.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

from finance.kernel.receipt import Receipt
from finance.trade_permissions import rules
from finance.trade_permissions.model import PERMISSION_CHANGED
from finance.trade_permissions.rules import CustomerUnknown, Permission, TradeNotPermitted, not_yet_known
from finance.trade_permissions.store import caught_up_with
from shared import awaited
from shared.transaction import Tx


def check(tx: Tx, permission: Permission | None, receipt: Receipt, day: date) -> None:
    """May the sale of that day be made? Without a customer it may. As rules.check, and raises CustomerNotYetKnown."""
    if receipt.customer_id is not None:
        with _once_heard(tx, receipt.customer_id):
            rules.check(permission, receipt, day)


def require(
    tx: Tx, customer_id: UUID, permission: Permission | None, categories: Collection[str], day: date
) -> None:
    """May all of it be promised to the customer on that day? As rules.require, and raises CustomerNotYetKnown."""
    with _once_heard(tx, customer_id):
        rules.require(permission, categories, day)


@contextmanager
def _once_heard(tx: Tx, customer_id: UUID) -> Iterator[None]:
    try:
        yield
    except CustomerUnknown:
        if not caught_up_with(tx, {customer_id}):
            raise not_yet_known() from None
        raise
    except TradeNotPermitted as refusal:
        what = f"permission {customer_id}"
        if not awaited.is_last_word(tx, "customers", what, types=[PERMISSION_CHANGED]):
            raise not_yet_known() from refusal
        raise
