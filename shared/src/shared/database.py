"""One engine per process, one transaction per command; connections are opened after the fork."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import DBAPIError

from shared import postgres

STATEMENT_TIMEOUT_S = 60
"""No transaction lives longer; the inbox pruning margin (10 min) relies on it."""


def new_metadata() -> MetaData:
    """Metadata with deterministic constraint names, so that migrations can name them."""
    return MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


@contextmanager
def driver_of(conn: Connection) -> Iterator[psycopg.Connection[Any]]:
    """The psycopg connection inside the caller's transaction, for pipelines and COPY; its errors wrapped for the edge."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        yield driver
    except psycopg.Error as error:
        # Any: SQLAlchemy types the statement and parameters more narrowly than it handles them
        wrapped: Any = DBAPIError.instance(None, None, error, psycopg.Error)
        raise wrapped from error


class Database:
    """A pool of connections to one service's own database.

    `pool_size` bounds the connections of this process; a caller that finds none free for 10 s gets an
    error that the edge answers with 503.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: Engine = postgres.new_engine(
            url,
            options=f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c timezone=UTC "
            f"-c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT_S}s",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_recycle=1800,
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot: every statement in the block sees the same state."""
        with self.engine.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ) as connection:
            yield connection
            connection.rollback()

    def ping(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("select 1"))

    def dispose(self) -> None:
        self.engine.dispose()
