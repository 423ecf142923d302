"""What was invoiced, what is still to be, and whether output VAT of the books and of the invoices agree.

Source: F15, F16, F24, INV-5
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import ledger, refunds, samples, sold, trade_permissions
from finance.book import book_of
from finance.invoices import rules
from finance.kernel.words import in_words
from shared.clock import month_of, next_month
from shared.paging import decode_cursor, page
from shared.transaction import Tx

_MINE = "(cast(:branches as text[]) is null or {0}.branch_id = any(:branches))"
LINES_MAX = 5_000
"""Of one printed list; a receipt has at most 200 lines."""


def invoice(tx: Tx, invoice_id: UUID) -> dict[str, Any]:
    """Raises InvoiceUnknown, also for a branch the token does not cover."""
    row = tx.conn.execute(text("select * from invoices where invoice_id = :id"), {"id": invoice_id})
    found = row.mappings().one_or_none()
    if found is None or not tx.actor.may_see(found["branch_id"]):
        raise rules.InvoiceUnknown("no such invoice")
    [shown] = _with_amounts(tx, [dict(found)])
    reds = tx.conn.execute(
        text("select invoice_id, number, total_fen from invoices where reverses = :id order by invoice_id"),
        {"id": invoice_id},
    ).mappings()
    return {**shown, "words": in_words(found["total_fen"]), "reds": [dict(each) for each in reds]}


def invoices(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Invoices by number, sale, customer or month; keyset by id."""
    (after,) = decode_cursor(args["cursor"], UUID)
    month = args["month"]
    rows = tx.conn.execute(
        text(
            f"select i.* from invoices i where {_MINE.format('i')}"
            " and (cast(:number as text) is null or i.number = :number)"
            " and (cast(:customer as uuid) is null or i.customer_id = :customer)"
            " and (cast(:sale as uuid) is null or i.invoice_id in"
            "  (select invoice_id from invoice_amounts where sale_id = :sale))"
            " and (cast(:first as date) is null or (i.issued_on >= :first and i.issued_on < :until))"
            " and (cast(:after as text) is null or i.invoice_id > cast(:after as uuid))"
            " order by i.invoice_id limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "number": args["number"],
            "customer": args["customer_id"],
            "sale": args["sale_id"],
            "first": month,
            "until": None if month is None else next_month(month),
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    found = page(rows, args["limit"], "invoice_id")
    return {**found, "items": _with_amounts(tx, found["items"])}


def _with_amounts(tx: Tx, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    amounts = tx.conn.execute(
        text(
            "select invoice_id, sale_id, tax_bp, net_fen, tax_fen from invoice_amounts"
            " where invoice_id = any(:ids) order by sale_id, tax_bp"
        ),
        {"ids": [row["invoice_id"] for row in rows]},
    ).mappings()
    by_invoice: dict[UUID, list[dict[str, Any]]] = {row["invoice_id"]: [] for row in rows}
    for each in amounts:
        by_invoice[each["invoice_id"]].append(dict(each))
    return [{**row, "amounts": by_invoice[row["invoice_id"]]} for row in rows]


_UNINVOICED = f"""
select s.sale_id, s.receipt_number, s.branch_id, s.customer_id, s.business_date, s.total_fen,
    x.returned_fen, x.invoiced_fen, s.total_fen - x.returned_fen - x.invoiced_fen as left_fen
from {sold.SALES} s left join {trade_permissions.KINDS} p on p.customer_id = s.customer_id and p.kind <> 'patient'
cross join lateral (
    select coalesce((select sum(f.total_fen) from {refunds.REFUNDED} f where f.sale_id = s.sale_id), 0)::bigint as returned_fen,
        coalesce((select sum((a.net_fen + a.tax_fen) * case i.colour when 'blue' then 1 else -1 end)
            from invoice_amounts a join invoices i using (invoice_id) where a.sale_id = s.sale_id), 0)::bigint
            as invoiced_fen
) x
where s.booked_on >= :first and s.booked_on < :until and {_MINE.format("s")}
    and (cast(:customer as uuid) is null or s.customer_id = :customer)
    and (cast(:after as text) is null or s.sale_id > cast(:after as uuid))
    and (p.customer_id is not null or s.sale_id in (select sale_id from invoice_amounts))
    and case when p.customer_id is null then s.total_fen - x.returned_fen < x.invoiced_fen
        else s.total_fen - x.returned_fen <> x.invoiced_fen end
order by s.sale_id limit :limit
"""


def uninvoiced(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Sales of institutions booked in a month that are not invoiced for what they kept; keyset by sale.

    `left` is below 0 where goods came back after they were invoiced: a red invoice is due, whoever bought them.
    """
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(_UNINVOICED),
        {
            "first": args["month"],
            "until": next_month(args["month"]),
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "customer": args["customer_id"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "sale_id")


_VAT = f"""
select tax_bp, sum(sold_net)::bigint as sold_net_fen, sum(sold_tax)::bigint as sold_tax_fen,
    sum(back_net)::bigint as returned_net_fen, sum(back_tax)::bigint as returned_tax_fen,
    sum(given_net)::bigint as given_net_fen, sum(given_tax)::bigint as given_tax_fen,
    sum(invoiced_net)::bigint as invoiced_net_fen, sum(invoiced_tax)::bigint as invoiced_tax_fen
from (
    select l.tax_bp, l.net_fen as sold_net, l.tax_fen as sold_tax, 0 as back_net, 0 as back_tax,
        0 as given_net, 0 as given_tax, 0 as invoiced_net, 0 as invoiced_tax
    from {sold.LINES} l where l.booked_on >= :first and l.booked_on < :until and {_MINE.format("l")}
    union all
    select l.tax_bp, 0, 0, b.net_fen, b.tax_fen, 0, 0, 0, 0
    from {refunds.RETURNED_LINES} b
    join {sold.LINES_BY_SALE} l on l.sale_id = b.sale_id and l.line_id = b.sale_line_id
    where b.booked_on >= :first and b.booked_on < :until and {_MINE.format("b")}
    union all
    select d.tax_bp, 0, 0, 0, 0, d.vat_base_fen, d.vat_fen, 0, 0
    from {samples.GIVEN_OUT} d where d.vat_fen is not null and d.booked_on >= :first and d.booked_on < :until
        and {_MINE.format("d")}
    union all
    select a.tax_bp, 0, 0, 0, 0, 0, 0, a.net_fen * x.sign, a.tax_fen * x.sign
    from invoices i join invoice_amounts a using (invoice_id)
    cross join lateral (select case i.colour when 'blue' then 1 else -1 end as sign) x
    where i.issued_on >= :first and i.issued_on < :until and {_MINE.format("i")}
) parts group by tax_bp order by tax_bp
"""
_OUTPUT_VAT = f"""
select l.kind, -sum(l.fen)::bigint as tax_fen
from {ledger.LINES} l
where l.booked_on >= :first and l.booked_on < :until and l.account = :account and {_MINE.format("l")}
group by l.kind order by l.kind
"""
SALES_KINDS = frozenset({"sale", "refund_due", "refund_withdrawn", "sample_issue"})


def vat(tx: Tx, month: date, branch_id: str | None) -> dict[str, Any]:
    """Output VAT of a month: sold less returned and given away per rate, what was invoiced, and what the books say."""
    values = {
        "first": month_of(month),
        "until": next_month(month),
        "branches": tx.actor.branch_filter(branch_id),
        "account": book_of(tx.conn).chart.code("output_vat"),
    }
    rates = [dict(row) for row in tx.conn.execute(text(_VAT), values).mappings()]
    ledger = [dict(row) for row in tx.conn.execute(text(_OUTPUT_VAT), values).mappings()]
    of_sales = sum(row["sold_tax_fen"] - row["returned_tax_fen"] for row in rates)
    given = sum(row["given_tax_fen"] for row in rates)
    booked = sum(row["tax_fen"] for row in ledger if row["kind"] in SALES_KINDS)
    return {
        "month": f"{month:%Y-%m}",
        "branch_id": branch_id,
        "rates": [
            {
                **row,
                "not_invoiced_tax_fen": row["sold_tax_fen"]
                + row["given_tax_fen"]
                - row["returned_tax_fen"]
                - row["invoiced_tax_fen"],
            }
            for row in rates
        ],
        "ledger": ledger,
        "ledger_tax_fen": sum(row["tax_fen"] for row in ledger),
        "sales_tax_fen": of_sales,
        "given_tax_fen": given,
        "invoiced_tax_fen": sum(row["invoiced_tax_fen"] for row in rates),
        "agrees": booked == of_sales + given,
    }


def goods(tx: Tx, shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goods an invoice names: the lines of its sales, or for a return those that had come back when it was issued."""
    if shown["refund_id"] is not None:
        rows = tx.conn.execute(
            text(
                "select l.generic_name, l.specification, b.lot, b.quantity, b.net_fen, l.tax_bp, b.tax_fen"
                f" from {refunds.RETURNED_LINES} b"
                f" join {sold.LINES_BY_SALE} l on l.sale_id = b.sale_id and l.line_id = b.sale_line_id"
                f" where b.refund_id = :id and {refunds.STANDING} order by b.no limit :limit"
            ),
            {"id": shown["refund_id"], "at": shown["issued_at"], "limit": LINES_MAX},
        )
    else:
        rows = tx.conn.execute(
            text(
                "select l.generic_name, l.specification, l.lot, l.quantity, l.net_fen, l.tax_bp, l.tax_fen"
                f" from {sold.LINES_BY_SALE} l where l.sale_id = any(:ids) order by l.sale_id, l.no limit :limit"
            ),
            {"ids": [each["sale_id"] for each in shown["amounts"]], "limit": LINES_MAX},
        )
    return [dict(row) for row in rows.mappings()]
