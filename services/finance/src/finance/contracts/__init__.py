"""Contracts: drafted, reviewed, signed, changed only by both parties; what orders hold and ship of them."""

from finance.contracts import tables
from finance.contracts.api import contracts
from finance.contracts.jobs import JOBS
from finance.contracts.store.fulfilment import agreed_goods, order, release, ship, terms_of
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[contracts], jobs=JOBS)

__all__ = ["AREA", "agreed_goods", "order", "release", "ship", "terms_of"]
