"""The people to talk to at institutions."""

from customers.contacts import tables
from customers.contacts.commands import add
from customers.contacts.model import Contact
from customers.contacts.schemas import ContactBody, ContactView
from customers.contacts.store import erase, lock, rows_of
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "Contact", "ContactBody", "ContactView", "add", "erase", "lock", "rows_of"]
