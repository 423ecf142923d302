"""Sales as they are read. Every query is limited to the branches of the token."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import points, receipts, stop_sales
from finance.kernel.sale import SaleNotFound
from finance.receipts import Known
from finance.sold.tables import sale_lines as lines_table
from shared.lots import canonical
from shared.money import money
from shared.paging import decode_cursor, page, page_of
from shared.transaction import Tx

_SHOWN = [column.name for column in lines_table.columns if column.name != "lot_key"]
"""Every column of a line but the canonical spelling of its lot, by which it is found."""
_LINE_COLUMNS = ", ".join(_SHOWN)


def posted_sale(tx: Tx, known: Known) -> dict[str, Any]:
    """The answer to a receipt that was posted before: what its first sending answered."""
    key = {"sale_id": known.sale_id, "booked_on": known.booked_on}
    sale = tx.conn.execute(
        text(
            "select receipt_number, branch_id, business_date, net_fen, tax_fen, total_fen from sales"
            " where sale_id = :sale_id and booked_on = :booked_on"
        ),
        key,
    ).one()
    lines = tx.conn.execute(
        text(
            "select line_id, net_fen, tax_fen from sale_lines where sale_id = :sale_id"
            " and booked_on = :booked_on order by no"
        ),
        key,
    )
    return {
        "sale_id": known.sale_id,
        "receipt_number": sale.receipt_number,
        "branch_id": sale.branch_id,
        "business_date": sale.business_date,
        "booked_on": known.booked_on,
        "lines": [
            {"line_id": row.line_id, "net": money(row.net_fen), "tax": money(row.tax_fen)} for row in lines
        ],
        "net": money(sale.net_fen),
        "tax": money(sale.tax_fen),
        "total": money(sale.total_fen),
    }


_SALES = """
select s.sale_id, s.receipt_number, s.branch_id, s.customer_id, s.channel, s.business_date, s.booked_on, s.sold_at,
    s.net_fen, s.tax_fen, s.total_fen, s.posted_by, s.posted_at, s.cashier_id, s.shift_id,
    (select coalesce(jsonb_agg(jsonb_build_object('tender', t.tender, 'fen', t.fen,
        'channel_transaction_id', t.channel_transaction_id) order by t.tender, t.no), '[]')
     from tenders t where t.sale_id = s.sale_id and t.booked_on = s.booked_on) as tenders
from sales s
"""


def sales(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Receipts of one branch by business day, then in the order in which they arrived; keyset by day and id.

    Raises ForeignBranch.
    """
    tx.actor.require_branch(args["branch_id"])
    known = _booked_on(tx, args["branch_id"], args["receipt_number"])
    return page_of(
        tx.conn,
        _SALES,
        {
            **_of_days(args),
            "s.receipt_number = :receipt_number": args["receipt_number"],
            "s.booked_on = :booked_on": known,
            "s.customer_id = :customer_id": args["customer_id"],
            "s.channel = :channel": args["channel"],
            _PAID_WITH: args["tender"],
        },
        {"s.business_date": date, "s.sale_id": UUID},
        args,
    )


_PAID_WITH = "exists (select from tenders t where t.sale_id = s.sale_id and t.booked_on = s.booked_on and t.tender = :tender)"


def _of_days(args: Mapping[str, Any]) -> dict[str, Any]:
    """A sale is booked on its day or later: partitions of months before the first day hold none."""
    return {
        "s.branch_id = :branch_id": args["branch_id"],
        "s.business_date >= :first": args["first"],
        "s.booked_on >= :first": args["first"],
        "s.business_date <= :until": args["until"],
        "s.posted_by = :posted_by": args["posted_by"],
    }


def _booked_on(tx: Tx, branch_id: str, number: str | None) -> date | None:
    """The one partition a receipt number leads to; the beginning of time, where nothing is, for an unknown one."""
    if number is None:
        return None
    known: date | None = tx.conn.execute(
        text(
            f"select booked_on from {receipts.RECEIPTS} r where branch_id = :branch and receipt_number = :number"
        ),
        {"branch": branch_id, "number": number},
    ).scalar_one_or_none()
    return known or date.min


_TOTALS = """
select * from (
    select s.business_date, s.posted_by, coalesce(t.tender, 'none') as tender, count(distinct s.sale_id) as receipts,
        coalesce(sum(t.fen), 0)::bigint as fen
    from sales s left join tenders t on t.sale_id = s.sale_id and t.booked_on = s.booked_on
    where s.branch_id = :branch and s.business_date between :first and :until and s.booked_on >= :first
    group by s.business_date, s.posted_by, coalesce(t.tender, 'none')
) totals
"""


