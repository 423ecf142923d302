"""Orders whose proposal waits for somebody: for an approval that its prices or its credit need, or to be confirmed.

Nothing is remembered of it: prices, limits and debts change, so each order is judged when it is asked for, as the gate
would judge it now, without holding anything.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from finance import credit, trade_permissions
from finance.credit import CreditLimitExceeded, CreditOverdue
from finance.orders.commands import judging
from finance.orders.commands.judging import HEADS, Judgement, Order
from finance.orders.rules import Verdict, lines_of
from shared.clock import business_date
from shared.paging import encode_cursor, page_of
from shared.transaction import Tx

JUDGED_MAX = 200
"""How many orders one page judges at most."""


PROPOSED = """
select * from (
    select s.*, (
        select coalesce(sum(l.quantity * (l.unit_price_fen - l.unit_discount_fen)), 0)::bigint
        from sales_order_lines l where l.order_id = s.order_id
    ) as total_fen
    from sales_orders s where s.proposal is not null and s.state not in ('closed', 'cancelled')
) o
"""


def proposed(tx: Tx, args: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """A page of the orders of the token's branches that propose something. Raises CursorInvalid, ForeignBranch."""
    return page_of(
        tx.conn,
        PROPOSED,
        {
            "o.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "o.customer_id = :customer": args["customer_id"],
            "o.state = :state": args["state"],
        },
        {"o.order_id": UUID},
        {**args, "limit": limit},
    )


def undecided(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """A page of those that wait for approvals, each with what is `awaited`.

    A page judges JUDGED_MAX orders and may hold fewer than were asked for, even none, while there are more.
    Raises as `proposed`.
    """
    judged = proposed(tx, args, JUDGED_MAX)
    items: list[dict[str, Any]] = []
    for order in judged["items"]:
        if len(items) == args["limit"]:
            return {"items": items, "next_cursor": encode_cursor(items[-1]["order_id"])}
        awaited = approvals_awaited(tx, order)
        if awaited:
            roles = [{"matter": matter, "roles": sorted(those)} for matter, those in sorted(awaited.items())]
            items.append({**order, "awaited": roles})
    return {**judged, "items": items}


def approvals_awaited(tx: Tx, order: Order) -> dict[str, frozenset[str]]:
    """By matter the roles that have not decided yet; of a discount one of them is enough."""
    today = business_date(tx.now)
    confirmed = judging.confirmed_lines(tx, order["order_id"])
    lines = judging.still_open(lines_of(order["proposal"]), confirmed)
    judged = Judgement()
    known = trade_permissions.held_on(tx.conn, order["customer_id"], today)
    if known is not None:
        judging.judge_prices(tx, judged, order, lines, known, today)
    verdicts = set(judged.verdicts.values())
    awaited: dict[str, frozenset[str]] = {}
    floor = judging.approval(tx, order, "below_floor", HEADS)
    if Verdict.BELOW_FLOOR in verdicts and floor.state == "pending":
        awaited["below_floor"] = HEADS - {each.role for each in floor.valid}
    able = judging.roles_for_discount(judged, lines, today)
    if Verdict.DISCOUNT in verdicts and floor.state != "approved":
        discount = judging.approval(tx, order, "discount", able)
        if discount.state != "rejected" and not able & {each.role for each in discount.valid}:
            awaited["discount"] = able
    left = sum(
        (line.quantity - (confirmed[line.no][1] if line.no in confirmed else 0)) * line.asked_fen
        for line in lines
    )
    override = judging.approval(tx, order, "credit", HEADS)
    if override.state == "pending" and _is_beyond_credit(tx, order, left):
        awaited["credit"] = HEADS - {each.role for each in override.valid}
    return awaited


def _is_beyond_credit(tx: Tx, order: Order, fen: int) -> bool:
    """Is there credit, but not for so much? Only this an override mends."""
    customer_id, today = order["customer_id"], business_date(tx.now)
    more = fen - credit.reserved_for(tx.conn, customer_id, order["order_id"])
    if more <= 0:
        return False
    position = credit.positions(tx.conn, [customer_id], today)[customer_id]
    return isinstance(credit.refusal_of(position, more, today), CreditLimitExceeded | CreditOverdue)
