"""The data key of each person: made, opened and destroyed here alone."""

from customers.data_keys import tables
from customers.data_keys.api import configure, the_vault
from customers.data_keys.rules import SubjectKey, Vault, forgotten_code
from customers.data_keys.store import add, add_many, destroy, opened
from shared.areas import Area

AREA = Area(tables=tables, configure=configure)

__all__ = [
    "AREA",
    "SubjectKey",
    "Vault",
    "add",
    "add_many",
    "destroy",
    "forgotten_code",
    "opened",
    "the_vault",
]
