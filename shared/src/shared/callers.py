"""Who calls: the actor behind a token, and the address behind the gateway.

Promises: an address is the peer's own, unless the peer is one of `trusted_proxies`: then it is the last one that
the peer names in X-Forwarded-For. Of an address that presents FAILURES_PER_MINUTE_MAX unacceptable tokens in a
minute the next ones are answered 429 instead of 401; an acceptable token is always believed, because
others at the same address must not be shut out by a guesser (a signature cannot be guessed, only the load bounded).
Counted per process.
"""

import ipaddress
import threading
import time
from collections import OrderedDict

from flask import current_app, request

from shared.errors import TooMany
from shared.identity import Actor, TokenInvalid, Verifier
from shared.settings import Settings

FAILURES_PER_MINUTE_MAX = 30
ADDRESSES_REMEMBERED_MAX = 10_000
MINUTE_S = 60


class TooManyFailedSignIns(TooMany):
    code = "too_many_failed_sign_ins"
    cure = "Wait `Retry-After` seconds, then sign in with a valid token."


class Failures:
    """How many unacceptable tokens each address presented in the present minute; the oldest are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, address: str, now_s: float) -> int:
        """Count one more; the seconds to wait when there were too many, else 0."""
        with self._lock:
            began_s, count = self._counted.pop(address, (now_s, 0))
            if now_s - began_s >= MINUTE_S:
                began_s, count = now_s, 0
            self._counted[address] = (began_s, count + 1)
            while len(self._counted) > ADDRESSES_REMEMBERED_MAX:
                self._counted.popitem(last=False)
        return 0 if count < FAILURES_PER_MINUTE_MAX else max(1, round(began_s + MINUTE_S - now_s))


def authenticate(authorization: str | None) -> Actor:
    """Raises what Verifier.actor raises, and TooManyFailedSignIns."""
    verifier: Verifier = current_app.extensions["verifier"]
    try:
        return verifier.actor(authorization)
    except TokenInvalid:
        failures: Failures = current_app.extensions["failures"]
        wait_s = failures.count(address(), time.monotonic())
        if wait_s:
            raise TooManyFailedSignIns(
                "too many unacceptable tokens came from this address; try again later", retry_after_s=wait_s
            ) from None
        raise


def address() -> str:
    """The client's address, of this request."""
    settings: Settings = current_app.extensions["settings"]
    peer = request.remote_addr or ""
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if not told or not settings.trusted_proxies or not _is_trusted(peer, settings.trusted_proxies):
        return peer
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        return peer


def _is_trusted(peer: str, trusted: tuple[str, ...]) -> bool:
    try:
        told_by = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(told_by in ipaddress.ip_network(each) for each in trusted)
