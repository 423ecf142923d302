"""Scaling, restarting and rolling the web processes of a service under traffic: no request fails, none is done twice.

The composed system reduced to PostgreSQL, finance and the gateway, with two replicas; tills post without repeating.
"""

import subprocess
import threading
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from apotheca import processes, secret_files
from shared.identity import LocalIssuer
from tests.support.composed import ROOT, SECRETS, compose, environment_of
from tests.support.eventually import eventually
from tests.support.finance_builders import a_receipt

PROJECT = "apotheca-scaling"
TILLS = 4
CALM_SALES = 60
WEB = "finance-web"


@pytest.fixture(scope="module")
def finance():
    secret_files.make(SECRETS)
    port = processes.free_port()
    environment = environment_of(PROJECT, port)
    compose(environment, "down", "--volumes", "--timeout", "5", check=False)
    try:
        compose(environment, "build", WEB)
        compose(environment, "up", "--detach", "--wait", "--no-deps", "postgres")
        compose(environment, "run", "--rm", "--no-deps", "finance-migrate")
        compose(environment, "up", "--detach", "--wait", "--no-deps", WEB, "gateway")
        yield Deployment(environment, f"http://127.0.0.1:{port}/finance")
    finally:
        compose(environment, "down", "--volumes", "--timeout", "5", check=False)


class Deployment:
    def __init__(self, environment, address):
        self.environment = environment
        self.address = address
        self.headers = {"Authorization": f"Bearer {LocalIssuer(SECRETS).token('till-1', ['till'])}"}

    def compose(self, *arguments):
        return compose(self.environment, *arguments)

    def containers(self):
        asked = ["docker", "compose", "ps", "--quiet", WEB]
        return subprocess.run(
            asked, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        ).stdout.split()

    def sales(self):
        """How many sales there are, and how many different receipts of them."""
        asked = "select count(*) || ' ' || count(distinct receipt_number) from receipts"
        command = ["exec", "-T", "postgres", "psql", "-U", "postgres", "-At", "-c", asked, "finance"]
        return [int(each) for each in self.compose(*command).split()[-2:]]

    @contextmanager
    def traffic(self):
        """Tills that post until the block ends, and some sales longer; what they saw is judged then."""
        stop, posted, failures = threading.Event(), [], []

        def till():
            with httpx.Client(headers=self.headers, timeout=20) as client:
                while not stop.is_set():
                    receipt = a_receipt()
                    try:
                        answer = client.post(
                            f"{self.address}/v1/sales", json=receipt, headers={"Idempotency-Key": uuid4().hex}
                        )
                    except httpx.HTTPError as error:
                        failures.append(repr(error))
                        continue
                    (posted if answer.status_code == 201 else failures).append(answer.text[:200])

        before, _ = self.sales()
        threads = [threading.Thread(target=till, daemon=True) for _ in range(TILLS)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(posted) + len(failures) >= CALM_SALES, within_s=30)
        yield
        seen = len(posted) + len(failures)
        eventually(lambda: len(posted) + len(failures) >= seen + CALM_SALES, within_s=30)
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == [], f"{len(failures)} of {len(posted) + len(failures)}: {failures[:3]}"
        there, different = self.sales()
        assert there == different == before + len(posted)


@pytest.mark.case("F31")
def test_scaling_restarting_and_rolling_under_traffic_fails_no_request_and_does_none_twice(finance):
    with finance.traffic():
        finance.compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", "--scale", f"{WEB}=3", WEB)
    with finance.traffic():
        finance.compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", "--scale", f"{WEB}=2", WEB)
    with finance.traffic():
        subprocess.run(["docker", "restart", finance.containers()[0]], check=True, capture_output=True)
        finance.compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", "--scale", f"{WEB}=2", WEB)
    old = set(finance.containers())
    with finance.traffic():
        rolled = subprocess.run(
            ["deploy/roll.sh", "finance"], cwd=ROOT, env=finance.environment | {"APOTHECA_ROLL_BUILDS": "no"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert rolled.returncode == 0, rolled.stderr
    new = set(finance.containers())
    assert len(new) == 2
    assert not new & old


def test_with_no_process_left_the_gateway_says_503_in_line_body_and_header(finance):
    finance.compose("stop", WEB)
    answer = httpx.get(f"{finance.address}/v1/sales", timeout=20)
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (503, 503, "service_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Content-Type"] == "application/problem+json"
