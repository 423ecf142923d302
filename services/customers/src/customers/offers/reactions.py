"""Finance's answers to offers that asked for their money."""

from collections.abc import Iterator, Sequence
from typing import Any

from customers.offers.commands import GRANTED, REFUSED, ask_again, on_answered
from shared.consumer import in_sets
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received

handle = in_sets({GRANTED: on_answered, REFUSED: on_answered})


def withdraw(
    tx: Tx, _source: str, _after: int, lost: Sequence[LostEvent], _log: Iterator[Received]
) -> Iterator[dict[str, Any]]:
    """Ask again for what finance's log has forgotten that it answered."""
    gone = {each.event_id: each.seq for each in lost if each.comes_again_as is None}
    return ask_again(tx, gone) if gone else iter(())
