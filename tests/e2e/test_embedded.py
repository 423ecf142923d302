"""The embedded system as a process: it heals, stops cleanly, and leaves nothing behind however it ends."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.ports import five_free_ports

UP_WITHIN_S = 120


class Running:
    """`apotheca up` in a process of its own."""

    def __init__(self, folder, first_port):
        self.folder = folder
        self.said = folder / "said"
        self.first_port = first_port
        command = [
            sys.executable,
            "-m",
            "apotheca",
            "up",
            "--folder",
            str(folder / "var"),
            "--first-port",
            str(first_port),
        ]
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        eventually(self.is_up, within_s=UP_WITHIN_S)

    def is_up(self):
        assert self.process.poll() is None, self.said.read_text()
        return "Ctrl-C stops it" in self.said.read_text()

    def family(self):
        """Return the ids of all its processes: children, and children of children."""
        parents = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
        found = {self.process.pid}
        while more := {child for child, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}

    def answers(self, service_number):
        address = f"http://127.0.0.1:{self.first_port + service_number}/readyz"
        return httpx.get(address, trust_env=False, timeout=5).status_code == 200


@pytest.fixture
def running(make_folder):
    started = Running(make_folder(), five_free_ports())
    yield started
    started.process.kill()
    started.process.wait()


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


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


def test_killed_itself_it_leaves_nothing_and_starts_again_on_the_same_data(running):
    family = running.family()
    assert len(family) >= 11
    running.process.kill()
    assert eventually(lambda: not any(is_alive(pid) for pid in family), within_s=30)
    again = Running(running.folder, running.first_port)
    assert all(again.answers(number) for number in range(5))
    again.process.send_signal(signal.SIGINT)
    assert again.process.wait(30) == 0, again.said.read_text()
