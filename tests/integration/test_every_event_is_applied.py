"""What a published schema admits, every subscriber applies: at each bound and at random, on real databases."""

import os
import random

import pytest

from deploy.generate.payloads import every_declared
from shared import parking
from shared.consumer import apply_batch
from shared.database import Database
from shared.service import load
from shared.settings import SERVICES
from tests.support.arbitrary_events import REFUSED_FOR_WHAT_THEY_MEAN, WAYS, arbitrary_event

RANDOM_EVENTS = int(os.environ.get("APOTHECA_TEST_EVENTS", "4"))
"""Per type and subscriber, beside those at the bounds; raise it for a longer hunt."""
SEED = int(os.environ.get("APOTHECA_TEST_SEED", "20260228"))
BATCH = 50

SUBSCRIBERS = [package for package in SERVICES if load(package).sources]


@pytest.mark.parametrize("package", SUBSCRIBERS)
def test_every_event_that_its_schema_admits_is_applied(package, migrated_database):
    service = load(package)
    rng = random.Random(SEED)
    ways = [*WAYS, *["any"] * RANDOM_EVENTS]
    seqs = dict.fromkeys(service.sources, 0)
    events = []
    for kind in every_declared():
        source = kind.partition(".")[0]
        if source in seqs:
            for way in ways:
                seqs[source] += 1
                events.append(arbitrary_event(kind, way, rng, seq=seqs[source]))
    rng.shuffle(events)
    database = Database(migrated_database(package), pool_size=2)
    for start in range(0, len(events), BATCH):
        apply_batch(database, service, events[start : start + BATCH])
    with database.begin() as conn:
        parked = parking.list_parked(conn)
    database.dispose()
    unexplained = [
        f"{each['type']} {each['reason_code']}: {each['reason']}"
        for each in parked
        if (package, each["reason_code"]) not in REFUSED_FOR_WHAT_THEY_MEAN
    ]
    assert unexplained == [], "\n".join([f"seed {SEED}", *unexplained])
