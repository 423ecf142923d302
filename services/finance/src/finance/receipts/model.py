"""A receipt that is known."""

from datetime import date

from msgspec import Struct


class Known(Struct, frozen=True):
    sale_id: str
    booked_on: date
    content_hash: bytes
