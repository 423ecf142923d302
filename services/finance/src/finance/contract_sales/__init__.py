"""The sales that shipped goods of a contract, and what became of their debts."""

from finance.contract_sales import tables
from finance.contract_sales.queries import collected
from finance.contract_sales.store import add
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "add", "collected"]
