"""How the real web process ends: what was received is answered, what waits is taken, balancers are told before."""

import signal
import socket
import threading
import time
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from apotheca import processes
from shared.database import Database
from tests.support import attacks
from tests.support.attacks import connect, head
from tests.support.doors import Webs, open_gateway
from tests.support.eventually import eventually
from tests.support.finance_builders import a_receipt

TILLS = 2
CALM_SALES = 15


@pytest.fixture
def webs(make_folder):
    with ExitStack() as stack:
        yield Webs(stack, make_folder())


@pytest.mark.case("F31")
def test_scaling_restarting_and_rolling_behind_the_gateway_fails_no_request_and_does_none_twice(
    webs, migrated_database
):
    """Three places that the gateway knows; who is there changes under traffic."""
    url = migrated_database("finance")
    places = [processes.free_port() for _ in range(3)]
    webs.start("finance", url, port=places[0])
    gateway = open_gateway(webs.stack, webs.folder, {"finance": places})
    stop, posted, failures = threading.Event(), [], []

    def till():
        with httpx.Client(headers=webs.headers("till"), timeout=20) as client:
            while not stop.is_set():
                try:
                    answer = client.post(
                        f"http://127.0.0.1:{gateway}/finance/v1/sales",
                        json=a_receipt(),
                        headers={"Idempotency-Key": uuid4().hex},
                    )
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                    continue
                (posted if answer.status_code == 201 else failures).append(answer.text)

    def calm():
        seen = len(posted)
        eventually(lambda: failures or len(posted) > seen + CALM_SALES, within_s=60)

    threads = [threading.Thread(target=till, daemon=True) for _ in range(TILLS)]
    for thread in threads:
        thread.start()
    calm()
    webs.start("finance", url, port=places[1])  # scale
    calm()
    webs.stop(places[0])  # restart one of two
    webs.start("finance", url, port=places[0])
    calm()
    webs.start("finance", url, port=places[2])  # roll: the new one first
    webs.stop(places[0])
    webs.stop(places[1])
    calm()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert number_of_sales(url) == len(posted)


def number_of_sales(url):
    database = Database(url)
    with database.begin() as conn:
        found = conn.exec_driver_sql("select count(*) from receipts").scalar_one()
    database.dispose()
    return found


def test_a_request_that_has_begun_is_answered_after_the_signal(webs, migrated_database):
    port = webs.start("finance", migrated_database("finance"))
    body = b'{"receipt_number": ' + b" " * 300_000
    wanted = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Idempotency-Key": uuid4().hex,
    }
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
