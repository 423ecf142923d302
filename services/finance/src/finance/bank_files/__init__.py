"""Files of banks: CSV and XLSX by dialects, MT940, camt.053, read into statements. Nothing is kept but dialects."""

from finance.bank_files import tables
from finance.bank_files.api import bank_dialects
from finance.bank_files.queries import statements_of
from finance.bank_files.rules.clearing import clearings
from finance.bank_files.rules.formats import Statement, StatementLine, chained, hashes, identity
from finance.bank_files.rules.reading import Upload
from finance.bank_files.schemas import BankStatementBody
from finance.bank_files.store import hold
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[bank_dialects])

__all__ = [
    "AREA",
    "BankStatementBody",
    "Statement",
    "StatementLine",
    "Upload",
    "chained",
    "clearings",
    "hashes",
    "hold",
    "identity",
    "statements_of",
]
