"""Ask for a return, be refused, or withdraw."""

from returns.requests import tables
from returns.requests.commands import cancel_return, request_return
from returns.requests.model import Asked
from returns.requests.schemas import CancellationBody, ReturnRequest
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "Asked", "CancellationBody", "ReturnRequest", "cancel_return", "request_return"]
