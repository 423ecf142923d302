"""The reading side: open items, the proof against the ledger, cases, indicators.

Every query is limited to the branches of the token.
Source: F15, F16, metrics M19 to M22
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import balances, dunning, open_items
from finance.allocations import ALLOCATIONS
from finance.book import book_of
from finance.kernel import debts
from finance.kernel.debts import MINE
from finance.open_items import ReceivableUnknown
from finance.receivables.rules import PaymentUnknown
from shared.clock import business_date, next_month
from shared.errors import Conflict
from shared.paging import decode_cursor, page, page_of
from shared.transaction import Tx

STATUS = (
    "case when open_fen = 0 and written_off_fen > 0 then 'written_off' when open_fen = 0 then 'settled'"
    " when disputed_at is not null then 'disputed' when open_fen <> amount_fen then 'part' else 'open' end"
)
ITEM = (
    "item_id, customer_id, branch_id, kind, source_id, instalment, booked_on, due_on, amount_fen, open_fen,"
    f" written_off_fen, settled_on, disputed_at, dispute_reason, principal_id, {STATUS} as status"
)
LATER = f"""
    select debt_id as item_id, fen from {ALLOCATIONS} i where allocated_on > :as_of
    union all
    select credit_id, -fen from {ALLOCATIONS} i where allocated_on > :as_of
"""
"""What matches made after a day took off each item; put back, the item is as it was on that day."""


OPEN_AT = f"""
with later as (select item_id, sum(fen)::bigint as fen from ({LATER}) sides group by item_id)
select i.item_id, i.customer_id, i.branch_id, i.kind, i.booked_on, i.due_on, i.amount_fen,
    i.open_fen + coalesce(l.fen, 0) as open_at_fen
from {open_items.ITEMS} i left join later l on l.item_id = i.item_id
where i.booked_on <= :as_of and (i.open_fen <> 0 or l.item_id is not null)
"""
"""Items as they stood at the end of a day: matches made later are taken out again."""


class SubLedgerDiffers(Conflict):
    """The open items are not the balance of 1122: the books were tampered with."""

    code = "receivables_differ_from_ledger"
    cure = "Tell the operator: open items and account 1122 must be equal before the month closes."


def _ledger_fen(conn: Connection, as_of: date, branches: Sequence[str] | None) -> int:
    return balances.balance_on(conn, book_of(conn).chart.code("receivables"), branches, as_of)


def items_fen(conn: Connection, as_of: date, branches: Sequence[str] | None) -> int:
    """Σ open items at the end of a day."""
    total: int = conn.execute(
        text(
            "select coalesce(sum(fen), 0)::bigint from ("
            f" select open_fen as fen from {open_items.ITEMS} i where open_fen <> 0 and booked_on <= :as_of and {MINE}"
            f" union all select l.fen from ({LATER}) l join {open_items.ITEMS} i on i.item_id = l.item_id"
            f" where i.booked_on <= :as_of and {MINE}) x"
        ),
        {"as_of": as_of, "branches": None if branches is None else list(branches)},
    ).scalar_one()
    return total


def proof(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """The sub-ledger against its control account, in one snapshot."""
    as_of = args["as_of"] or business_date(tx.now)
    branches = tx.actor.branch_filter(args["branch_id"])
    ledger, items = _ledger_fen(tx.conn, as_of, branches), items_fen(tx.conn, as_of, branches)
    return {
        "as_of": as_of,
        "branch_id": args["branch_id"],
        "account": book_of(tx.conn).chart.code("receivables"),
        "ledger_fen": ledger,
        "items_fen": items,
        "agrees": ledger == items,
    }


def require_agreement(conn: Connection, month: date) -> None:
    """What closing a month asks of receivables. Raises SubLedgerDiffers."""
    last = date.fromordinal(next_month(month).toordinal() - 1)
    ledger, items = _ledger_fen(conn, last, None), items_fen(conn, last, None)
    if ledger != items:
        raise SubLedgerDiffers("open items and 1122 differ", ledger_fen=ledger, items_fen=items)


def items(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """The items of one customer, or of all; keyset by id."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            f"select {ITEM} from {open_items.ITEMS} i where {MINE}"
            " and (cast(:customer as uuid) is null or customer_id = :customer)"
            f" and (cast(:status as text) is null or {STATUS} = :status)"
            " and (cast(:after as text) is null or item_id > cast(:after as uuid)) order by item_id limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "customer": args["customer_id"],
            "status": args["state"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "item_id")


