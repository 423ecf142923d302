"""What may still be refunded of a sale, and to which tenders it goes back."""

from finance.refund_amounts.rules import ReturnedLine, SoldLine, split, verify
from shared.areas import Area

AREA = Area()

__all__ = ["AREA", "ReturnedLine", "SoldLine", "split", "verify"]
