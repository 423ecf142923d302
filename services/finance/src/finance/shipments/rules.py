"""What may be wrong when a shipment is asked for."""

from shared.errors import NotFound


class ShipmentNotFound(NotFound):
    code = "shipment_not_found"
    cure = "Look it up in the list of the order's shipments."
