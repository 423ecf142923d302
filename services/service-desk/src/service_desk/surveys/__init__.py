"""Satisfaction surveys: who is asked, and what they answer."""

from service_desk.surveys import tables
from service_desk.surveys.api import surveys
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[surveys])

__all__ = ["AREA"]
