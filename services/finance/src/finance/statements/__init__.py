"""Financial statements: prepared, reviewed, signed, published, proved from the journal."""

from finance.statements import tables
from finance.statements.api import statements
from finance.statements.commands import CHAIN
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[statements], chains=[CHAIN])

__all__ = ["AREA"]
