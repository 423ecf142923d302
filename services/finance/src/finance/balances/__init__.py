"""Balances that are exact at every instant, and what closed months carry."""

from finance.balances import tables
from finance.balances.api import trial_balances
from finance.balances.store import (
    BALANCE_NOW,
    CHAIN,
    FIRST_MONTHS,
    PROOFS,
    accounts,
    balance,
    balance_on,
    carry,
    closings_by_branch,
    forget,
    require_agreement,
)
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[trial_balances], chains=[CHAIN], proofs=PROOFS)

__all__ = [
    "AREA",
    "BALANCE_NOW",
    "CHAIN",
    "FIRST_MONTHS",
    "accounts",
    "balance",
    "balance_on",
    "carry",
    "closings_by_branch",
    "forget",
    "require_agreement",
]
