"""Points that pay a receipt."""

from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine
from finance.kernel.receipt import Payment, Receipt
from finance.points import rules
from finance.points.store import redemptions
from shared.transaction import Tx


def lines_of(tx: Tx, receipt: Receipt, payment: Payment, chart: Chart) -> list[PostingLine]:
    """What the sale debits for its points. Raises the refusals of a redemption that may not pay this receipt."""
    assert payment.redemption_id is not None, "a priced receipt names the redemption of its points"
    redemption = redemptions.find(tx.conn, payment.redemption_id)
    caught_up = redemption is None and redemptions.is_caught_up(tx, payment.redemption_id)
    liability_fen = rules.require_usable(redemption, receipt, payment, is_caught_up=caught_up)
    return rules.used(chart, payment.amount.fen, liability_fen)
