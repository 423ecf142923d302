"""Customers and returns that have nothing to tell: what finance asks before it closes a month, where a test is of finance alone.

They are real web processes over databases of their own, and listen to nobody.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from shared.completeness import Hearing, count_own
from shared.database import Database, new_metadata
from shared.identity import LocalIssuer
from shared.service import Service
from shared.settings import Settings
from shared.tables import mechanism_tables
from tests.support.ledger_service import served
from tests.support.roles import create_tables

feeds: dict[str, str] = {}
"""Addresses of the two, while they are served; `tests.support.finance_builders.Office` knows them by it."""
token: list[str] = []


@contextmanager
def sources(make_database: Callable[[], str], folder: Path) -> Iterator[None]:
    """Serve both while the block runs."""
    issuer = LocalIssuer(folder)
    with (
        served(*_silent("customers", make_database(), issuer)) as customers,
        served(*_silent("returns", make_database(), issuer)) as returns,
    ):
        feeds.update(customers=customers, returns=returns)
        token[:] = [issuer.token("finance", ["feed"])]
        try:
            yield
        finally:
            feeds.clear()
            token.clear()


def _silent(name: str, url: str, issuer: LocalIssuer) -> tuple[Service, Settings]:
    metadata = new_metadata()
    mechanism_tables(metadata)
    service = Service(name=name, title=name, metadata=metadata)
    settings = Settings(
        database_url=create_tables(service, url),
        jwks=str(issuer.jwks),
        issuer=issuer.issuer,
        audience=issuer.audience,
    )
    return service, settings


def hear(database: Database) -> Any:
    """For who closes without a web process: nobody has anything to tell."""

    def nothing(first: date, last: date, _patience_s: float) -> Hearing:
        with database.read() as conn:
            return Hearing(obstacles=[], own_events=count_own(conn, first, last))

    return nothing
