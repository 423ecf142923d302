"""The schema that every area's tables belong to, with those of the mechanism."""

from shared.database import new_metadata
from shared.tables import mechanism_tables

metadata = new_metadata()
mechanism_tables(metadata)
