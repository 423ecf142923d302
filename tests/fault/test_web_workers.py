"""F24: web workers are forked from a process that has everything loaded, and share no connection with each other."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from apotheca.processes import free_port
from shared.identity import LocalIssuer
from tests.support.eventually import eventually
from tests.support.finance_builders import a_receipt

WORKERS = 4


@contextmanager
def web(database_url, amqp_url, folder) -> Iterator[tuple[subprocess.Popen, str, LocalIssuer]]:
    issuer = LocalIssuer(folder)
    port = free_port()
    env = os.environ | {
        "APOTHECA_DATABASE_URL": database_url,
        "APOTHECA_TRANSPORT": "amqp",
        "APOTHECA_AMQP_URL": amqp_url,
        "APOTHECA_JWKS": str(issuer.jwks),
        "APOTHECA_ISSUER": issuer.issuer,
        "APOTHECA_AUDIENCE": issuer.audience,
        "APOTHECA_WEB_WORKERS": str(WORKERS),
        "APOTHECA_PORT": str(port),
    }
    process = subprocess.Popen([sys.executable, "-m", "shared.run", "finance", "web"], env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _is_ready(address), within_s=60)
        yield process, address, issuer
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(address) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{address}/readyz", trust_env=False).status_code == 200
    return False


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sockets(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            target = str(link.readlink())
            if target.startswith("socket:"):
                found.add(target[8:-1])
    return found


def to_port(port: int) -> set[str]:
    """Inodes of this machine's TCP sockets whose other end is `port`."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[2].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


@pytest.mark.case("F24")
def test_forked_workers_share_no_database_connection_and_speak_to_no_broker(
    migrated_database, rabbitmq, tmp_path
):
    amqp_url = rabbitmq.vhost()
    with web(migrated_database("finance"), amqp_url, tmp_path) as (process, address, issuer):
        headers = {"Authorization": f"Bearer {issuer.token('till-1', ['till'])}"}

        def sell(number: int) -> None:
            with httpx.Client(trust_env=False, timeout=30) as client:
                for part in range(10):
                    key = f"{number}-{part}"
                    answer = client.post(
                        f"{address}/v1/sales",
                        json=a_receipt(f"F24-{key}"),
                        headers={**headers, "Idempotency-Key": key, "Connection": "close"},
                    )
                    assert answer.status_code == 201, answer.text

        threads = [threading.Thread(target=sell, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        workers = children(process.pid)
        assert len(workers) == WORKERS
        inherited = sockets(process.pid)
        own = {worker: sockets(worker) - inherited for worker in workers}
        assert sum(1 for each in own.values() if each) >= 2, "too few workers have worked to prove anything"
        for worker, held in own.items():
            others = set().union(*(theirs for other, theirs in own.items() if other != worker))
            assert not held & others, f"worker {worker} shares a connection"
        to_broker = to_port(urlsplit(amqp_url).port)
        assert not to_broker & (inherited | set().union(*own.values()))