def sales_totals(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What each till took of each tender on each business day of a branch: the figures a till is balanced by.

    A receipt of two tenders counts once under each, however many payments each has; one that nothing was paid for is under `none`.
    Raises ForeignBranch.
    """
    tx.actor.require_branch(args["branch_id"])
    days = {"branch": args["branch_id"], "first": args["first"], "until": args["until"]}
    return page_of(
        tx.conn,
        _TOTALS,
        {"totals.posted_by = :posted_by": args["posted_by"], "totals.tender = :tender": args["tender"]},
        {"totals.business_date": date, "totals.posted_by": str, "totals.tender": str},
        args,
        fixed=days,
    )


def sale(tx: Tx, sale_id: UUID) -> dict[str, Any]:
    """Raises SaleNotFound, also for a branch the token does not cover."""
    row = tx.conn.execute(
        text(f"select branch_id, booked_on from {receipts.RECEIPTS} r where sale_id = :sale_id"),
        {"sale_id": sale_id},
    ).one_or_none()
    if row is None or not tx.actor.may_see(row.branch_id):
        raise SaleNotFound("no such sale")
    return _sale(tx, sale_id, row.booked_on)


def _sale(tx: Tx, sale_id: UUID, booked_on: Any) -> dict[str, Any]:
    key = {"sale_id": sale_id, "booked_on": booked_on}
    where = "where sale_id = :sale_id and booked_on = :booked_on"
    head = tx.conn.execute(text(f"select * from sales {where}"), key).mappings().one()
    lines = tx.conn.execute(text(f"select {_LINE_COLUMNS} from sale_lines {where} order by no"), key)
    used = points.redemption_of(tx.conn, sale_id)
    tenders = tx.conn.execute(
        text(
            "select tender, fen, case when tender = 'points' then cast(:used as uuid) end as redemption_id,"
            f" channel_transaction_id from tenders {where} order by tender, no"
        ),
        {**key, "used": used},
    )
    return {
        **head,
        "lines": [dict(row) for row in lines.mappings()],
        "tenders": [dict(row) for row in tenders.mappings()],
    }


_OF_LINE = ", ".join(f"l.{name}" for name in _SHOWN)
_LINES = f"select {_OF_LINE} from sale_lines l where true"
_LINES_OF_CUSTOMER = (
    f"select {_OF_LINE} from sales s"
    " join sale_lines l on l.sale_id = s.sale_id and l.booked_on = s.booked_on where s.customer_id = :customer"
    " and s.booked_on >= :first and s.business_date between :first and :last"
    " and (cast(:sale as text) is null or s.sale_id >= cast(:sale as uuid))"
)


def sale_lines(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Lines of one customer, or of one product or lot, limited to the token's branches; keyset by sale and line.

    The days are business dates with a customer, else days of booking: each has its index or its partitions.
    """
    sale, no = decode_cursor(args["cursor"], UUID, int)
    found = _LINES if args["customer_id"] is None else _LINES_OF_CUSTOMER
    if args["customer_id"] is None and (args["first"] or args["last"]):
        found += " and l.booked_on between :first and :last"
    for name, column in (("product_id", "product_id"), ("lot", "lot_key")):
        if args[name] is not None:
            found += f" and l.{column} = :{name}"
    if args["trace_code"] is not None:
        found += " and l.trace_codes is not null and l.trace_codes @> array[:trace_code]"
    rows = tx.conn.execute(
        text(
            f"{found} and (cast(:branches as text[]) is null or l.branch_id = any(:branches))"
            " and (cast(:sale as text) is null or (l.sale_id, l.no) > (cast(:sale as uuid), :no))"
            " order by l.sale_id, l.no limit :limit"
        ),
        {
            "customer": args["customer_id"],
            "product_id": args["product_id"],
            "lot": args["lot"] and canonical(args["lot"]),
            "trace_code": args["trace_code"],
            "first": args["first"] or date.min,
            "last": args["last"] or date.max,
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "sale": sale,
            "no": no,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "sale_id", "no")


def sales_of_stopped_lots(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What was sold of lots that are off sale now, by which branch; `is_after_stop` where it arrived after the order."""
    sale, no = decode_cursor(args["cursor"], UUID, int)
    rows = tx.conn.execute(
        text(
            "select l.sale_id, l.no, s.receipt_number, l.branch_id, l.product_id, l.lot, l.quantity, s.sold_at,"
            " s.posted_at, x.since as stopped_at, s.posted_at > x.since as is_after_stop"
            f" from {stop_sales.STOPPED} x"
            " join sale_lines l on l.product_id = x.product_id and l.lot_key = x.lot"
            " join sales s on s.sale_id = l.sale_id and s.booked_on = l.booked_on"
            " where (cast(:product as text) is null or x.product_id = :product)"
            " and (cast(:lot as text) is null or x.lot = :lot)"
            " and (cast(:branches as text[]) is null or l.branch_id = any(:branches))"
            " and (not :late or s.posted_at > x.since)"
            " and (cast(:sale as text) is null or (l.sale_id, l.no) > (cast(:sale as uuid), :no))"
            " order by l.sale_id, l.no limit :limit"
        ),
        {
            "product": args["product_id"],
            "lot": args["lot"] and canonical(args["lot"]),
            "branches": tx.actor.branch_filter(),
            "late": args["is_after_stop"],
            "sale": sale,
            "no": no,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "sale_id", "no")
