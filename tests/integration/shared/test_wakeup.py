"""The bell of the relay: who rings is heard, and many rings at once are few notifications."""

import time

from shared import postgres
from shared.wakeup import CHANNEL, PAUSE_S, Wakeup

RINGING_S = 0.3


def test_a_ring_is_heard_and_rings_close_together_become_few(migrated_database):
    url = migrated_database("returns")
    bell = Wakeup(url)
    with postgres.connect(url) as ear:
        ear.execute(f"listen {CHANNEL}")
        bell.ring()
        assert list(ear.notifies(timeout=10, stop_after=1)), "the first ring is heard"
        began = time.monotonic()
        while time.monotonic() < began + RINGING_S:
            bell.ring()
        taken_s = time.monotonic() - began
        heard = len(list(ear.notifies(timeout=1)))
        assert 1 <= heard <= taken_s / PAUSE_S + 2
        bell.ring()
        assert list(ear.notifies(timeout=10, stop_after=1)), "who rings last is heard too"
    bell.close()
