"""What accepted goods are worth."""

from returns.settlement.commands import settle_return
from shared.areas import Area

AREA = Area()

__all__ = ["AREA", "settle_return"]
