"""Closing a month: everything that stands in its way, in order; and locking it for ever."""

from finance.closing import tables
from finance.closing.api import books, configure, reopenings
from finance.closing.jobs import JOBS
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[books, reopenings], jobs=JOBS, configure=configure)

__all__ = ["AREA"]
