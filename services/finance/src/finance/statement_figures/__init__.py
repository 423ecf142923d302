"""What financial statements say, made of the ledger: forms, figures, content."""

from finance.statement_figures import tables
from finance.statement_figures.queries import Folded, Journal
from finance.statement_figures.rules.cash_flow import CashFlowUnclassified
from finance.statement_figures.rules.content import (
    Subject,
    content_of,
    correctable,
    made_anew,
    with_corrections,
)
from finance.statement_figures.rules.layout import income_lines
from finance.statement_figures.schemas import CashClassificationBody
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = [
    "AREA",
    "CashClassificationBody",
    "CashFlowUnclassified",
    "Folded",
    "Journal",
    "Subject",
    "content_of",
    "correctable",
    "income_lines",
    "made_anew",
    "with_corrections",
]
