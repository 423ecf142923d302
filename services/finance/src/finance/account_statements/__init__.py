"""Statements of account: what a customer owes on a day, sent, and answered."""

from finance.account_statements import tables
from finance.account_statements.api import account_statements
from finance.account_statements.jobs import JOBS
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[account_statements], jobs=JOBS)

__all__ = ["AREA"]
