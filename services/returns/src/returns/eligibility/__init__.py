"""Whether goods may come back at all, by kind and reason."""

from returns.eligibility.api import eligibility
from returns.eligibility.rules import PackageState, judge
from shared.areas import Area

AREA = Area(blueprints=[eligibility])

__all__ = ["AREA", "PackageState", "judge"]
