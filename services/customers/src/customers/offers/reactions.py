"""Finance's answers to offers that asked for their money."""

from collections.abc import Iterator, Sequence
from typing import Any

from customers.offers.commands import ask_again, on_granted, on_refused
from shared.consumer import one_by_one
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received

handle = one_by_one({"finance.drawing.granted.v1": on_granted, "finance.drawing.refused.v1": on_refused})


def withdraw(
    tx: Tx, _source: str, _after: int, lost: Sequence[LostEvent], _log: Iterator[Received]
) -> Iterator[dict[str, Any]]:
    """Ask again for what finance's log has forgotten that it answered."""
    gone = {each.event_id: each.seq for each in lost if each.comes_again_as is None}
    return ask_again(tx, gone) if gone else iter(())
