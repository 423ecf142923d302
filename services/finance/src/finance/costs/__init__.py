"""What goods cost: purchases, moving averages, the cost of a month, margins, sales below cost."""

from finance.costs import tables
from finance.costs.api import costs
from finance.costs.commands.costing import stock_of
from finance.costs.jobs import JOBS
from finance.costs.queries import require_costed
from shared.areas import Area

AREA = Area(
    tables=tables,
    blueprints=[costs],
    jobs=JOBS,
    log_positions=["(select max(last_seq) from below_cost_scan)"],
)

__all__ = ["AREA", "require_costed", "stock_of"]
