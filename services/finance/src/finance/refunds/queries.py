"""What is owed to customers for what they gave back, and whether the books say the same.

Source: F22, G21, model 3.2 (Refund)
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import balances
from finance.book import book_of
from finance.refunds import rules
from finance.refunds.store.held import LIVE
from shared.clock import business_date, next_month
from shared.paging import decode_cursor, page
from shared.transaction import Tx

_REFUND = (
    "select r.*, g.received_on as goods_back_on from refunds r"
    " left join returned_goods g on g.return_id = r.return_id"
)
_OWED = "r.state <> 'paid' and r.state <> 'withdrawn'"
_MINE = "(cast(:branches as text[]) is null or r.branch_id = any(:branches))"


def refund(tx: Tx, refund_id: UUID) -> dict[str, Any]:
    """Raises RefundUnknown, also for a branch the token does not cover."""
    row = tx.conn.execute(text(f"{_REFUND} where r.refund_id = :id"), {"id": refund_id}).mappings()
    found = row.one_or_none()
    if found is None or not tx.actor.may_see(found["branch_id"]):
        raise rules.RefundUnknown("no such refund")
    shown = _with_parts(tx, [dict(found)])[0]
    key = {"id": refund_id}
    lines = tx.conn.execute(
        text(f"select * from refund_lines b where refund_id = :id and {LIVE} order by no"), key
    )
    steps = tx.conn.execute(text("select * from refund_steps where refund_id = :id order by version"), key)
    return {
        **shown,
        "lines": [dict(each) for each in lines.mappings()],
        "steps": [dict(each) for each in steps.mappings()],
    }


def refunds(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Refunds in the order they became owed; keyset by id. `overdue` are the unpaid ones past their last day."""
    (after,) = decode_cursor(args["cursor"], UUID)
    today = business_date(tx.now)
    rows = tx.conn.execute(
        text(
            f"{_REFUND} where {_MINE}"
            " and (cast(:state as text) is null or r.state = :state)"
            " and (cast(:sale as uuid) is null or r.sale_id = :sale)"
            " and (cast(:return_id as text) is null or r.return_id = :return_id)"
            f" and (not :unpaid or {_OWED})"
            " and (not :cause_lost or r.cause_lost_on is not null)"
            f" and (not :overdue or ({_OWED} and r.total_fen > 0"
            "   and coalesce(g.received_on, r.settled_on) < :oldest_in_time))"
            " and (cast(:after as text) is null or r.refund_id > cast(:after as uuid))"
            " order by r.refund_id limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "state": args["state"],
            "sale": args["sale_id"],
            "return_id": args["return_id"],
            "unpaid": args["unpaid"],
            "overdue": args["overdue"],
            "cause_lost": args["cause_lost"],
            "oldest_in_time": _oldest_in_time(today),
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    found = page(rows, args["limit"], "refund_id")
    return {**found, "items": _with_parts(tx, found["items"])}


def _oldest_in_time(today: date) -> date:
    """Goods that came back on this day or later may still be paid for in time."""
    return date.fromordinal(today.toordinal() - rules.days_to_pay(today))


def _with_parts(tx: Tx, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    today = business_date(tx.now)
    parts = tx.conn.execute(
        text(
            "select t.refund_id, t.tender, t.means, t.fen, p.reference, p.booked_on as paid_on, p.paid_by"
            " from refund_tenders t left join refund_payments p on p.refund_id = t.refund_id"
            " and p.tender = t.tender where t.refund_id = any(:ids) order by t.tender"
        ),
        {"ids": [row["refund_id"] for row in rows]},
    ).mappings()
    by_refund: dict[UUID, list[dict[str, Any]]] = {row["refund_id"]: [] for row in rows}
    for part in parts:
        by_refund[part["refund_id"]].append(dict(part))
    return [_view(row, by_refund[row["refund_id"]], today) for row in rows]


def _view(row: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], today: date) -> dict[str, Any]:
    due = rules.due_on(row["goods_back_on"] or row["settled_on"])
    ended = row["paid_on"] or today
    is_owed = row["state"] not in {rules.State.PAID, rules.State.WITHDRAWN}
    return {
        **row,
        "parts": parts,
        "unpaid_fen": sum(part["fen"] for part in parts if part["paid_on"] is None),
        "due_on": due,
        "days_left": (due - today).days if is_owed else None,
        "overdue": is_owed and today > due,
        "days_taken": max(0, (ended - (row["goods_back_on"] or row["settled_on"])).days),
    }


# --- against the books ------------------------------------------------------------------------------


def unpaid_fen(conn: Connection, as_of: date, branches: Sequence[str] | None) -> int:
    """Fen owed at the end of a day: what was verified less what was paid by then.

    What a refund comes to now is what it came to then and what was withdrawn and verified anew since.
    """
    total: int = conn.execute(
        text(
            f"select ((select coalesce(sum(r.total_fen), 0) from refunds r where r.booked_on <= :as_of and {_MINE})"
            " - (select coalesce(sum(b.net_fen + b.tax_fen), 0) from refund_lines b join refunds r using (refund_id)"
            f"   where b.booked_on > :as_of and r.booked_on <= :as_of and {_MINE})"
            " - (select coalesce(sum(p.fen), 0) from refund_payments p join refunds r using (refund_id)"
            f"   where p.booked_on <= :as_of and {_MINE}))::bigint"
        ),
        {"as_of": as_of, "branches": None if branches is None else list(branches)},
    ).scalar_one()
    return total


def _ledger_fen(conn: Connection, as_of: date, branches: Sequence[str] | None) -> int:
    return -balances.balance_on(conn, book_of(conn).chart.code("refunds_payable"), branches, as_of)


def liabilities(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What is owed now by state, how much of it is past its last day, and the proof against the account."""
    branches = tx.actor.branch_filter(args["branch_id"])
    today = business_date(tx.now)
    rows = tx.conn.execute(
        text(
            "select r.state, count(*) as refunds, coalesce(sum(o.fen), 0)::bigint as unpaid_fen,"
            " count(*) filter (where coalesce(g.received_on, r.settled_on) < :oldest_in_time) as overdue,"
            " coalesce(sum(o.fen) filter (where coalesce(g.received_on, r.settled_on) < :oldest_in_time), 0)::bigint"
            "  as overdue_fen, min(coalesce(g.received_on, r.settled_on)) as oldest_on"
            " from refunds r left join returned_goods g on g.return_id = r.return_id cross join lateral ("
            "  select sum(t.fen) as fen from refund_tenders t where t.refund_id = r.refund_id and not exists"
            "  (select from refund_payments p where p.refund_id = t.refund_id and p.tender = t.tender)) o"
            f" where {_OWED} and {_MINE} group by r.state order by r.state"
        ),
        {"branches": branches, "oldest_in_time": _oldest_in_time(today)},
    ).mappings()
    as_of = args["as_of"] or today
    ledger, unpaid = _ledger_fen(tx.conn, as_of, branches), unpaid_fen(tx.conn, as_of, branches)
    return {
        "branch_id": args["branch_id"],
        "states": [dict(row) for row in rows],
        "as_of": as_of,
        "account": book_of(tx.conn).chart.code("refunds_payable"),
        "ledger_fen": ledger,
        "unpaid_fen": unpaid,
        "agrees": ledger == unpaid,
    }


def require_agreement(conn: Connection, month: date) -> None:
    """What closing a month asks of refunds; unpaid ones may stand. Raises RefundsDiffer."""
    last = date.fromordinal(next_month(month).toordinal() - 1)
    ledger, unpaid = _ledger_fen(conn, last, None), unpaid_fen(conn, last, None)
    if ledger != unpaid:
        raise rules.RefundsDiffer(
            "unpaid refunds and refunds payable differ", ledger_fen=ledger, unpaid_fen=unpaid
        )
