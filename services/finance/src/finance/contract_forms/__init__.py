"""The form of a contract: what it must say, and how it is printed."""

from finance.contract_forms.papers import contract, form
from finance.contract_forms.rules import (
    ContractContentInvalid,
    ContractLineUnknown,
    categories,
    line_of,
    missing,
    require_complete,
    value_fen,
)
from shared.areas import Area

AREA = Area()

__all__ = [
    "AREA",
    "ContractContentInvalid",
    "ContractLineUnknown",
    "categories",
    "contract",
    "form",
    "line_of",
    "missing",
    "require_complete",
    "value_fen",
]
