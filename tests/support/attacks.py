"""What one client may do to a server to hurt the others, over plain sockets; each is a context manager."""

import select
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import httpx

TRICKLE_EVERY_S = 1.0


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.settimeout(10)
    return sock


def head(method, path, headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def read_all(sock):
    """What comes until the server closes."""
    read = b""
    try:
        while data := sock.recv(65_536):
            read += data
    except ConnectionResetError:
        pass
    return read


@contextmanager
def kept_open(port, beginnings, *, drip=b""):
    """One connection for each beginning; a byte of `drip` now and then on each."""
    stop = threading.Event()
    with ExitStack() as stack:
        socks = []
        for beginning in beginnings:
            sock = stack.enter_context(connect(port))
            sock.sendall(beginning)
            socks.append(sock)

        def trickle():
            while not stop.wait(TRICKLE_EVERY_S):
                for sock in socks:
                    try:
                        sock.send(drip)
                    except OSError:
                        continue

        thread = threading.Thread(target=trickle, daemon=True)
        if drip:
            thread.start()
        yield socks
        stop.set()
        if drip:
            thread.join()


@contextmanager
def slow_uploads(port, prefix, tokens, *, each=9):
    """Clients that promise 50 MB each over nine connections and send a byte now and then."""
    wanted = {"Content-Type": "application/x-ndjson", "Content-Length": "50000000"}
    beginnings = [head("POST", f"{prefix}/v1/sales/bulk", token | wanted) + b"{" for token in tokens]
    with kept_open(port, beginnings * each, drip=b" "):
        yield


@contextmanager
def half_sent_without_token(port, prefix):
    """Fifty bodies that stop in the middle, and fifty heads that do."""
    wanted = {"Content-Type": "application/json", "Content-Length": "5000"}
    body = head("POST", f"{prefix}/v1/sales", wanted) + b'{"receipt_number": '
    with kept_open(port, [body] * 50 + [body[:40]] * 50):
        yield


@contextmanager
def idle_connections(port, prefix):
    """A thousand that asked once and stay."""
    with kept_open(port, [head("GET", f"{prefix}/healthz", {})] * 1_000) as socks:
        for sock in socks:
            assert sock.recv(65_536).startswith(b"HTTP/1.1 ")
        yield


@contextmanager
def half_sent(port, path, presented):
    """For each set of headers a request whose body stops after a byte; yields a function that counts the answered."""
    wanted = {"Content-Type": "application/json", "Content-Length": "5000"}
    with kept_open(port, [head("POST", path, headers | wanted) + b"{" for headers in presented]) as socks:
        poller = select.poll()
        for sock in socks:
            poller.register(sock, select.POLLIN)
        yield lambda: len(poller.poll(0))


@contextmanager
def slow_readers(port, prefix):
    """Twenty that ask for a large answer and read nothing of it."""
    asked = head("GET", f"{prefix}/docs/swagger-ui-bundle.js", {})
    with kept_open(port, [asked] * 20):
        yield


@contextmanager
def look_ups(address, headers, *, per_second=100):
    """Telephone numbers asked for one after another."""
    stop = threading.Event()
    statuses = []

    def ask():
        with httpx.Client(base_url=address, headers=headers, timeout=20) as client:
            due = time.monotonic()
            while not stop.is_set():
                number = f"+861380000{len(statuses) % 10_000:04d}"
                answer = client.post("/v1/customer-lookups", json={"phone": number})
                statuses.append(answer.status_code)
                due += 1 / per_second
                stop.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    yield statuses
    stop.set()
    thread.join()
