"""The faults a nemesis draws from. Each begins, lasts, and is healed; numbers are those of docs/faults.md."""

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg

from tests.support.eventually import eventually
from tests.support.nemesis.system import System

Fault = Callable[[System, random.Random], None]


def last(seconds: float) -> None:
    """A fault has a length of its own; this is not waiting for a result."""
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= end, within_s=seconds + 1)


def _killed(name: str) -> Fault:
    def fault(system: System, dice: random.Random) -> None:
        system.kill(name)
        last(dice.uniform(0, 1))
        system.start(name)

    return fault


def broker_killed(system: System, dice: random.Random) -> None:
    """F04, F06"""
    system.broker.kill()
    last(dice.uniform(0, 3))
    system.broker.start()


def broker_short_of_memory(system: System, dice: random.Random) -> None:
    """F07"""
    system.broker.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        last(dice.uniform(0.5, 3))
    finally:
        system.broker.ctl("set_vm_memory_high_watermark", "0.4")


def network_silent(system: System, dice: random.Random) -> None:
    """F08"""
    network = dice.choice(sorted(system.networks.items()))[1]
    network.silence(*dice.choice((("up",), ("down",), ("up", "down"))))
    try:
        last(dice.uniform(0.5, 14))
    finally:
        network.heal()


def network_reset(system: System, dice: random.Random) -> None:
    """F09"""
    for _ in range(dice.randint(1, 4)):
        for network in system.networks.values():
            network.reset()
        last(dice.uniform(0.1, 1))


def network_slow(system: System, dice: random.Random) -> None:
    """F10"""
    for network in system.networks.values():
        network.delay_s = 0.2
    try:
        last(dice.uniform(1, 4))
    finally:
        for network in system.networks.values():
            network.delay_s = 0.0


def producers_database_killed(system: System, dice: random.Random) -> None:
    """F13"""
    system.producer.kill()
    last(dice.uniform(0, 2))
    system.producer.start()


def readers_database_killed(system: System, dice: random.Random) -> None:
    """F14"""
    system.readers.kill()
    last(dice.uniform(0, 3))
    system.readers.start()


def database_paused(system: System, dice: random.Random) -> None:
    """The server lives and does not answer."""
    server = dice.choice((system.producer, system.readers))
    server.pause()
    try:
        last(dice.uniform(0.5, 6))
    finally:
        server.resume()


def clock_jumps(system: System, dice: random.Random) -> None:
    """F30"""
    system.set_clock(dice.choice((-3_600, 3_600, -60, 60)))
    try:
        last(dice.uniform(1, 4))
    finally:
        system.set_clock(0)


def connections_exhausted(system: System, dice: random.Random) -> None:
    """Somebody else takes every connection that the producer's server has left."""
    url = system.urls["finance"].replace("postgresql+psycopg://", "postgresql://")
    with ExitStack() as held:
        with suppress(psycopg.OperationalError):
            for _ in range(500):
                held.enter_context(psycopg.connect(url, connect_timeout=2))
        last(dice.uniform(0.5, 3))


def disk_full(system: System, dice: random.Random) -> None:
    """The volume of the readers' database is filled to its last byte, then freed."""
    filler = system.readers.folder / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], check=False, capture_output=True)
    try:
        last(dice.uniform(0.5, 3))
    finally:
        filler.unlink()
        with suppress(Exception):  # a server that could not write its log of changes has stopped itself
            system.readers.start()


FAULTS: dict[str, Fault] = {
    "relay killed (F01, F02)": _killed("finance/relay"),
    "second relay killed (F01, F21)": _killed("finance/relay#2"),
    "reporting killed (F03)": _killed("reporting/consumer"),
    "observer killed (F03)": _killed("observer/consumer"),
    "web killed": _killed("finance/web"),
    "broker killed (F04, F06)": broker_killed,
    "broker short of memory (F07)": broker_short_of_memory,
    "network silent (F08)": network_silent,
    "network reset (F09)": network_reset,
    "network slow (F10)": network_slow,
    "producer's database killed (F13)": producers_database_killed,
    "readers' database killed (F14)": readers_database_killed,
    "database paused": database_paused,
    "clock jumps (F30)": clock_jumps,
    "connections exhausted": connections_exhausted,
}
"""Those that lose what the broker confirmed (F05, F11, F12, F18) are not here: the observer has no feed to mend them."""


@contextmanager
def small_volume(folder: Path, megabytes: int = 512) -> Iterator[bool]:
    """A volume of its own on `folder`, where this machine lets us; says whether it could be made."""
    folder.mkdir(parents=True, exist_ok=True)
    made = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
            check=False,
            capture_output=True,
        ).returncode
        == 0
    )
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
