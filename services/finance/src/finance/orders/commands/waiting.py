"""What an order waits for: approvals that its prices or its credit need.

Nothing is remembered of it: prices, limits and debts change, so each order is judged when it is asked for, as confirming
would judge it now, without holding anything.
"""

from collections.abc import Mapping
from typing import Any

from finance import credit
from finance.credit import CreditLimitExceeded, CreditOverdue
from finance.orders import queries, store
from finance.orders.commands import judging
from finance.orders.commands.judging import HEADS
from finance.orders.model import Proposed
from finance.orders.rules import Verdict
from shared.clock import business_date
from shared.paging import JUDGED_ROWS_MAX, page_of_judged
from shared.transaction import Tx


def undecided(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """A page of those that wait for approvals, each with what is `awaited`.

    Judged after reading, so a page may hold fewer than were asked for. Raises CursorInvalid, ForeignBranch.
    """
    read = queries.proposed(tx, args, JUDGED_ROWS_MAX)
    return page_of_judged(
        read, lambda rows: (_with_awaited(tx, each) for each in rows), args["limit"], "order_id"
    )


def _with_awaited(tx: Tx, order: Mapping[str, Any]) -> dict[str, Any] | None:
    said = store.order_of(order)
    awaited = approvals_awaited(tx, said) if isinstance(said, Proposed) else {}
    roles = [{"matter": matter, "roles": sorted(those)} for matter, those in sorted(awaited.items())]
    return {**order, "awaited": roles} if awaited else None


def approvals_awaited(tx: Tx, order: Proposed) -> dict[str, frozenset[str]]:
    """By matter the roles that have not decided yet; of a discount one of them is enough."""
    today = business_date(tx.now)
    confirmed = store.confirmed_lines(tx, order.order_id)
    lines = judging.still_open(order.proposal, confirmed)
    judged = judging.look(tx, order, lines)
    awaited: dict[str, frozenset[str]] = {}
    floor = judging.approval(tx, order, "below_floor", HEADS)
    if judged.lines_of(Verdict.BELOW_FLOOR, lines) and floor.state == "pending":
        awaited["below_floor"] = HEADS - {each.role for each in floor.valid}
    able = judging.roles_for_discount(judged, lines, today)
    if judged.lines_of(Verdict.DISCOUNT, lines) and floor.state != "approved":
        discount = judging.approval(tx, order, "discount", able)
        if discount.state != "rejected" and not able & {each.role for each in discount.valid}:
            awaited["discount"] = able
    left = sum((line.quantity - judging.shipped_of(confirmed, line.no)) * line.asked_fen for line in lines)
    override = judging.approval(tx, order, "credit", HEADS)
    if override.state == "pending" and _is_beyond_credit(tx, order, left):
        awaited["credit"] = HEADS - {each.role for each in override.valid}
    return awaited


def _is_beyond_credit(tx: Tx, order: Proposed, fen: int) -> bool:
    """Is there credit, but not for so much? Only this an override mends."""
    customer_id, today = order.customer_id, business_date(tx.now)
    more = fen - credit.reserved_for(tx.conn, customer_id, order.order_id)
    if more <= 0:
        return False
    position = credit.positions(tx.conn, [customer_id], today)[customer_id]
    return isinstance(credit.refusal_of(position, more, today), CreditLimitExceeded | CreditOverdue)
