"""What is open at the end of a day, by customer and by days past due.

What is open now comes from an index alone, a range of due days per bucket, so that settled items cost nothing;
matches made after the day are put back only where there are any.
Source: F16, metric M19
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from finance import allocations, open_items
from finance.kernel import debts
from finance.kernel.debts import MINE
from finance.receivables.queries.items import LATER
from shared.clock import business_date
from shared.money import money
from shared.paging import decode_cursor, page
from shared.transaction import Tx

FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)
CREDIT = 0
_OPEN_NOW = f"""
select b.place, array_agg(x.customer_id::text) as customers, array_agg(x.fen) as fen
from unnest(cast(:after as date[]), cast(:through as date[])) with ordinality b(after, through, place)
    cross join lateral (
        select customer_id, sum(open_fen)::bigint as fen from {open_items.ITEMS} i
        where open_fen > 0 and due_on > b.after and due_on <= b.through and booked_on <= :as_of and {MINE}
        group by customer_id
    ) x
group by b.place
union all
select {CREDIT}, array_agg(customer_id::text), array_agg(fen) from (
    select customer_id, sum(open_fen)::bigint as fen from {open_items.ITEMS} i
    where open_fen < 0 and booked_on <= :as_of and {MINE} group by customer_id
) credits having count(*) > 0
"""
_MATCHED_LATER = f"select coalesce(max(allocated_on) > :as_of, false) from {allocations.ALLOCATIONS} i"
_PUT_BACK = f"""
select place, array_agg(customer_id::text) as customers, array_agg(fen) as fen from (
    select case when stood.fen < 0 then {CREDIT}
            else 1 + width_bucket(cast(:as_of as date) - i.due_on, cast(:edges as int[])) end as place,
        i.customer_id, sum(stood.sign * stood.fen)::bigint as fen
    from (select item_id, sum(fen) as fen from ({LATER}) sides group by item_id) later
        join {open_items.ITEMS} i on i.item_id = later.item_id
        cross join lateral (values (-1, i.open_fen), (1, i.open_fen + later.fen)) stood(sign, fen)
    where i.booked_on <= :as_of and {MINE} group by 1, 2
) x group by place
"""


def ageing(tx: Tx, args: Mapping[str, Any]) -> bytes:
    """JSON: what is open at the end of a day by days past due; the buckets sum to the balance of 1122 on that day.

    Credits not yet set against debts stand in the first bucket, and are named. Customers in order of id, from
    `cursor` on, at most `limit`. Raises CursorInvalid.
    """
    as_of = args["as_of"] or business_date(tx.now)
    bounds = debts.house("ageing_bounds", as_of)
    shape = debts.buckets(bounds)
    found = _open_of_customers(tx, as_of, bounds, tx.actor.branch_filter(args["branch_id"]))
    credit_fen, first_fen, *overdue = (
        sum(column) for column in zip([0] * (1 + len(shape)), *found.values(), strict=True)
    )
    debts_fen, overdue_fen = first_fen + sum(overdue), sum(overdue)
    customers = sorted(found)
    (after,) = decode_cursor(args["cursor"], UUID)
    if after is not None:
        customers = customers[bisect_right(customers, str(after)) :]
    customers = customers[: args["limit"] + 1]
    shown = page(({"customer_id": each} for each in customers), args["limit"], "customer_id")
    answer = {
        "as_of": as_of,
        "branch_id": args["branch_id"],
        "buckets": [
            {"bucket": each.name, "open": money(fen)}
            for each, fen in zip(shape, [credit_fen + first_fen, *overdue], strict=True)
        ],
        "total": money(credit_fen + debts_fen),
        "credits": money(credit_fen),
        "overdue": money(overdue_fen),
        "overdue_bp": round(10_000 * overdue_fen / debts_fen) if debts_fen else None,
        "customers": _as_json([each["customer_id"] for each in shown["items"]], found),
        "next_cursor": shown["next_cursor"],
    }
    return orjson.dumps(answer)


def _open_of_customers(
    tx: Tx, as_of: date, bounds: Sequence[int], branches: list[str] | None
) -> dict[str, list[int]]:
    """Per customer with any open item: the credits (at most 0), then the debts of each bucket (at least 0)."""
    edges = [as_of - timedelta(days=bound + 1) for bound in bounds]
    asked = {
        "as_of": as_of,
        "branches": branches,
        "after": [*edges, FIRST_DAY],
        "through": [LAST_DAY, *edges],
        "edges": [bound + 1 for bound in bounds],
    }
    rows = list(tx.conn.execute(text(_OPEN_NOW), asked))
    if tx.conn.execute(text(_MATCHED_LATER), asked).scalar_one():
        rows += tx.conn.execute(text(_PUT_BACK), asked)
    found: dict[str, list[int]] = {}
    for place, customers, amounts in rows:
        for customer, fen in zip(customers, amounts, strict=True):
            if customer not in found:
                found[customer] = [0] * (2 + len(bounds))
            found[customer][place] += fen
    # a sum of parts of one sign is 0 where none was open
    return {customer: amounts for customer, amounts in found.items() if any(amounts)}


def _as_json(shown: Sequence[str], found: Mapping[str, Sequence[int]]) -> orjson.Fragment:
    """The customers as the schema has them, written out: making thousands of objects first costs as much as the sums."""
    if not shown:
        return orjson.Fragment(b"[]")
    amount = '{"fen":%d,"currency":"CNY"}'
    buckets = ",".join([amount] * (len(found[shown[0]]) - 1))
    customer = '{"customer_id":"%s","buckets":[' + buckets + '],"total":' + amount + "}"
    written = []
    for customer_id in shown:
        credit_fen, first_fen, *overdue = found[customer_id]
        total_fen = credit_fen + first_fen + sum(overdue)
        written.append(customer % (customer_id, credit_fen + first_fen, *overdue, total_fen))
    return orjson.Fragment("[" + ",".join(written) + "]")
