"""What is read of stops of sale."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table, any_, select

from returns.stop_sales.model import StopSaleUnknown
from returns.stop_sales.tables import stop_sale_liftings, stop_sales
from shared.lots import canonical
from shared.paging import newest_first
from shared.transaction import Tx


def _rows(tx: Tx, table: Table, where: Any, order: str) -> Sequence[RowMapping]:
    return tx.conn.execute(select(table).where(where).order_by(table.c[order])).mappings().all()


def list_stop_sales(tx: Tx, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of stops, the newest first; they bind every branch, so everyone may see them."""
    wanted = select(stop_sales)
    for name in ("product_id", "state"):
        if filters.get(name) is not None:
            wanted = wanted.where(stop_sales.c[name] == filters[name])
    if filters.get("lifting") is not None:
        asked = select(stop_sale_liftings.c.stop_sale_id)
        wanted = wanted.where(
            stop_sales.c.id.in_(asked.where(stop_sale_liftings.c.state == filters["lifting"]))
        )
    if filters.get("lot") is not None:
        wanted = wanted.where(any_(stop_sales.c.lot_keys) == canonical(filters["lot"]))
    found = newest_first(tx, wanted, stop_sales.c.id, filters)
    return {**found, "items": _with_liftings(tx, found["items"])}


def get_stop_sale(tx: Tx, stop_id: UUID) -> dict[str, Any]:
    """A stop with every request to lift it. Raises StopSaleUnknown."""
    found = _rows(tx, stop_sales, stop_sales.c.id == stop_id, "id")
    if not found:
        raise StopSaleUnknown("no such stop of sale")
    return _with_liftings(tx, found)[0]


def _with_liftings(tx: Tx, stops: Sequence[RowMapping]) -> list[dict[str, Any]]:
    ids = [stop["id"] for stop in stops]
    liftings = _rows(tx, stop_sale_liftings, stop_sale_liftings.c.stop_sale_id.in_(ids), "id")
    return [
        {**stop, "liftings": [each for each in liftings if each["stop_sale_id"] == stop["id"]]}
        for stop in stops
    ]
