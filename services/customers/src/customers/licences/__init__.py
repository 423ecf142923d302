"""Licences, the admission of institutions, and the permission to buy that follows."""

from customers.licences import tables
from customers.licences.api import licences
from customers.licences.commands import settle
from customers.licences.jobs import JOBS
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[licences], jobs=JOBS)

__all__ = ["AREA", "settle"]
