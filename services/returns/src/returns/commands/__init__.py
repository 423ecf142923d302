"""What others may ask Returns to do: one function each.

Every function runs in the caller's transaction: it locks, lets the domain decide, stores, writes one row of
history and one audit row, and records the event. It never commits and never publishes. A demand for goods that
were never ours, too many or not eligible is not an error: it makes a refused notice, because the refusal is a
record too (R3, R4).
"""

from returns.commands.approving import decide_return
from returns.commands.inspecting import dispose_return, inspect_return
from returns.commands.receiving import confirm_pickup, mark_pickup_breached, receive_return
from returns.commands.requesting import cancel_return, request_return
from returns.commands.settling import archive_refunded, settle_return
from returns.commands.stopping import ask_to_lift, decide_lifting, order_stop_sale

__all__ = [
    "archive_refunded",
    "ask_to_lift",
    "cancel_return",
    "confirm_pickup",
    "decide_lifting",
    "decide_return",
    "dispose_return",
    "inspect_return",
    "mark_pickup_breached",
    "order_stop_sale",
    "receive_return",
    "request_return",
    "settle_return",
]
