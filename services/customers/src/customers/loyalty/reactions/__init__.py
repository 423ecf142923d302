"""What finance's facts do to points, and what becomes of them when finance has lost the facts."""

from customers.loyalty.reactions.lost import take_over, withdraw
from customers.loyalty.reactions.moved import SUBSCRIPTIONS, handle

__all__ = ["SUBSCRIPTIONS", "handle", "take_over", "withdraw"]
