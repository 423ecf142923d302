"""The process that starts the others: every answer is for its own question, and nobody outlives it."""

import os
import signal
import threading
from pathlib import Path

import pytest

from apotheca.nursery import Child, Nursery
from tests.support.eventually import eventually
from tests.support.processes import family_of, is_alive

PATIENCE_S = 1.5


@pytest.fixture
def nursery(make_folder):
    folder = make_folder()
    with (folder / "nursery.log").open("wb") as log:
        opened = Nursery(log)
    opened.folder = folder
    yield opened
    os.kill(opened.pid, signal.SIGCONT)
    opened.close()


def born(nursery, role, **options):
    """A child that waits: a relay of a database that is not there."""
    url = f"postgresql+psycopg://nobody@/none?host={nursery.folder}"
    log = Path(nursery.folder) / f"{role}.log"
    return nursery.spawn("customers", role, env={"APOTHECA_DATABASE_URL": url}, log=log, **options)


def test_a_late_birth_is_ended_and_never_taken_for_the_next_process(nursery):
    first = born(nursery, "relay")
    os.kill(nursery.pid, signal.SIGSTOP)
    with pytest.raises(ChildProcessError, match="stood still"):
        born(nursery, "scheduler", still_s=PATIENCE_S)
    os.kill(nursery.pid, signal.SIGCONT)
    third = born(nursery, "relay")
    assert eventually(lambda: name_of(third.pid) == "customer relay")
    assert eventually(lambda: family_of(nursery.pid) == {first.pid, third.pid}, within_s=20)


def test_a_signal_reaches_its_own_process_and_no_other(nursery):
    one, other = born(nursery, "relay"), born(nursery, "scheduler")
    one.send_signal(signal.SIGTERM)
    assert one.wait(30) == 0
    one.send_signal(signal.SIGKILL)
    assert other.poll() is None
    other.send_signal(signal.SIGKILL)
    assert other.wait(30) == -signal.SIGKILL


def test_signalling_what_was_never_born_or_has_ended_harms_nobody(nursery):
    alive = born(nursery, "relay")
    stranger = Child(nursery, 999, alive.pid)
    stranger.send_signal(signal.SIGKILL)
    assert born(nursery, "scheduler").poll() is None  # answered after the signal was
    assert alive.poll() is None


def test_children_end_with_a_nursery_that_is_killed(nursery):
    child = born(nursery, "relay")
    os.kill(nursery.pid, signal.SIGKILL)
    assert child.wait(30) == -signal.SIGTERM
    assert eventually(lambda: not is_alive(child.pid), within_s=20)


def test_whoever_waits_for_a_birth_hears_of_the_end_of_the_nursery(nursery):
    os.kill(nursery.pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (nursery.pid, signal.SIGKILL)).start()
    with pytest.raises(ChildProcessError, match="is gone"):
        born(nursery, "relay")


def name_of(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip()
