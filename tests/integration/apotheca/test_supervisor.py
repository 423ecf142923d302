"""Processes of the embedded system: revived with a bound, stopped together, never left behind."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from apotheca import processes
from apotheca.supervisor import LOG_BYTES_MAX, RESTARTS_MAX, Program, Supervisor
from tests.support.eventually import eventually

SLEEPER = "import signal; signal.pause()"


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    made = Supervisor(tmp_path, say=said.append)
    yield made
    made.stop()


def program(code, name="finance web"):
    def start(log):
        with log.open("ab") as output:
            return processes.spawn([sys.executable, "-S", "-c", code], log=output)

    return Program(name, start)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_that_dies_is_started_again_and_it_is_said(supervisor, said):
    supervisor.start(program(SLEEPER))
    supervisor.watch()
    first = supervisor.pids()["finance web"]
    os.kill(first, 9)
    second = eventually(
        lambda: said and supervisor.pids()["finance web"] != first and supervisor.pids()["finance web"]
    )
    assert is_alive(second)
    assert "finance web ended (exit code -9); restart 1 of 5" in said[0]


def test_a_log_stays_within_its_bound_while_its_process_runs(supervisor, said):
    talker = f"import signal, sys; signal.signal(10, lambda *_: print('still here', flush=True)); print('x' * {LOG_BYTES_MAX + 1}, flush=True)"  # fmt: skip
    supervisor.start(program(f"{talker}\nwhile True: signal.pause()"))
    supervisor.watch()
    log = supervisor.log("finance web")
    eventually(lambda: log.with_suffix(".log.1").exists() and log.stat().st_size == 0)
    os.kill(supervisor.pids()["finance web"], 10)
    eventually(lambda: log.read_text() == "still here\n")
    assert said == []


def test_a_process_that_dies_again_and_again_ends_the_system(supervisor, said):
    supervisor.start(program("import sys; sys.exit('no money left')"))
    supervisor.watch()
    assert supervisor.gave_up.wait(20)
    assert len(said) == RESTARTS_MAX + 1
    assert said[-1].endswith("no money left")


def test_stopping_leaves_nothing_behind_even_of_the_deaf(supervisor):
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    supervisor.start(program(SLEEPER, "finance web"))
    supervisor.start(program(deaf, "finance background"))
    eventually(lambda: "deaf" in supervisor.log("finance background").read_text())
    pids = supervisor.pids()
    supervisor.stop()
    assert not any(is_alive(pid) for pid in pids.values())


def test_processes_die_with_a_parent_that_was_killed():
    parent = textwrap.dedent(f"""
        import signal, subprocess, sys
        from apotheca import processes
        child = processes.spawn([sys.executable, "-S", "-c", {SLEEPER!r}], log=subprocess.DEVNULL)
        print(child.pid, flush=True)
        signal.pause()
    """)
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as killed:
        child = int(killed.stdout.readline())
        assert is_alive(child)
        killed.kill()
    assert eventually(lambda: not is_alive(child))
