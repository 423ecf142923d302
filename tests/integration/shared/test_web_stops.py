"""How the real web process ends: what was received is answered, what waits is taken, balancers are told before."""

import signal
import socket
import threading
import time
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from tests.support import attacks
from tests.support.attacks import connect, head
from tests.support.doors import Webs
from tests.support.eventually import eventually
from tests.support.finance_builders import a_receipt

TILLS = 2


@pytest.fixture
def webs(make_folder):
    with ExitStack() as stack:
        yield Webs(stack, make_folder())


def test_two_processes_are_restarted_under_traffic_and_a_till_that_asks_the_other_loses_nothing(
    webs, migrated_database
):
    """A till does here what the gateway does: it tries the next process when one does not take its request."""
    url = migrated_database("finance")
    ports = [webs.start("finance", url) for _ in range(2)]
    stop, posted, failures = threading.Event(), [], []

    def till():
        headers = webs.headers("till")
        while not stop.is_set():
            key, receipt = {"Idempotency-Key": uuid4().hex}, a_receipt()
            for port in [*ports, *reversed(ports)]:
                try:
                    answer = httpx.post(
                        f"http://127.0.0.1:{port}/v1/sales", json=receipt, headers=headers | key, timeout=20
                    )
                except httpx.TransportError:
                    continue
                (posted if answer.status_code == 201 else failures).append(answer.text)
                break
            else:
                failures.append("nobody answered")

    threads = [threading.Thread(target=till, daemon=True) for _ in range(TILLS)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        seen = len(posted)
        eventually(lambda seen=seen: len(posted) > seen + 20, within_s=30)
        webs.stop(ports[0])
        ports.pop(0)
        seen = len(posted)
        eventually(lambda seen=seen: len(posted) > seen + 20, within_s=30)
        ports.append(webs.start("finance", url))
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(posted) >= 80


def test_a_request_that_has_begun_is_answered_after_the_signal(webs, migrated_database):
    port = webs.start("finance", migrated_database("finance"))
    body = b'{"receipt_number": ' + b" " * 300_000
    wanted = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    with connect(port) as sock:
        sock.sendall(head("POST", "/v1/sales", webs.headers("till") | wanted) + body[:10])
        eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200)
        webs.running[port].send_signal(signal.SIGTERM)
        eventually(lambda: refuses(port), within_s=5)
        sock.sendall(body[10:])
        answer = sock.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Connection: close" in answer
    assert webs.running[port].wait(timeout=10) == 0


def test_while_it_drains_it_says_so_and_still_answers(webs, migrated_database):
    port = webs.start("finance", migrated_database("finance"), DRAIN_S="2")
    webs.running[port].send_signal(signal.SIGTERM)
    told = eventually(lambda: not_ready(port), within_s=2)
    assert told.json() == {"status": "stopping"}
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    assert webs.running[port].wait(timeout=10) == 0


def test_whoever_only_stays_connected_does_not_delay_the_end(webs, migrated_database):
    port = webs.start("finance", migrated_database("finance"))
    asked = head("GET", "/healthz", {})
    with attacks.kept_open(port, [asked] * 20 + [b""] * 20) as socks:
        for sock in socks[:20]:
            assert sock.recv(65_536).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        webs.stop(port)
        assert time.monotonic() - began < 5


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def not_ready(port):
    answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
    return answer if answer.status_code == 503 else None
