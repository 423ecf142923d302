"""Bank accounts and their statements, kept as the bank gave them; an import posts nothing."""

from finance.bank_statements import tables
from finance.bank_statements.api import bank
from finance.bank_statements.commands import close
from finance.bank_statements.model import Account
from finance.bank_statements.queries import asked_in, reaches
from finance.bank_statements.rules import AccountNotFound
from finance.bank_statements.schemas import BankAccountView
from finance.bank_statements.store import LINES, OPENING, account, balance_at
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[bank])

__all__ = [
    "AREA",
    "LINES",
    "OPENING",
    "Account",
    "AccountNotFound",
    "BankAccountView",
    "account",
    "asked_in",
    "balance_at",
    "close",
    "reaches",
]
