"""Record the invoices that the tax office's system issued: blue ones of sales, red ones that take them back.

Sales are locked in the order of their ids, as refunds lock them, so a sale is never invoiced twice.
Source: F15, F22
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from finance import refunds, sold, trade_permissions
from finance.invoices import rules
from finance.invoices.events import invoice_issued
from finance.invoices.rules import NOTHING, Fen, Position, Rates
from finance.invoices.tables import invoice_amounts
from finance.sold import Sold
from shared import audit, outbox
from shared.clock import business_date, month_of, new_id
from shared.languages import Text
from shared.transaction import Tx


def issue(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """Record a blue invoice of one sale, or of several of one customer in one branch and month.

    Raises ForeignBranch, InvoiceSaleUnknown, InvoiceSalesMixed, InvoiceSpecialUnfit, InvoiceDayUnfit,
    InvoiceNumberUnfit, InvoiceNumberUsed, InvoiceExceedsSale, InvoiceAmountsDiffer.
    """
    wanted: dict[UUID, Rates | None] = {each["sale_id"]: _rates(each["rates"]) for each in body["sales"]}
    sales = _lock_sales(tx, sorted(wanted))
    branch_id, customer_id = _of_one_buyer(sales)
    if body["kind"] == "special" and not _is_institution(tx, customer_id):
        raise rules.InvoiceSpecialUnfit("a special invoice is issued to an institution")
    _require_day(tx, body["issued_on"], max(sale.business_date for sale in sales))
    covered = rules.blue(_positions(tx, sales), wanted)
    rates = rules.summed(covered.values())
    rules.require_stated(rates, _rates(body["rates"]) or {})
    return _keep(
        tx,
        {
            "number": body["number"],
            "kind": body["kind"],
            "colour": "blue",
            "branch_id": branch_id,
            "customer_id": customer_id,
            "issued_on": body["issued_on"],
        },
        covered,
        rates,
    )


def issue_red(tx: Tx, invoice_id: UUID, body: Mapping[str, Any]) -> UUID:
    """Record the red invoice that takes back a blue one: for goods that came back, or all of it for an error.

    Raises InvoiceUnknown, InvoiceNotBlue, InvoiceRefundUnknown, InvoiceDayUnfit, InvoiceNumberUnfit,
    InvoiceNumberUsed, InvoiceRedExceeds, InvoiceAmountsDiffer.
    """
    row = tx.conn.execute(text("select * from invoices where invoice_id = :id"), {"id": invoice_id})
    blue = row.mappings().one_or_none()
    if blue is None or not tx.actor.may_see(blue["branch_id"]):
        raise rules.InvoiceUnknown("no such invoice")
    if blue["colour"] != "blue":
        raise rules.InvoiceNotBlue("only a blue invoice is taken back")
    _require_day(tx, body["issued_on"], blue["issued_on"])
    said = _amounts(tx, invoice_id)
    sales = _lock_sales(tx, sorted(said))
    left = _left_of_blue(tx, invoice_id, said)
    stated = _rates(body["rates"]) or {}
    if body["refund_id"] is None:
        covered = {sale: rates for sale, rates in left.items() if rates}
        if not covered:
            raise rules.InvoiceRedExceeds("all of this invoice was taken back", most=[])
        rules.require_stated(rules.summed(covered.values()), stated)
    else:
        sale_id = _sale_of_refund(tx, body["refund_id"], said)
        came_back = rules.summed(
            [
                _returned(tx, [sale_id], body["refund_id"]).get(sale_id, {}),
                _negative(_red_of_refund(tx, body["refund_id"])),
            ]
        )
        position = _positions(tx, sales)[sale_id]
        wanted = {bp: fen for bp, fen in stated.items() if fen != NOTHING}
        rules.require_red(wanted, [came_back, position.too_much(), left[sale_id]])
        covered = {sale_id: wanted}
    return _keep(
        tx,
        {
            "number": body["number"],
            "kind": blue["kind"],
            "colour": "red",
            "reverses": invoice_id,
            "reason": "error" if body["refund_id"] is None else "return",
            "refund_id": body["refund_id"],
            "branch_id": blue["branch_id"],
            "customer_id": blue["customer_id"],
            "issued_on": body["issued_on"],
        },
        covered,
        rules.summed(covered.values()),
    )


# --- what is known ----------------------------------------------------------------------------------


def _rates(rows: Sequence[Mapping[str, Any]] | None) -> dict[int, Fen] | None:
    if rows is None:
        return None
    return rules.summed({row["tax_bp"]: Fen(row["net_fen"], row["tax_fen"])} for row in rows)


def _require_day(tx: Tx, issued_on: date, first: date) -> None:
    if not first <= issued_on <= business_date(tx.now):
        raise rules.InvoiceDayUnfit(
            Text("an invoice of this is issued from {first} until today", first=first)
        )


def _lock_sales(tx: Tx, sale_ids: Sequence[UUID]) -> list[Sold]:
    """Raises InvoiceSaleUnknown, also for a branch the token does not cover."""
    found = sold.lock(tx.conn, sale_ids)
    if len(found) < len(sale_ids) or any(not tx.actor.may_see(each.branch_id) for each in found):
        raise rules.InvoiceSaleUnknown("a sale of the invoice is not there")
    return found


def _of_one_buyer(sales: Sequence[Sold]) -> tuple[str, UUID | None]:
    buyers = {(sale.branch_id, sale.customer_id, month_of(sale.business_date)) for sale in sales}
    [(branch_id, customer_id, _), *others] = buyers
    if others or (customer_id is None and len(sales) > 1):
        raise rules.InvoiceSalesMixed("several sales on one invoice are of one customer, branch and month")
    return branch_id, customer_id


def _is_institution(tx: Tx, customer_id: UUID | None) -> bool:
    kind = tx.conn.execute(
        text(f"select p.kind from {trade_permissions.KINDS} p where p.customer_id = :id"), {"id": customer_id}
    ).scalar_one_or_none()
    return kind is not None and kind != "patient"


def _positions(tx: Tx, sales: Sequence[Sold]) -> dict[UUID, Position]:
    ids = [sale.sale_id for sale in sales]
    of_sales = _by_sale(
        tx,
        f"select l.sale_id, l.tax_bp, sum(l.net_fen)::bigint, sum(l.tax_fen)::bigint from {sold.LINES} l"
        " where l.sale_id = any(:ids) and l.booked_on = any(:days) group by 1, 2",
        {"ids": ids, "days": sorted({sale.booked_on for sale in sales})},
    )
    returned = _returned(tx, ids)
    of_colour = (
        "select a.sale_id, a.tax_bp, sum(a.net_fen)::bigint, sum(a.tax_fen)::bigint from invoice_amounts a"
        " join invoices i using (invoice_id) where a.sale_id = any(:ids) and i.colour = :colour group by 1, 2"
    )
    blue = _by_sale(tx, of_colour, {"ids": ids, "colour": "blue"})
    red = _by_sale(tx, of_colour, {"ids": ids, "colour": "red"})
    return {
        sale: Position(
            sold=of_sales.get(sale, {}),
            returned=returned.get(sale, {}),
            blue=blue.get(sale, {}),
            red=red.get(sale, {}),
        )
        for sale in ids
    }


def _returned(tx: Tx, sale_ids: Sequence[UUID], refund_id: UUID | None = None) -> dict[UUID, dict[int, Fen]]:
    """What came back of sales, of one refund or of all."""
    return _by_sale(
        tx,
        "select b.sale_id, l.tax_bp, sum(b.net_fen)::bigint, sum(b.tax_fen)::bigint"
        f" from {refunds.RETURNED_LINES} b"
        f" join {sold.LINES_BY_SALE} l on l.sale_id = b.sale_id and l.line_id = b.sale_line_id"
        " where b.sale_id = any(:ids) and (cast(:refund as uuid) is null or b.refund_id = :refund) group by 1, 2",
        {"ids": list(sale_ids), "refund": refund_id},
    )


def _by_sale(tx: Tx, sql: str, values: Mapping[str, Any]) -> dict[UUID, dict[int, Fen]]:
    found: dict[UUID, dict[int, Fen]] = {}
    for sale_id, tax_bp, net, tax in tx.conn.execute(text(sql), values):
        found.setdefault(sale_id, {})[tax_bp] = Fen(net, tax)
    return found


def _amounts(tx: Tx, invoice_id: UUID) -> dict[UUID, dict[int, Fen]]:
    return _by_sale(
        tx,
        "select sale_id, tax_bp, net_fen, tax_fen from invoice_amounts where invoice_id = :id",
        {"id": invoice_id},
    )


def _left_of_blue(
    tx: Tx, invoice_id: UUID, said: Mapping[UUID, dict[int, Fen]]
) -> dict[UUID, dict[int, Fen]]:
    taken = _by_sale(
        tx,
        "select a.sale_id, a.tax_bp, sum(a.net_fen)::bigint, sum(a.tax_fen)::bigint from invoice_amounts a"
        " join invoices i using (invoice_id) where i.reverses = :id group by 1, 2",
        {"id": invoice_id},
    )
    return {sale: rules.summed([rates, _negative(taken.get(sale, {}))]) for sale, rates in said.items()}


def _red_of_refund(tx: Tx, refund_id: UUID) -> dict[int, Fen]:
    rows = tx.conn.execute(
        text(
            "select a.tax_bp, sum(a.net_fen)::bigint, sum(a.tax_fen)::bigint from invoice_amounts a"
            " join invoices i using (invoice_id) where i.refund_id = :id group by 1"
        ),
        {"id": refund_id},
    )
    return {bp: Fen(net, tax) for bp, net, tax in rows}


def _negative(rates: Rates) -> dict[int, Fen]:
    return {bp: NOTHING - fen for bp, fen in rates.items()}


def _sale_of_refund(tx: Tx, refund_id: UUID, said: Mapping[UUID, Any]) -> UUID:
    sale_id = refunds.sale_of(tx.conn, refund_id)
    if sale_id is None or sale_id not in said:
        raise rules.InvoiceRefundUnknown("the invoice has no sale of this refund")
    return sale_id


# --- written ----------------------------------------------------------------------------------------


def _keep(tx: Tx, values: Mapping[str, Any], covered: Mapping[UUID, Rates], rates: Rates) -> UUID:
    rules.require_number(values["number"], values["issued_on"])
    row = _insert(tx, values, covered, rates)
    outbox.append(
        tx,
        invoice_issued(
            invoice_id=str(row["invoice_id"]),
            number=row["number"],
            kind=row["kind"],
            colour=row["colour"],
            reverses=_text(row["reverses"]),
            branch_id=row["branch_id"],
            customer_id=_text(row["customer_id"]),
            sale_ids=sorted(str(sale_id) for sale_id in covered),
            rates=rates,
            issued_on=row["issued_on"],
        ),
    )
    audit.record(tx, f"invoice.{row['colour']}", str(row["invoice_id"]), after=row)
    invoice_id: UUID = row["invoice_id"]
    return invoice_id


def _insert(tx: Tx, values: Mapping[str, Any], covered: Mapping[UUID, Rates], rates: Rates) -> dict[str, Any]:
    invoice_id = new_id()
    row = {
        "reverses": None,
        "reason": None,
        "refund_id": None,
        **values,
        "invoice_id": invoice_id,
        "net_fen": sum(fen.net for fen in rates.values()),
        "tax_fen": sum(fen.tax for fen in rates.values()),
        "total_fen": sum(fen.net + fen.tax for fen in rates.values()),
        "keep_until": rules.keep_until(values["issued_on"]),
        "issued_by": tx.actor.id,
        "issued_at": tx.now,
    }
    names = ", ".join(row)
    slots = ", ".join(f":{name}" for name in row)
    kept = tx.conn.execute(
        text(f"insert into invoices ({names}) values ({slots}) on conflict (number) do nothing returning 1"),
        row,
    ).first()
    if kept is None:
        raise rules.InvoiceNumberUsed("an invoice of this number is recorded")
    tx.conn.execute(
        insert(invoice_amounts),
        [
            {
                "invoice_id": invoice_id,
                "sale_id": sale_id,
                "tax_bp": bp,
                "net_fen": fen.net,
                "tax_fen": fen.tax,
            }
            for sale_id, part in covered.items()
            for bp, fen in part.items()
        ],
    )
    return row


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
