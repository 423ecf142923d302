"""What the database refuses while an event is recorded."""

from datetime import date
from uuid import uuid4

import pytest
from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import outbox
from shared.clock import utc_now
from shared.database import Database
from shared.events import Event
from shared.identity import system_actor
from shared.transaction import Tx


@pytest.mark.requirement("X3")
def test_a_wait_that_ends_is_told_as_every_statement_tells_it(migrated_database):
    """The edge answers 503 to it, and would answer 500 to the driver's own error."""
    database = Database(migrated_database("returns"), pool_size=2)
    data = {"branch_id": "S001", "return_id": (subject := str(uuid4()))}
    event = Event(
        type="returns.return.cancelled.v1", subject=subject, version=1, day=date(2026, 3, 1), data=data
    )

    def append(conn):
        outbox.append(Tx(conn=conn, actor=system_actor("returns"), now=utc_now()), event)

    try:
        with database.begin() as first, database.begin() as second:
            append(first)
            second.execute(text("set local statement_timeout = 50"))
            with pytest.raises(DBAPIError) as refusal:
                append(second)
        assert isinstance(refusal.value.orig, QueryCanceled)
    finally:
        database.dispose()
