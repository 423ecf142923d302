"""HTTP: invoices (发票).

Source: F15, F16, F24
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response

from finance import printing
from finance.invoices import commands, papers, queries, schemas
from finance.invoices.model import Blue, Red
from finance.invoices.rules import Fen, summed
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

invoices = Blueprint(
    "invoices",
    __name__,
    description="Invoices of sales, and red ones that take them back.",
)

CLERK = "invoicing_clerk"
READERS = (CLERK, "accountant", "finance_auditor", "finance_head", "management")


def _rates(rows: Sequence[Mapping[str, Any]]) -> dict[int, Fen]:
    return summed({row["tax_bp"]: Fen(row["net_fen"], row["tax_fen"])} for row in rows)


def _blue(body: dict[str, Any]) -> Blue:
    sales = {each["sale_id"]: each["rates"] and _rates(each["rates"]) for each in body["sales"]}
    return Blue(body["number"], body["kind"], body["issued_on"], sales, _rates(body["rates"]))


def _red(body: dict[str, Any]) -> Red:
    return Red(body["number"], body["issued_on"], body["refund_id"], _rates(body["rates"]))


@invoices.post("/invoices")
@command
@admits(CLERK)
@invoices.arguments(schemas.InvoiceBody)
@invoices.response(201, schemas.InvoiceWithWords)
def issue_invoice(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Record the invoice of a sale, or of several of one customer in one month; it equals them to the fen."""
    return queries.invoice(tx, commands.issue(tx, _blue(body)))


@invoices.get("/invoices")
@query
@admits(*READERS)
@invoices.arguments(schemas.InvoicesArgs, location="query")
@invoices.response(200, schemas.InvoicesPage)
def list_invoices(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Invoices by number, sale, customer or month of issue."""
    return queries.invoices(tx, args)


@invoices.get("/uninvoiced-sales")
@query
@admits(*READERS)
@invoices.arguments(schemas.UninvoicedArgs, location="query")
@invoices.response(200, schemas.UninvoicedPage)
def list_uninvoiced(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Sales of institutions of a month that no invoice covers, and any sale that a red one is due for (`left` below 0)."""
    return queries.uninvoiced(tx, args)


@invoices.get("/vat-figures")
@query
@admits(*READERS)
@invoices.arguments(schemas.VatArgs, location="query")
@invoices.response(200, schemas.VatView)
def get_vat(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Output VAT of a month by rate: sold, returned and invoiced, beside what the books say."""
    return queries.vat(tx, args["month"], args["branch_id"])


@invoices.get("/invoices/<uuid:invoice_id>")
@query
@admits(*READERS)
@invoices.response(200, schemas.InvoiceWithWords)
def get_invoice(tx: Tx, invoice_id: UUID) -> dict[str, Any]:
    """One invoice and the red ones that took parts of it back."""
    return queries.invoice(tx, invoice_id)


@invoices.get("/invoices/<uuid:invoice_id>/pdf")
@query
@admits(*READERS)
@invoices.doc(**printing.DOC)
def print_invoice(tx: Tx, invoice_id: UUID) -> Response:
    """The list of goods with the amount in words."""
    shown = queries.invoice(tx, invoice_id)
    return printing.shown(papers.sheet(shown, queries.goods(tx, shown)), f"invoice-{invoice_id}")


@invoices.post("/invoices/<uuid:invoice_id>/red-invoices")
@command
@admits(CLERK)
@invoices.arguments(schemas.InvoiceRedBody)
@invoices.response(201, schemas.InvoiceWithWords)
def issue_red_invoice(tx: Tx, body: dict[str, Any], invoice_id: UUID) -> dict[str, Any]:
    """Record the red invoice that takes a blue one back: for a refund its part, for an error all of it."""
    return queries.invoice(tx, commands.issue_red(tx, invoice_id, _red(body)))
