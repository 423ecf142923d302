"""The faults a nemesis draws from. Each begins, lasts, and is healed; numbers are those of docs/faults.md."""

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError

import psycopg
from pika.exceptions import AMQPError as PikaError

from shared import topology
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.nemesis.system import System

QUEUE = topology.events_queue("reporting")
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


def broker_killed_at_a_queues_birth(system: System, dice: random.Random) -> None:
    """F05: reporting's queue is gone, it makes it anew, and the broker dies; what it should hold comes by the feed."""
    _manage(system, "DELETE", f"/api/queues/{system.vhost}/{QUEUE}")
    with suppress(AssertionError):  # who connects again later than that meets a broker that is away
        eventually(lambda: _has_queue(system), within_s=5, every_s=0.02)
    system.broker.kill()
    last(dice.uniform(0, 2))
    system.broker.start()


def _has_queue(system: System) -> bool:
    try:
        queues.depth(system.amqp_url, QUEUE)
    except PikaError:
        return False
    return True


def _manage(system: System, method: str, path: str, said: object = None) -> None:
    """Ask the management API, which may still be on its way after the broker; what is not there needs no deleting."""
    body = None if said is None else json.dumps(said).encode()

    def answers() -> bool:
        try:
            system.broker.management(method, path, body)
        except HTTPError as error:
            return error.code == 404
        except OSError:
            return False
        return True

    eventually(answers, within_s=60)


def binding_forgotten(system: System, dice: random.Random) -> None:
    """F11: what is published meanwhile does not come to reporting; nobody tells the relay, the observer has it."""
    path = f"/api/bindings/{system.vhost}/e/{topology.EVENTS.name}/q/{QUEUE}"
    _manage(system, "DELETE", f"{path}/finance.%23")
    try:
        last(dice.uniform(0.5, 4))
    finally:
        _manage(system, "POST", path, {"routing_key": "finance.#"})


def queue_full(system: System, dice: random.Random) -> None:
    """F12: nobody reads reporting's queue and it takes no more; the relay publishes again what was refused."""
    system.kill("reporting/consumer")
    policy = {"pattern": f"^{QUEUE}$", "definition": {"max-length": 5}, "apply-to": "queues"}
    path = f"/api/policies/{system.vhost}/full"
    _manage(system, "PUT", path, policy)
    try:
        last(dice.uniform(1, 5))
    finally:
        _manage(system, "DELETE", path)
        system.start("reporting/consumer")


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
    "binding forgotten (F11)": binding_forgotten,
    "queue full (F12)": queue_full,
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
"""Those that lose what the broker confirmed (F11) or refuse it (F12) strike reporting's queue alone."""
FORGETFUL: dict[str, Fault] = {"broker killed at a queue's birth (F05)": broker_killed_at_a_queues_birth}
"""The broker may lose what it confirmed for any of its queues (seen: events of a queue that was there before, when it
was killed twice in a row while another was made). Who has a feed gets them back; so these are drawn where everybody
has one."""


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
