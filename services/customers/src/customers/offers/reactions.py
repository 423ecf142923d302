"""Finance's answers to offers that asked for their money."""

from customers.offers.commands import on_granted, on_refused
from shared.consumer import one_by_one

handle = one_by_one({"finance.drawing.granted.v1": on_granted, "finance.drawing.refused.v1": on_refused})
