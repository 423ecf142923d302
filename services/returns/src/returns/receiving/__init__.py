"""Goods arrive in quarantine, or are refused at the door."""

from returns.receiving import tables
from returns.receiving.commands import receive_return
from returns.receiving.model import Receipt
from returns.receiving.queries import receipt_of
from returns.receiving.schemas import ReceiptBody, ReceiptView
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "Receipt", "ReceiptBody", "ReceiptView", "receipt_of", "receive_return"]
