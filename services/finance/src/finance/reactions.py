"""What other services' facts make finance do. Any order and any repetition leave the same books.

Source: F22, model 3.2 (Refund)
"""

from finance.refunds import verification
from shared.consumer import SetReaction

SETS: dict[str, SetReaction] = {
    "returns.return.settled.v1": verification.on_returns_settled,
    "returns.return.received.v1": verification.on_goods_received,
}
"""All of a batch at once: each type in as many statements as one event of it takes."""
