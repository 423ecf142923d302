"""Whoever is refused finds the line of the log by the request id of the answer: with the code, and who asked where that is known."""

import json
from contextlib import ExitStack

import httpx
import pytest

from tests.support.attacks import connect, head, read_all
from tests.support.doors import Webs
from tests.support.eventually import eventually

ANSWERED = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}


@pytest.fixture(scope="module")
def door(migrated_database, make_folder):
    with ExitStack() as stack:
        webs = Webs(stack, make_folder())
        yield webs, webs.start("finance", migrated_database("finance"))


def logged(door, request_id):
    """The line of a request, which is written before its answer or right after it."""
    webs, port = door

    def found():
        text = (webs.folder / f"finance-{port}.log").read_text()
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [each for each in lines if each.get("request_id") == request_id]

    [line] = eventually(found, within_s=10)
    return line["event"], line["status"], line["code"], line["actor"]


@pytest.mark.parametrize(("role", "method", "path", "status", "code", "actor"), [
    ("qa", "POST", "/v1/sales", 403, "role_not_admitted", "the-qa"),
    ("till", "POST", "/v1/sales", 422, "payload_invalid", "the-till"),
    ("accountant", "GET", "/v1/sales/0199b1c0-0000-7000-8000-00000000dead", 404, "sale_not_found", "the-accountant"),
    (None, "POST", "/v1/sales", 401, "token_missing", None),
    (None, "GET", "/v1/nowhere", 404, "no_such_address", None),
])  # fmt: skip
def test_a_refused_request_is_logged_with_its_code_and_actor(door, role, method, path, status, code, actor):
    webs, port = door
    headers = ANSWERED | (webs.headers(role) if role else {})
    answer = httpx.request(
        method, f"http://127.0.0.1:{port}{path}", headers=headers, content=b"{}", timeout=20
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert logged(door, answer.headers["X-Request-ID"]) == ("request", status, code, actor)


@pytest.mark.parametrize(("sent", "status", "code"), [
    (b"GET /v1/sales HTTP/1.1\r\nno header\r\n\r\n", 400, "malformed"),
    (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "address_too_long"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 60_000, 431, "headers_too_large"),
])  # fmt: skip
def test_what_the_worker_refuses_before_anybody_is_known_is_logged(door, sent, status, code):
    told = raw(door, sent)
    assert (told["status"], told["code"]) == (status, code), told
    assert logged(door, told["request_id"]) == ("request", status, code, None)


def test_what_the_worker_refuses_of_an_actor_it_admitted_names_the_actor(door):
    webs, _ = door
    begun = head("POST", "/v1/sales", webs.headers("till") | ANSWERED | {"Transfer-Encoding": "chunked"})
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    told = raw(door, begun, *[chunk] * 64)
    assert (told["status"], told["code"]) == (413, "too_large")
    assert logged(door, told["request_id"]) == ("request", 413, "too_large", "the-till")


def raw(door, *pieces):
    """The problem document that comes back; what the server no longer takes is not sent."""
    with connect(door[1]) as sock:
        try:
            for piece in pieces:
                sock.sendall(piece)
        except OSError:
            pass
        return json.loads(read_all(sock).partition(b"\r\n\r\n")[2])
