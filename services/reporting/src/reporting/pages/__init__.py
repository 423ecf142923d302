"""Pages for people: overview, ledgers, indicators, sign-in."""

from reporting.pages.pages import configure
from shared.areas import Area

AREA = Area(configure=configure)

__all__ = ["AREA"]
