"""The process that starts the others, and what we know of its children."""

import signal
import subprocess
import sys

import pytest

from apotheca.nursery import Child, Nursery


@pytest.fixture(scope="module")
def nursery(make_folder):
    with (make_folder() / "nursery.log").open("wb") as log:
        opened = Nursery(log)
        yield opened
        opened.close()


def test_stopping_a_process_whose_end_was_not_told_yet_is_no_fault(nursery):
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    child = Child(nursery, gone.pid)
    assert child.poll() is None, "nobody told its end"
    child.send_signal(signal.SIGTERM)
