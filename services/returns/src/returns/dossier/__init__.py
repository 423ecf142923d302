"""The steps of a notice over HTTP, and the notice with all that happened to it."""

from returns.dossier.api import returned
from shared.areas import Area

AREA = Area(blueprints=[returned])

__all__ = ["AREA"]
