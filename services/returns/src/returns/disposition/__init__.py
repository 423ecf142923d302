"""What becomes of accepted goods."""

from returns.disposition.commands import dispose_return
from returns.disposition.schemas import DispositionBody
from shared.areas import Area

AREA = Area()

__all__ = ["AREA", "DispositionBody", "dispose_return"]
