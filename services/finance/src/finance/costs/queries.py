"""What can be read of costs. Every query names months and is limited to the branches of the token."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import balances, ledger, sold
from finance.book import book_of
from finance.costs.rules import CostRunMissing, GoodsReceiptNotFound, MarginSpanInvalid, rate_bp, variance_fen
from finance.expense_categories import NO_SPENDING
from finance.refunds import RETURNED_LINES
from shared.clock import business_date, month_of, next_month
from shared.languages import Text
from shared.money import half_up
from shared.paging import decode_cursor, page, page_of
from shared.transaction import Tx

MONTHS_MAX = 24


def goods_receipt(tx: Tx, receipt_id: UUID) -> dict[str, Any]:
    """One receipt with its lines. Raises GoodsReceiptNotFound."""
    key = {"id": receipt_id}
    row = (
        tx.conn.execute(text("select * from goods_receipts where goods_receipt_id = :id"), key)
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise GoodsReceiptNotFound("no such goods receipt")
    lines = tx.conn.execute(
        text("select * from goods_receipt_lines where goods_receipt_id = :id order by no"), key
    )
    return {
        **row,
        "lines": [{**each, "variance_fen": _line_variance(dict(each))} for each in lines.mappings()],
    }


def goods_receipts(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Goods receipts without their lines, by the day the goods came; keyset by day and id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        "select g.* from goods_receipts g",
        {
            "g.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "g.supplier_id = :supplier_id": args["supplier_id"],
            "g.invoice_no = :invoice_no": args["invoice_no"],
            "g.received_on >= :first": args["first"],
            "g.received_on <= :until": args["until"],
        },
        {"g.received_on": date, "g.goods_receipt_id": UUID},
        args,
    )


def _line_variance(line: Mapping[str, Any]) -> int | None:
    reference = line["reference_price_fen"]
    return None if reference is None else variance_fen(line["quantity"], line["unit_price_fen"], reference)


def stock(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Purchased lots of a branch: quantity, value, and the average of one unit rounded half up. Keyset by lot."""
    tx.actor.require_branch(args["branch_id"])
    after, after_lot = decode_cursor(args["cursor"], str, str)
    rows = tx.conn.execute(
        text(
            "select * from lot_stock where branch_id = :branch"
            " and (cast(:product as text) is null or product_id = :product)"
            " and (cast(:after as text) is null or (product_id, lot) > (:after, :after_lot))"
            " order by product_id, lot limit :limit"
        ),
        {
            "branch": args["branch_id"],
            "product": args["product_id"],
            "after": after,
            "after_lot": after_lot,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    items = [
        {
            **row,
            "unit_cost_fen": half_up(row["value_fen"], row["quantity"]) if row["quantity"] else None,
        }
        for row in rows
    ]
    return page(items, args["limit"], "product_id", "lot")


def reconciliation(tx: Tx, branch_id: str) -> dict[str, Any]:
    """Merchandise in the ledger beside the value of purchased stock (F1).

    The difference is what tills took for goods without purchase record, for sales no run has costed yet, and
    entries other parts of finance made to the account.
    """
    tx.actor.require_branch(branch_id)
    account = book_of(tx.conn).chart.code("inventory")
    until = next_month(month_of(business_date(tx.now)))
    booked = balances.balance(tx.conn, account, [branch_id], until=until)
    value = tx.conn.execute(
        text("select coalesce(sum(value_fen), 0)::bigint from lot_stock where branch_id = :branch"),
        {"branch": branch_id},
    ).scalar_one()
    costed = tx.conn.execute(
        text("select max(until_day) from cost_runs where branch_id = :branch"), {"branch": branch_id}
    ).scalar_one()
    return {
        "branch_id": branch_id,
        "account": account,
        "ledger_fen": booked,
        "stock_fen": value,
        "difference_fen": booked - value,
        "costed_until": costed,
    }


def cost_run(tx: Tx, run_id: UUID) -> dict[str, Any]:
    row = tx.conn.execute(
        text("select *, to_char(month, 'YYYY-MM') as month_text from cost_runs where run_id = :id"),
        {"id": run_id},
    )
    found = dict(row.mappings().one())
    return {**found, "month": found["month_text"]}


def cost_runs(tx: Tx, month: date, branch_id: str | None) -> list[dict[str, Any]]:
    rows = tx.conn.execute(
        text(
            "select *, to_char(month, 'YYYY-MM') as month_text from cost_runs where month = :month"
            " and (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " order by branch_id, no limit 5000"
        ),
        {"month": month, "branches": tx.actor.branch_filter(branch_id)},
    ).mappings()
    return [{**row, "month": row["month_text"]} for row in rows]


_VARIANCE = """
select {key} as key, count(*) as lines, sum(quantity)::bigint as quantity, sum(net_fen)::bigint as actual_fen,
    coalesce(sum(net_fen) filter (where reference_price_fen is not null), 0)::bigint as compared_fen,
    coalesce(sum(quantity * reference_price_fen), 0)::bigint as reference_fen
from goods_receipt_lines where booked_on >= :first and booked_on < :until
    and (cast(:branches as text[]) is null or branch_id = any(:branches))
    and (cast(:after as text) is null or {key} > :after)
group by {key} order by {key} limit :limit
"""
VARIANCE_KEYS = {"product": "product_id", "supplier": "supplier_id", "branch": "branch_id"}


def variance(tx: Tx, month: date, args: Mapping[str, Any]) -> dict[str, Any]:
    """Purchase price variance of a month (M26): Σ (actual − reference) × quantity over Σ reference × quantity.

    Lines without a reference, of products bought for the first time, are told in `actual` and left out of both.
    """
    (after,) = decode_cursor(args["cursor"], str)
    rows = tx.conn.execute(
        text(_VARIANCE.format(key=VARIANCE_KEYS[args["by"]])),
        {
            "first": month,
            "until": next_month(month),
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    items = [
        {
            **row,
            "variance_fen": row["compared_fen"] - row["reference_fen"],
            "variance_bp": rate_bp(row["compared_fen"] - row["reference_fen"], row["reference_fen"]),
        }
        for row in rows
    ]
    return page(items, args["limit"], "key")


# key and second key of a sale line `l` of a sale `s`, and of a stock move `m` of a run
MARGIN_KEYS: Mapping[str, tuple[str, str, str, str]] = {
    "product": ("l.product_id", "''", "m.product_id", "''"),
    "lot": ("l.product_id", "l.lot_key", "m.product_id", "m.lot"),
    "branch": ("l.branch_id", "''", "m.branch_id", "''"),
    "channel": ("s.channel", "''", "'adjustment'", "''"),
    "month": (
        "to_char({day}, 'YYYY-MM')",
        "''",
        "to_char(m.day, 'YYYY-MM')",
        "''",
    ),
}
_MARGIN = """
select key, second, sum(quantity)::bigint as quantity, sum(net)::bigint as net_fen, sum(cost)::bigint as cost_fen,
    sum(returned)::bigint as returned_fen, sum(adjustment)::bigint as adjustment_fen
from (
    select {sold} as key, {sold2} as second, l.quantity, l.net_fen as net, l.cost_fen as cost, 0::bigint as returned,
        0::bigint as adjustment
    from {lines} l {sale_of_line}
    where l.booked_on >= :first and l.booked_on < :until
        and (cast(:branches as text[]) is null or l.branch_id = any(:branches))
    union all
    select {back}, {sold2}, -b.quantity, -b.net_fen, case when b.disposition = 'restock' then -b.cost_fen else 0 end,
        b.net_fen, 0
    from {returned} b join {lines_by_sale} l on l.sale_id = b.sale_id and l.line_id = b.sale_line_id
    {sale_of_line}
    where b.booked_on >= :first and b.booked_on < :until
        and (cast(:branches as text[]) is null or b.branch_id = any(:branches))
    union all
    select {moved}, {moved2}, 0, 0, m.adjustment_fen, 0, m.adjustment_fen from stock_moves m
    where m.kind = 'cost_run' and m.day >= :first and m.day < :until
        and (cast(:branches as text[]) is null or m.branch_id = any(:branches))
) parts where cast(:after as text) is null or (key, second) > (:after, :after_second)
group by key, second order by key, second limit :limit
"""


def margins(tx: Tx, first: date, last: date, args: Mapping[str, Any]) -> dict[str, Any]:
    """Gross margin (M25) of the months from `first` to `last`, by product, lot, branch, channel or month.

    Net and cost are less what came back; goods that came back and were not restocked stay in cost. Cost holds what
    cost runs adjusted; a lot knows no channel, so by channel that is a row of its own, `adjustment`.
    Raises MarginSpanInvalid, ForeignBranch.
    """
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 1 <= months <= MONTHS_MAX:
        raise MarginSpanInvalid(
            Text("1 to {months_max} months", months_max=MONTHS_MAX),
            errors=[{"path": "until_month", "message": "before `from_month`, or too far"}],
        )
    key, key2, moved, moved2 = MARGIN_KEYS[args["by"]]
    statement = _MARGIN.format(
        sold=key.format(day="l.booked_on"),
        back=key.format(day="b.booked_on"),
        sold2=key2,
        sale_of_line=(
            f"join {sold.SALES} s on s.sale_id = l.sale_id and s.booked_on = l.booked_on"
            if args["by"] == "channel"
            else ""
        ),
        moved=moved,
        lines=sold.LINES,
        lines_by_sale=sold.LINES_BY_SALE,
        returned=RETURNED_LINES,
        moved2=moved2,
    )
    after, second = decode_cursor(args["cursor"], str, str)
    rows = tx.conn.execute(
        text(statement),
        {
            "first": first,
            "until": next_month(last),
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "after": after,
            "after_second": second,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    items = [
        {
            **row,
            "lot": row["second"] or None,
            "margin_fen": row["net_fen"] - row["cost_fen"],
            "margin_bp": rate_bp(row["net_fen"] - row["cost_fen"], row["net_fen"]),
        }
        for row in rows
    ]
    return {"by": args["by"], **page(items, args["limit"], "key", "second")}


EXPENSE_LINES = frozenset({"selling_expenses", "administrative_expenses", "financial_expenses"})


def branch_expenses(tx: Tx, month: date, branch_id: str | None) -> list[dict[str, Any]]:
    """What each branch spent in a month, by account of selling, administrative and financial expenses (F5).

    Openings and the year's transfer spend nothing.
    """
    chart = book_of(tx.conn).chart
    accounts = {each.code: each for each in chart.accounts if each.statement_line in EXPENSE_LINES}
    rows = tx.conn.execute(
        text(
            f"select l.branch_id, l.account, sum(l.fen)::bigint as fen from {ledger.LINES} l"
            " where l.booked_on >= :first and l.booked_on < :until and l.account = any(:accounts)"
            " and (cast(:branches as text[]) is null or l.branch_id = any(:branches)) and l.kind <> all(:unspent)"
            " group by l.branch_id, l.account order by l.branch_id, l.account limit 10000"
        ),
        {
            "first": month,
            "until": next_month(month),
            "accounts": sorted(accounts),
            "unspent": sorted(NO_SPENDING),
            "branches": tx.actor.branch_filter(branch_id),
        },
    )
    return [
        {
            "branch_id": row.branch_id,
            "account": row.account,
            "zh": accounts[row.account].zh,
            "en": accounts[row.account].en,
            "fen": row.fen,
        }
        for row in rows
    ]


def alerts(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Sale lines below cost; by default those nobody has acknowledged."""
    return page_of(
        tx.conn,
        "select * from below_cost_alerts",
        {
            "branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "acknowledged_by is null": args["open"] or None,
        },
        {"line_id": UUID},
        args,
    )


def next_uncosted(conn: Connection, month: date) -> str | None:
    """A branch that purchased up to the month, which no run of this or a later month has covered."""
    branch: str | None = conn.execute(
        text(
            "select s.branch_id from stock_moves s where s.day < :until and not exists"
            " (select from cost_runs r where r.branch_id = s.branch_id and r.month >= :month)"
            " order by s.branch_id limit 1"
        ),
        {"month": month, "until": next_month(month)},
    ).scalar_one_or_none()
    return branch


def require_costed(conn: Connection, month: date) -> None:
    """Before a month closes: each branch that purchased has its cost at the average. Raises CostRunMissing."""
    branch = next_uncosted(conn, month)
    if branch is not None:
        raise CostRunMissing(Text("cost the month of branch {branch} first", branch=branch), branch_id=branch)
