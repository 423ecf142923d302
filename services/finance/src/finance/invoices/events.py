"""The fact that an invoice was issued; ids and numbers only."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from finance.invoices import rules
from shared.events import Event
from shared.texts import LINES_MAX, BasisPoints, Branch, Day, Fen, Id, Many, Reference, one_of

INVOICE_ISSUED = "finance.invoice.issued.v1"


class RateAmounts(TypedDict):
    tax_bp: BasisPoints
    net_fen: Fen
    tax_fen: Fen


class InvoiceIssued(TypedDict):
    """Amounts are positive; `colour` says whether they are given (blue) or taken back (red)."""

    invoice_id: Id
    number: Reference
    kind: Annotated[str, one_of(("special", "ordinary"))]
    colour: Annotated[str, one_of(("blue", "red"))]
    reverses: Id | None
    branch_id: Branch
    customer_id: Id | None
    sale_ids: Annotated[list[Id], Meta(min_length=1, max_length=LINES_MAX)]
    rates: Annotated[list[RateAmounts], Many]
    net_fen: Fen
    tax_fen: Fen
    total_fen: Fen
    issued_on: Day


PUBLISHED: Final[Mapping[str, type]] = {
    INVOICE_ISSUED: InvoiceIssued,
}


def invoice_issued(
    *,
    invoice_id: str,
    number: str,
    kind: str,
    colour: str,
    reverses: str | None,
    branch_id: str,
    customer_id: str | None,
    sale_ids: Sequence[str],
    rates: Mapping[int, rules.Fen],
    issued_on: date,
) -> Event[InvoiceIssued]:
    """Amounts are positive; `colour` says whether they are given or taken back. `amount_fen` is the total."""
    net = sum(fen.net for fen in rates.values())
    tax = sum(fen.tax for fen in rates.values())
    return Event(
        type=INVOICE_ISSUED,
        subject=invoice_id,
        version=1,
        day=issued_on,
        amount_fen=net + tax,
        data={
            "invoice_id": invoice_id,
            "number": number,
            "kind": kind,
            "colour": colour,
            "reverses": reverses,
            "branch_id": branch_id,
            "customer_id": customer_id,
            "sale_ids": list(sale_ids),
            "rates": [
                {"tax_bp": bp, "net_fen": fen.net, "tax_fen": fen.tax} for bp, fen in sorted(rates.items())
            ],
            "net_fen": net,
            "tax_fen": tax,
            "total_fen": net + tax,
            "issued_on": issued_on.isoformat(),
        },
    )
