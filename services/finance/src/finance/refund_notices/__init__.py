"""The refund notice (退款通知) that a customer gets."""

from finance.refund_notices.papers import notice, printed
from finance.refund_notices.schemas import RefundNoticeView
from shared.areas import Area

AREA = Area()

__all__ = ["AREA", "RefundNoticeView", "notice", "printed"]
