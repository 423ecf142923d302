"""Consumers that write tables divided by month open years of unseen months at once, in any order."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from reporting.app import SERVICE as REPORTING
from returns.app import SERVICE as RETURNS
from shared.consumer import apply_batch
from shared.database import Database
from tests.support import facts
from tests.support.returns_builders import a_sale

CONSUMERS = 6
MONTHS = [date(year, month, 15) for year in (2007, 2008) for month in range(1, 13)]


def a_sold_line_of(day, seq):
    return a_sale(seq, sold_at=datetime(day.year, day.month, day.day, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("service", "event", "table", "first_column"),
    [
        (REPORTING, lambda day, seq: facts.sale(seq, day=day), "facts.fact_sales", "day"),
        (RETURNS, a_sold_line_of, "sold_lines", "sale_day"),
    ],
    ids=["reporting", "returns"],
)
def test_consumers_open_two_years_in_any_order(migrated_database, service, event, table, first_column):
    database = Database(migrated_database(service.name), pool_size=CONSUMERS)
    events = [event(day, seq) for seq, day in enumerate(MONTHS * CONSUMERS, start=1)]
    random.Random(7).shuffle(events)
    batches = [events[at : at + 5] for at in range(0, len(events), 5)]
    with ThreadPoolExecutor(CONSUMERS) as pool:
        results = list(pool.map(lambda batch: apply_batch(database, service, batch), batches))
    assert [each.parked for each in results] == [0] * len(results)
    with database.begin() as conn:
        stored = conn.exec_driver_sql(
            f"select count(*), count(distinct date_trunc('month', {first_column})) from {table}"
        ).one()
    database.dispose()
    assert tuple(stored) == (len(events), len(MONTHS))
