"""Invoices that we received are used once, by whatever document."""

from uuid import UUID

from sqlalchemy import text

from finance.kernel import invoice_number
from shared.transaction import Tx


def take(tx: Tx, document_id: UUID, invoice_no: str) -> bool:
    """Whether the document holds the invoice now; the second of a race waits and is told no."""
    taken = tx.conn.execute(
        text(
            "insert into taken_invoices (invoice_no, document_id) values (:number, :id)"
            " on conflict (invoice_no) do nothing"
        ),
        {"number": invoice_number.key(invoice_no), "id": document_id},
    )
    return bool(taken.rowcount)


def give_back(tx: Tx, document_id: UUID) -> None:
    """The document holds no invoice any more."""
    tx.conn.execute(text("delete from taken_invoices where document_id = :id"), {"id": document_id})


TAKEN = "(select invoice_no from taken_invoices)"
"""The invoices that are held, by `invoice_number.key`."""
