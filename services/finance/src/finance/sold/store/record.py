"""The rows of a sale: what a sale, its lines and its tenders are written from."""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

import orjson
from msgspec.structs import asdict, fields
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from finance.kernel.copying import NULL, Copied, Rows, Said, SalePart, text
from finance.kernel.receipt import Prescription, Product, ReceiptLine
from finance.kernel.sale import Booked
from finance.sold.tables import sale_lines, sales, tenders
from shared.lots import canonical

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
_COMMON = {"sale_id": "%(sale)s::uuid", "booked_on": "%(booked)s::date", "branch_id": "%(branch)s"}
"""Columns that every row of a sale has, and where its one statement takes them from."""


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


def _own(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in _COMMON]


def _rows_of(table: Table, parameter: str) -> str:
    """Insert the rows that a parameter holds as JSON; every column of the table is a field of them."""
    taken = ", ".join(_COMMON.get(column.name, f"x.{column.name}") for column in table.columns)
    typed = ", ".join(f"{column.name} {column.type.compile(POSTGRESQL)}" for column in _own(table))
    return (
        f"insert into {table.name} ({_names(table)}) select {taken}"
        f" from r, json_to_recordset(%({parameter})s::json) as x({typed})"
    )


_SQL = f"""
s as (
    insert into sales (sale_id, booked_on, business_date, receipt_number, branch_id, customer_id, channel, sold_at,
        net_fen, tax_fen, total_fen, cost_fen, posted_by, posted_at, cashier_id, shift_id)
    select %(sale)s::uuid, %(booked)s::date, %(day)s::date, %(number)s, %(branch)s, %(customer)s::uuid,
        %(channel)s, %(sold_at)s::timestamptz, %(net)s::bigint, %(tax)s::bigint, %(total)s::bigint, %(cost)s::bigint, %(actor)s,
        %(now)s::timestamptz, %(cashier)s, %(shift)s from r
), l as (
    {_rows_of(sale_lines, "lines")}
    returning product_id, lot_key, expiry
), t as (
    {_rows_of(tenders, "tenders")}
)
"""


def _parameters_of(booked: Booked) -> dict[str, str | None]:
    """What the parts take beside the parameters of the receipt, but for who posts the sale and when."""
    priced, receipt = booked.priced, booked.priced.receipt
    return {
        "day": priced.business_date.isoformat(),
        "customer": None if receipt.customer_id is None else str(receipt.customer_id),
        "channel": receipt.channel.value,
        "sold_at": receipt.sold_at.isoformat(),
        "net": str(priced.net_fen),
        "tax": str(priced.tax_fen),
        "total": str(priced.total_fen),
        "cost": str(priced.cost_fen),
        "cashier": receipt.cashier_id,
        "shift": receipt.shift_id,
        "lines": orjson.dumps(list(_lines(booked))).decode(),
        "tenders": orjson.dumps(
            [
                {
                    "tender": each.tender.value,
                    "no": no,
                    "fen": each.amount.fen,
                    "channel_transaction_id": each.channel_transaction_id,
                }
                for no, each in enumerate(receipt.tenders, 1)
            ]
        ).decode(),
    }


def _lines(booked: Booked) -> Iterator[dict[str, Any]]:
    """The rows of `sale_lines` by the names of their columns; those of a product are its fields."""
    priced = booked.priced
    lines = zip(priced.receipt.lines, booked.line_ids, priced.line_net_fen, priced.line_tax_fen, strict=True)
    for no, (line, line_id, net, tax) in enumerate(lines, 1):
        product = asdict(line.product)
        row = {
            "no": no,
            "line_id": line_id,
            "product_id": product.pop("id"),
            **product,
            "lot": line.lot,
            "lot_key": canonical(line.lot),
            "expiry": line.expiry,
            "quantity": line.quantity,
            "unit_price_fen": line.unit_price.fen,
            "discount_fen": line.discount.fen,
            "net_fen": net,
            "tax_bp": line.tax_bp,
            "tax_fen": tax,
            "cost_fen": line.cost.fen,
        }
        yield row | _carried(line) if line.trace_codes or line.prescription else row


def _carried(line: ReceiptLine) -> dict[str, Any]:
    """What few lines carry; a row without it says nothing of it."""
    carried: dict[str, Any] = {"trace_codes": line.trace_codes or None}
    if line.prescription is not None:
        carried |= {f"prescription_{name}": value for name, value in asdict(line.prescription).items()}
    return carried


def _sales(sale: Copied, said: Said) -> Iterator[str]:
    priced = sale.booked.priced
    receipt = priced.receipt
    yield (
        f"{sale.booked.sale_id}\t{sale.on}\t{priced.business_date}\t{receipt.receipt_number}\t{sale.branch}\t"
        f"{sale.customer}\t{receipt.channel.value}\t{receipt.sold_at}\t{priced.net_fen}\t{priced.tax_fen}\t"
        f"{priced.total_fen}\t{priced.cost_fen}\t{said.actor}\t{said.now}\t{text(receipt.cashier_id)}\t"
        f"{text(receipt.shift_id)}\n"
    )


PRODUCT_FIELDS = tuple(field.name for field in fields(Product))
"""As `sale_lines` has them, one after the other."""
_product_of = attrgetter(*PRODUCT_FIELDS)


def _sale_lines(sale: Copied, _said: Said) -> Iterator[str]:
    priced, sale_id, on, branch = sale.booked.priced, sale.booked.sale_id, sale.on, sale.branch
    lines = zip(
        priced.receipt.lines, sale.booked.line_ids, priced.line_net_fen, priced.line_tax_fen, strict=True
    )
    for no, (line, line_id, net, tax) in enumerate(lines, 1):
        product = "\t".join([text(each) for each in _product_of(line.product)])
        yield (
            f"{sale_id}\t{no}\t{on}\t{line_id}\t{branch}\t{product}\t{text(line.lot)}\t{text(canonical(line.lot))}\t"
            f"{line.expiry}\t{line.quantity}\t{line.unit_price.fen}\t{line.discount.fen}\t{net}\t{line.tax_bp}\t{tax}\t"
            f"{line.cost.fen}\t{_copied(line) if line.trace_codes or line.prescription else _NOTHING_CARRIED}\n"
        )


_PRESCRIPTION_FIELDS = [field.name for field in fields(Prescription)]
_NOTHING_PRESCRIBED = "\t".join([NULL] * len(_PRESCRIPTION_FIELDS))
_NOTHING_CARRIED = f"{NULL}\t{_NOTHING_PRESCRIBED}"


def _copied(line: ReceiptLine) -> str:
    codes = f"{{{','.join(line.trace_codes)}}}" if line.trace_codes else NULL
    said = line.prescription
    if said is None:
        return f"{codes}\t{_NOTHING_PRESCRIBED}"
    return f"{codes}\t{said.number}\t{text(said.reviewed_by)}\t{said.reviewed_at}"


def _tenders(sale: Copied, _said: Said) -> Iterator[str]:
    for no, payment in enumerate(sale.booked.priced.receipt.tenders, 1):
        yield (
            f"{sale.booked.sale_id}\t{payment.tender.value}\t{no}\t{sale.on}\t{sale.branch}\t{payment.amount.fen}\t"
            f"{payment.channel_transaction_id or NULL}\n"
        )


_COPIED: Mapping[str, tuple[str, Rows]] = {
    table.name: (_names(table), rows)
    for table, rows in ((sales, _sales), (tenders, _tenders), (sale_lines, _sale_lines))
}
SALE_PART = SalePart(_SQL, _parameters_of, _COPIED)
"""A sale with its lines and tenders, once `r` has its number."""
