"""The instalments of customers without terms of their own."""

import json
from datetime import date
from functools import lru_cache

from finance.kernel import dated


@lru_cache(maxsize=4_096)
def default_terms(day: date) -> str:
    """The instalments of a customer without terms of their own, on a business date, as JSON."""
    return json.dumps(dated.newest("credit_terms", day)["value"])
