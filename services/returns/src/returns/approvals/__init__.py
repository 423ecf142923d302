"""The two approvals of a notice."""

from returns.approvals import tables
from returns.approvals.commands import decide_return
from returns.approvals.queries import deciders_of, decisions_of
from returns.approvals.schemas import DecisionView
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "DecisionView", "decide_return", "deciders_of", "decisions_of"]
