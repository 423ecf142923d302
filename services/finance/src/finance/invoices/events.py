"""The fact that an invoice was issued; ids and numbers only."""

from collections.abc import Mapping, Sequence
from datetime import date

from finance.invoices.rules import Fen
from shared.events import Event

INVOICE_ISSUED = "finance.invoice.issued.v1"
PUBLISHED = (INVOICE_ISSUED,)


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
    rates: Mapping[int, Fen],
    issued_on: date,
) -> Event:
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
