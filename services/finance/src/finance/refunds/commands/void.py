"""Void a receipt that should not have been rung up: the whole of it, on its own business day, by a second person.

The goods never left the counter, so they are in stock again, and everything that was paid goes back the way it came:
cash from a drawer, other tenders by the till's own terminals, each once, as of every refund. It is booked to the day of
the receipt; the receipt itself stays as it was.
"""

from uuid import NAMESPACE_URL, UUID, uuid5

from finance import periods
from finance.kernel.sale import SaleNotFound
from finance.refund_amounts import ReturnedLine
from finance.refunds import rules
from finance.refunds.commands import steps
from finance.refunds.rules import Kind
from finance.refunds.store import held, owing
from finance.refunds.store.owing import Owed
from shared.approvals import SamePerson
from shared.clock import business_date
from shared.transaction import Tx

APPROVER = "store_manager"


def void(tx: Tx, sale_id: UUID, reason: str) -> UUID:
    """Owe the whole of it back and approve that; the refund's id, whose parts the counter pays.

    One worth nothing is done at once. Raises SaleNotFound, SamePerson, NotARetailReceipt, VoidTooLate,
    SaleAlreadyRefunded, PeriodClosed.
    """
    sales = owing.lock_sales(tx, [sale_id])
    if sale_id not in sales or not tx.actor.may_see(sales[sale_id].branch_id):
        raise SaleNotFound("no such sale", sale_id=str(sale_id))
    sale = sales[sale_id]
    if sale.posted_by == tx.actor.id:
        raise SamePerson("who posted a receipt does not void it")
    rules.require_voidable(
        sale.channel,
        sale.business_date,
        business_date(tx.now),
        has_refunds=held.has_refunds(tx.conn, sale_id),
    )
    owing.read(tx, sales)
    lines = [
        ReturnedLine(
            return_line_id=line.line_id,
            sale_line_id=line.line_id,
            lot=line.lot,
            quantity=line.quantity,
            disposition="restock",
            net_fen=line.net_fen,
            tax_fen=line.tax_fen,
            cost_fen=line.cost_fen,
        )
        for line in sale.lines.values()
    ]
    refund_id = uuid5(NAMESPACE_URL, f"urn:apotheca:void:{sale_id}")
    booked_on, reference = periods.booking_days(tx, {sale.business_date})[sale.business_date]
    owed = Owed(
        refund_id=refund_id,
        kind=Kind.VOID,
        return_id=str(refund_id),
        sale_id=sale_id,
        settled_on=sale.business_date,
        total_fen=sum(line.net_fen + line.tax_fen for line in lines),
        told={"sale_id": str(sale_id), "reason": reason},
        cause=None,
        sale=sale,
        lines=lines,
        owed={tender: fen for tender, fen in sorted(sale.paid.items()) if fen},
        booked_on=booked_on,
        reference=reference,
    )
    owing.owe(tx, [owed])
    if not owed.is_done:
        refund = held.lock(tx, refund_id)
        decision = steps.decide(tx, refund, role=APPROVER, excluded={sale.posted_by})
        held.keep_approval(tx, refund, decision, {"reason": reason})
    return refund_id
