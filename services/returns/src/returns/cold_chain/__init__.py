"""Proof that cold goods stayed cold while they were away."""

from returns.cold_chain import tables
from returns.cold_chain.commands import examine
from returns.cold_chain.queries import evidence_of
from returns.cold_chain.rules import NEEDS_EVIDENCE, Evidence
from returns.cold_chain.schemas import ColdChainBody, ColdChainView
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "NEEDS_EVIDENCE", "ColdChainBody", "ColdChainView", "Evidence", "evidence_of", "examine"]
