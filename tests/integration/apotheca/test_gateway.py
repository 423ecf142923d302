"""The gateway as deployed, with TLS of its own: what it tells browsers, and whom it does not wait for."""

import socket
import ssl
import time
from contextlib import ExitStack

import httpx
import pytest

from apotheca import processes
from tests.support import tls
from tests.support.doors import Webs, open_gateway

READ_TIMEOUT_S = 1
"""In place of the minute that is deployed."""


@pytest.fixture(scope="module")
def gateway(migrated_database, make_folder):
    """Clients over TLS and without; reporting is there, customers answers never, returns at one of two addresses."""
    with ExitStack() as stack:
        folder = make_folder()
        webs = Webs(stack, folder)
        certificates = tls.make_files(folder / "certificates")
        reporting = webs.start("reporting", migrated_database("reporting"), TRUSTED_PROXIES="127.0.0.1")
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        tls_port = processes.free_port()
        port = open_gateway(
            stack,
            folder,
            {"reporting": [reporting], "customers": [silent], "returns": [silent, reporting]},
            tls=(tls_port, certificates),
            read_timeout_s=READ_TIMEOUT_S,
        )
        trust = ssl.create_default_context(cafile=certificates / "ca.pem")
        webs.tls = stack.enter_context(
            httpx.Client(base_url=f"https://localhost:{tls_port}", verify=trust, trust_env=False, timeout=20)
        )
        webs.plain = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)
        )
        yield webs


def test_over_tls_every_answer_keeps_browsers_with_tls_refusals_of_the_gateway_included(gateway):
    paths = ("/reporting/sign-in", "/reporting/v1/months", "/nothing", "/reporting/internal/head", "/healthz")
    for path in paths:
        answer = gateway.tls.get(path)
        assert answer.headers.get_list("Strict-Transport-Security") == [
            "max-age=31536000; includeSubDomains"
        ], path
        assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"], path
        assert "Strict-Transport-Security" not in gateway.plain.get(path).headers, path


def test_cookies_set_over_tls_come_back_over_tls_alone_and_no_script_reads_them(gateway):
    token = gateway.issuer.token("manager", ["management"])
    signed_in = gateway.tls.post("/reporting/sign-in", data={"token": token})
    assert signed_in.status_code == 303
    in_chinese = gateway.tls.get("/reporting/sign-in?lang=zh_CN")
    for answer, same_site in ((signed_in, "SameSite=Strict"), (in_chinese, "SameSite=Lax")):
        [cookie] = answer.headers.get_list("Set-Cookie")
        assert {"Secure", "HttpOnly", same_site} <= set(cookie.split("; ")), cookie
    [cookie] = gateway.plain.post("/reporting/sign-in", data={"token": token}).headers.get_list("Set-Cookie")
    assert "Secure" not in cookie.split("; "), "a browser would never send it back"


def test_a_page_lets_browsers_run_nothing_of_others_and_nobody_frame_it(gateway):
    policy = gateway.tls.get("/reporting/sign-in").headers["Content-Security-Policy"]
    told = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert told.get("script-src", told["default-src"]) in {"'self'", "'none'"}
    assert told["frame-ancestors"] == "'none'"


def test_a_service_that_does_not_answer_is_given_up_in_time_with_a_problem_document(gateway):
    begun = time.monotonic()
    answer = gateway.plain.get("/customers/v1/customers/1", headers={"X-Request-ID": "asked-1"})
    assert time.monotonic() - begun < READ_TIMEOUT_S + 10
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (503, 503, "service_unavailable")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Request-ID"] == told["request_id"] == "asked-1"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_process_that_does_not_answer_is_passed_over(gateway):
    """In the place of two processes of returns stand one that is silent and one that is not."""
    answers = [gateway.plain.get("/returns/healthz") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
