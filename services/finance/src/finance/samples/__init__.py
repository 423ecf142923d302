"""Samples of goods and of printed packaging: asked, approved, confirmed."""

from finance.samples import tables
from finance.samples.api import samples
from finance.samples.commands import keep_issue, require_issuable
from finance.samples.model import DeemedSale, Issue, Sample
from finance.samples.queries import sample
from finance.samples.rules import rule
from finance.samples.schemas import SampleView
from finance.samples.store import GIVEN_OUT, hold
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[samples])

__all__ = [
    "AREA",
    "GIVEN_OUT",
    "DeemedSale",
    "Issue",
    "Sample",
    "SampleView",
    "hold",
    "keep_issue",
    "require_issuable",
    "rule",
    "sample",
]
