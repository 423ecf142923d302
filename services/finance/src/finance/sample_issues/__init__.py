"""Samples that are handed out: their cost is selling expense, and what is given away is deemed sold."""

from finance.sample_issues.api import sample_issues
from shared.areas import Area

AREA = Area(blueprints=[sample_issues])

__all__ = ["AREA"]
