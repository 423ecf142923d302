"""Whose fault an error of the database is: by SQLSTATE, the code that PostgreSQL itself gives for it.

The classes of Python's database interface do not tell: `OperationalError` holds a lost connection and an index row
that is too long alike. Here every code has one answer:

- the system's: connection, concurrency, resources, shutdown (classes 08, 40, 53 and 57P). The same work succeeds
  later, so it is tried again, for ever, and an alarm says how long it has been waiting;
- the state of the database: a migration or a grant is due, or this is a standby after a failover. Nothing that
  comes in is to blame, and setting it aside would set aside the whole day: tried again like the first, with an
  error in the log that names the code, because somebody must act;
- of what is being applied: everything else. It is tried a bounded number of times and then set aside by itself.
"""

from enum import StrEnum
from typing import Final

import psycopg
import sqlalchemy


class Fault(StrEnum):
    SYSTEM = "system"
    DATABASE = "database"
    WORK = "work"


SYSTEM_CLASSES: Final = ("08", "40", "53", "57P")
"""Connections, rollbacks for others' sake, resources, shutdowns; 57014 (cancelled, too slow) is not among them."""
DATABASE_STATES: Final = frozenset(
    {
        "25006",  # read only: a standby, or the old primary after a failover
        "28000",  # these four: who may connect, and to what
        "28P01",
        "3D000",
        "42501",
        "3F000",  # these four: a migration is due
        "42P01",
        "42703",
        "42883",
        "55P03",  # somebody holds a lock and nobody waits: a migration at work
    }
)
STALE_STATES: Final = frozenset({"0A000", "26000", "25006"})
"""What belongs to the connection: a plan or statement prepared before a migration, a server that lost its rank."""


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE of a driver's error, also inside SQLAlchemy's; None when the server gave none."""
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return None if error.orig is None else sqlstate_of(error.orig)
    return error.sqlstate if isinstance(error, psycopg.Error) else None


def fault_of(error: BaseException) -> Fault:
    """Whose fault `error` is. What is no error of the database is the fault of what is being applied."""
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return Fault.SYSTEM  # no free connection in the pool
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        if error.connection_invalidated:
            return Fault.SYSTEM
        return Fault.WORK if error.orig is None else fault_of(error.orig)
    state = sqlstate_of(error)
    if state is None:
        # The driver's own: these two mean that it has no connection (any more).
        is_lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Fault.SYSTEM if is_lost else Fault.WORK
    if state.startswith(SYSTEM_CLASSES):
        return Fault.SYSTEM
    return Fault.DATABASE if state in DATABASE_STATES else Fault.WORK


def is_transient(error: BaseException) -> bool:
    """Return whether the same work may succeed later unchanged: retry, never set aside."""
    return fault_of(error) is not Fault.WORK


def is_stale(error: BaseException) -> bool:
    """Return whether a new connection may be all that is needed."""
    return sqlstate_of(error) in STALE_STATES
