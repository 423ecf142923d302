"""Bank accounts and their statements, kept as the bank gave them; an import posts nothing."""

from finance.bank_statements import tables
from finance.bank_statements.api import bank
from finance.bank_statements.commands import close
from finance.bank_statements.queries import asked_in, reaches
from finance.bank_statements.rules import AccountNotFound
from finance.bank_statements.schemas import BankAccountView, BankLineView
from finance.bank_statements.store import LINES, OPENING, account, balance_at
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[bank])

__all__ = [
    "AREA",
    "LINES",
    "OPENING",
    "AccountNotFound",
    "BankAccountView",
    "BankLineView",
    "account",
    "asked_in",
    "balance_at",
    "close",
    "reaches",
]
