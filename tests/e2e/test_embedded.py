"""The embedded system as a process: it heals, stops cleanly, and leaves nothing behind however it ends."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.length import short_or_full
from tests.support.ports import five_free_ports
from tests.support.processes import family_of, is_alive, slowed, using

UP_WITHIN_S = 300
GONE_WITHIN_S = 30


class Running:
    """`apotheca up` in a process of its own."""

    def __init__(self, folder, first_port, *, waits=True):
        self.folder = folder
        self.said = folder / "said"
        self.first_port = first_port
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                command(folder, first_port), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        if waits:
            eventually(self.is_up, within_s=UP_WITHIN_S)

    def is_up(self):
        assert self.process.poll() is None, self.said.read_text()
        return "Ctrl-C stops it" in self.said.read_text()

    def has_said(self, words):
        return words in self.said.read_text()

    def family(self):
        return family_of(self.process.pid)

    def answers(self, service_number):
        address = f"http://127.0.0.1:{self.first_port + service_number}/readyz"
        return httpx.get(address, trust_env=False, timeout=5).status_code == 200

    def leaves_nothing(self):
        return eventually(lambda: not using(self.folder / "var"), within_s=GONE_WITHIN_S)


def command(folder, first_port):
    options = ["--folder", str(folder / "var"), "--first-port", str(first_port)]
    return [sys.executable, "-m", "apotheca", "up", *options]


@pytest.fixture
def running(make_folder):
    started = Running(make_folder(), five_free_ports())
    yield started
    started.process.kill()
    started.process.wait()


def test_a_killed_service_comes_back_and_a_signal_stops_all(running):
    listening = subprocess.run(
        ["ss", "-ltnpH", f"sport = :{running.first_port + 1}"], capture_output=True, text=True, check=False
    )
    web = int(re.search(r"pid=(\d+)", listening.stdout)[1]) if listening.stdout else None
    family = running.family()
    victims = [web] if web else [max(family)]
    os.killpg(os.getpgid(victims[0]), signal.SIGKILL)
    eventually(lambda: "restart 1 of 5" in running.said.read_text(), within_s=10)
    assert eventually(lambda: running.answers(1), within_s=30)
    family |= running.family()
    running.process.terminate()
    assert running.process.wait(30) == 0, running.said.read_text()
    assert not any(is_alive(pid) for pid in family)
    assert "Traceback" not in running.said.read_text()


def test_killed_itself_it_leaves_nothing_and_starts_again_at_once_on_the_same_data(running):
    family = running.family()
    assert len(family) >= 11
    second = subprocess.run(
        command(running.folder, running.first_port), capture_output=True, text=True, check=False, timeout=120
    )
    assert second.returncode == 3
    assert f"is in use by another run (process {running.process.pid})" in second.stderr
    running.process.kill()
    running.process.wait()
    again = Running(running.folder, running.first_port)
    assert not any(is_alive(pid) for pid in family)
    assert all(again.answers(number) for number in range(5))
    again.process.send_signal(signal.SIGINT)
    assert again.process.wait(30) == 0, again.said.read_text()
    assert again.leaves_nothing()


@pytest.mark.parametrize(
    ("step", "number"),
    [
        ("starting PostgreSQL", signal.SIGKILL),
        ("loading the programs", signal.SIGINT),
        ("migrating customers", signal.SIGKILL),
        ("starting finance web", signal.SIGINT),
    ],
)
def test_ended_at_any_step_of_its_start_it_leaves_nothing(make_folder, step, number):
    started = Running(make_folder(), five_free_ports(), waits=False)
    try:
        eventually(lambda: started.has_said(step), within_s=UP_WITHIN_S)
        started.process.send_signal(number)
        assert started.process.wait(60) in {130, -signal.SIGKILL}
        assert started.leaves_nothing()
        assert "Traceback" not in started.said.read_text()
    finally:
        with suppress(ProcessLookupError):
            started.process.kill()


def test_a_machine_of_a_tenth_of_the_speed_starts_it_all_the_same(make_folder):
    started = Running(make_folder(), five_free_ports(), waits=False)
    try:
        with slowed(started.process.pid, short_or_full(0.2, 0.1)):
            eventually(started.is_up, within_s=UP_WITHIN_S)
        said = started.said.read_text()
        assert re.search(r"\[ 2/24\] starting PostgreSQL +[0-9. s…]+ s\n", said)
        assert all(started.answers(number) for number in range(5))
        started.process.terminate()
        assert started.process.wait(60) == 0, started.said.read_text()
        assert started.leaves_nothing()
    finally:
        with suppress(ProcessLookupError):
            started.process.kill()
