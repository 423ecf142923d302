"""Debts past due: cases that follow them by levels, what is done about them, and letters."""

from finance.dunning import tables
from finance.dunning.api import dunning
from finance.dunning.commands.cases import pause, resume
from finance.dunning.jobs import JOBS
from finance.dunning.papers import Paper, printed_letter
from finance.dunning.queries import ACTIONS, CASES, letter
from finance.dunning.schemas import PaperArgs, ReceivableReasonBody
from finance.dunning.store import settle
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[dunning], jobs=JOBS)

__all__ = [
    "ACTIONS",
    "AREA",
    "CASES",
    "Paper",
    "PaperArgs",
    "ReceivableReasonBody",
    "letter",
    "pause",
    "printed_letter",
    "resume",
    "settle",
]