def item(tx: Tx, item_id: UUID) -> dict[str, Any]:
    """One item with what was set against it. Raises ReceivableUnknown."""
    row = (
        tx.conn.execute(text(f"select {ITEM} from {open_items.ITEMS} i where item_id = :id"), {"id": item_id})
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise ReceivableUnknown("no such open item")
    allocations = tx.conn.execute(
        text(
            "select allocation_id, credit_id, debt_id, fen, allocated_on, undoes, actor, at"
            f" from {ALLOCATIONS} i where credit_id = :id or debt_id = :id order by at, allocation_id"
        ),
        {"id": item_id},
    ).mappings()
    return {**row, "allocations": [dict(each) for each in allocations]}


PAYMENTS = "(select payment_id, reference from payments)"
"""SQL: what a payment is called where it came from."""


def payment(tx: Tx, payment_id: UUID) -> dict[str, Any]:
    """Raises PaymentUnknown."""
    row = (
        tx.conn.execute(
            text(
                f"select p.*, -i.open_fen as unallocated_fen from payments p join {open_items.ITEMS} i"
                " on i.item_id = p.item_id where payment_id = :id"
            ),
            {"id": payment_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise PaymentUnknown("no such payment")
    return {**row, "allocations": item(tx, row["item_id"])["allocations"]}


_PAYMENTS = f"""
select p.*, -i.open_fen as unallocated_fen from payments p join {open_items.ITEMS} i on i.item_id = p.item_id
"""
_PAYMENT_STATE = (
    "case when p.reversed_on is not null then 'reversed' when i.open_fen <> 0 then 'open' else 'used' end"
)


def payments(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Payments received, by the day they came; keyset by day and id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        _PAYMENTS,
        {
            "p.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "p.customer_id = :customer_id": args["customer_id"],
            "p.tender = :tender": args["tender"],
            "p.reference = :reference": args["reference"],
            "p.received_on >= :first": args["first"],
            "p.received_on <= :until": args["until"],
            f"{_PAYMENT_STATE} = :state": args["state"],
        },
        {"p.received_on": date, "p.payment_id": UUID},
        args,
    )


_ALLOCATIONS = f"""
select a.allocation_id, a.credit_id, a.debt_id, a.fen, a.allocated_on, a.undoes, a.actor, a.at, d.customer_id,
    d.branch_id, (select u.allocation_id from {ALLOCATIONS} u where u.undoes = a.allocation_id) as undone_by
from {ALLOCATIONS} a join {open_items.ITEMS} d on d.item_id = a.debt_id
"""


def allocations(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What was set against what, and what took it back; keyset by day and id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        _ALLOCATIONS,
        {
            "d.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "d.customer_id = :customer_id": args["customer_id"],
            ":item_id in (a.credit_id, a.debt_id)": args["item_id"],
            "a.allocated_on >= :first": args["first"],
            "a.allocated_on <= :until": args["until"],
        },
        {"a.allocated_on": date, "a.allocation_id": UUID},
        args,
    )


_WRITE_OFFS = (
    f"select w.*, i.customer_id from write_offs w join {open_items.ITEMS} i on i.item_id = w.item_id"
)


def write_offs(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Write-offs asked for and decided, oldest request first; keyset by id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        _WRITE_OFFS,
        {
            "w.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "i.customer_id = :customer_id": args["customer_id"],
            "w.item_id = :item_id": args["item_id"],
            "w.state = :state": args["state"],
        },
        {"w.write_off_id": UUID},
        args,
    )


def terms(tx: Tx, customer_id: UUID) -> list[dict[str, Any]]:
    rows = tx.conn.execute(
        text("select * from credit_terms where customer_id = :id order by effective_from"),
        {"id": customer_id},
    ).mappings()
    return [dict(row) for row in rows]


def write_off(tx: Tx, write_off_id: UUID) -> dict[str, Any]:
    row = (
        tx.conn.execute(text("select * from write_offs where write_off_id = :id"), {"id": write_off_id})
        .mappings()
        .one()
    )
    return dict(row)


_WINDOW = f"""
select coalesce(sum(amount_fen) filter (where booked_on < :first), 0)::bigint as opening_fen,
    coalesce(sum(amount_fen) filter (where booked_on < :until), 0)::bigint as closing_fen,
    coalesce(sum(amount_fen) filter (where kind = 'sale' and booked_on >= :first and booked_on < :until), 0)::bigint
        as credit_sales_fen
from {open_items.ITEMS} i where booked_on < :until and {MINE}
"""
_SUCCESS = f"""
select a.level, a.channel, count(distinct c.item_id) as items,
    count(distinct c.item_id) filter (where r.settled_on between a.done_on and a.done_on + :days) as settled
from {dunning.ACTIONS} a join {dunning.CASES} i on i.case_id = a.case_id
    join {dunning.CASES} c on c.case_id = a.case_id join {open_items.ITEMS} r on r.item_id = c.item_id
where a.done_on >= :first and a.done_on < :until and a.level > 0 and {MINE}
group by a.level, a.channel order by a.level, a.channel
"""


def indicators(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """DSO (M20, in hundredths of a day), collection effectiveness (M21) and dunning success (M22) of the days.

    None where the denominator is 0.
    """
    first, last = args["first"], args["until"]
    after = date.fromordinal(last.toordinal() + 1)
    key = {"first": first, "until": after, "branches": tx.actor.branch_filter(args["branch_id"])}
    window = tx.conn.execute(text(_WINDOW), key).one()
    current = tx.conn.execute(
        text(
            f"select coalesce(sum(open_at_fen), 0)::bigint from ({OPEN_AT} and {MINE}) x"
            " where open_at_fen < 0 or due_on >= :as_of"
        ),
        {"as_of": last, "branches": key["branches"]},
    ).scalar_one()
    days = (after - first).days
    average_twice = window.opening_fen + window.closing_fen
    collectable = window.opening_fen + window.credit_sales_fen
    base = collectable - current
    success = tx.conn.execute(
        text(_SUCCESS), {**key, "days": debts.house("dunning_success_days", last)}
    ).mappings()
    return {
        "first": first,
        "until": last,
        "branch_id": args["branch_id"],
        "opening_fen": window.opening_fen,
        "closing_fen": window.closing_fen,
        "credit_sales_fen": window.credit_sales_fen,
        "closing_current_fen": current,
        "dso_centidays": round(100 * average_twice * days / (2 * window.credit_sales_fen))
        if window.credit_sales_fen
        else None,
        "collection_effectiveness_bp": round(10_000 * (collectable - window.closing_fen) / base)
        if base > 0
        else None,
        "dunning": [dict(row) for row in success],
    }
