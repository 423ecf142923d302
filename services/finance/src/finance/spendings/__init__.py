"""What was spent as the ledger says, beside what budgets gave."""

from finance.spendings.api import spendings
from finance.spendings.queries import require_tied
from shared.areas import Area

AREA = Area(blueprints=[spendings])

__all__ = ["AREA", "require_tied"]
