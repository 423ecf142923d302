"""The schema that every area's tables belong to, with those of the mechanism."""

from typing import Any

from shared.database import new_metadata
from shared.rations import rations_table
from shared.tables import mechanism_tables

metadata = new_metadata()
mechanism_tables(metadata)
rations_table(metadata)

BY_MONTH: dict[str, Any] = {"postgresql_partition_by": "RANGE (booked_on)"}
"""Of tables that grow: partitioned by the month of the booking day."""
