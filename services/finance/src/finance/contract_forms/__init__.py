"""The form of a contract: what it must say, and how it is printed."""

from finance.contract_forms.papers import contract, form
from finance.contract_forms.rules import (
    Agreed,
    AgreedLine,
    Content,
    ContractContentInvalid,
    ContractLineUnknown,
    require_complete,
)
from finance.contract_forms.schemas import ContractContentBody, ContractContentView
from shared.areas import Area

AREA = Area()

__all__ = [
    "AREA",
    "Agreed",
    "AgreedLine",
    "Content",
    "ContractContentBody",
    "ContractContentInvalid",
    "ContractContentView",
    "ContractLineUnknown",
    "contract",
    "form",
    "require_complete",
]
