"""Sales orders: drafted, checked, confirmed by another person, shipped as sales."""

from finance.orders import tables
from finance.orders.api import orders
from finance.orders.commands.shipping import ship
from finance.orders.model import Parcel
from finance.orders.schemas import OrderShipmentView
from finance.orders.store import LINES, ORDERED, ORDERS, SHIPMENT_LINES, SHIPMENTS
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[orders])

__all__ = [
    "AREA",
    "LINES",
    "ORDERED",
    "ORDERS",
    "SHIPMENTS",
    "SHIPMENT_LINES",
    "OrderShipmentView",
    "Parcel",
    "ship",
]
