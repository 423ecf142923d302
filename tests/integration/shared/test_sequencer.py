"""Numbers are contiguous, in each aggregate's order, and the day totals always agree with them."""

import threading

import pytest
from sqlalchemy import text

from shared.leadership import Leadership
from shared.sequencer import number_events
from tests.support import ledger_service as ledger
from tests.support.eventually import eventually

pytestmark = pytest.mark.requirement("X3")


def number_everything(database) -> int:
    numbered = 0
    while True:
        with database.begin() as conn:
            count = number_events(conn, 37)
        if not count:
            return numbered
        numbered += count


def test_competing_sequencers_number_every_event_once_and_without_gaps(open_world):
    till = open_world("feed").till
    stop = threading.Event()
    counts = []

    def sequence() -> None:
        numbered = 0
        while not stop.is_set():
            numbered += number_everything(till)
        counts.append(numbered + number_everything(till))

    threads = [threading.Thread(target=sequence) for _ in range(3)]
    for thread in threads:
        thread.start()
    with ledger.tills(till, writers=4, wait_s=0.005, share_undone=0.2) as posted:
        eventually(lambda: posted.done > 150, within_s=30)
    stop.set()
    for thread in threads:
        thread.join()
    with till.begin() as conn:
        numbers = list(conn.execute(text("select seq from outbox order by seq")).scalars())
        disorder = conn.execute(
            text(
                "select count(*) from outbox a join outbox b on a.aggregate = b.aggregate"
                " and a.subject = b.subject and a.version < b.version and a.seq > b.seq"
            )
        ).scalar_one()
        produced = conn.execute(
            text("select day, type, count(*), sum(amount_fen) from outbox group by 1, 2 order by 1, 2")
        ).all()
        totals = conn.execute(
            text("select day, type, events, amount_fen from outbox_totals order by 1, 2")
        ).all()
        head = conn.execute(text("select last_seq from outbox_head")).scalar_one()
    assert numbers == list(range(1, len(numbers) + 1))
    assert sum(counts) == len(numbers) == head
    assert disorder == 0
    assert produced == totals


def test_an_event_committed_late_with_a_low_id_gets_a_later_number(open_world):
    till = open_world("feed").till
    with till.engine.connect() as slow:
        ledger.post(ledger.tx_on(slow), "slow", 1)
        ledger.post_many(till, 3)
        assert number_everything(till) == 3
        slow.commit()
    assert number_everything(till) == 1
    with till.begin() as conn:
        assert (
            conn.execute(text("select subject from outbox order by seq desc limit 1")).scalar_one() == "slow"
        )


def test_numbering_nothing_changes_nothing(open_world):
    till = open_world("feed").till
    assert number_everything(till) == 0
    assert number_everything(till) == 0


def test_a_duty_passes_to_the_standby_when_the_leader_goes(open_world):
    url = open_world("feed").till.url
    with Leadership(url, "relay:test") as leader, Leadership(url, "relay:test") as standby:
        assert leader.held()
        assert not standby.held()
        leader.release()
        assert eventually(standby.held)
