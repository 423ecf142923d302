"""Samples of goods and of printed packaging: asked, approved, confirmed."""

from finance.samples import tables
from finance.samples.api import samples
from finance.samples.commands import keep_issue, require_issuable
from finance.samples.queries import sample
from finance.samples.rules import PACKAGING, is_taxed, rule
from finance.samples.schemas import SampleView
from finance.samples.store import GIVEN_OUT, decided_by, hold
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[samples])

__all__ = [
    "AREA",
    "GIVEN_OUT",
    "PACKAGING",
    "SampleView",
    "decided_by",
    "hold",
    "is_taxed",
    "keep_issue",
    "require_issuable",
    "rule",
    "sample",
]
