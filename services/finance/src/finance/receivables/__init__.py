"""What customers owe: payments, disputes, write-offs, recoveries, interest, terms, ageing, and the proof of it all."""

from finance.receivables import tables
from finance.receivables.api import receivables
from finance.receivables.commands.payments import DisputeNotPossible, dispute
from finance.receivables.jobs import JOBS
from finance.receivables.queries.items import OPEN_AT, PAYMENTS, require_agreement
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[receivables], jobs=JOBS)

__all__ = ["AREA", "OPEN_AT", "PAYMENTS", "DisputeNotPossible", "dispute", "require_agreement"]
