"""Who calls: the actor behind a token, and the address behind the gateway.

Promises: an address is the peer's own, unless the peer is one of `trusted_proxies`: then it is the last one that
the peer names in X-Forwarded-For; of IPv6 it is the /64, because a client chooses the rest itself. What is counted is
counted for a verified actor, or for an address: never for what a client may invent, and the two never mix. Of an address that presents FAILURES_PER_MINUTE_MAX unacceptable tokens in a
minute the next ones are answered 429 instead of 401; an acceptable token is always believed, because
others at the same address must not be shut out by a guesser (a signature cannot be guessed, only the load bounded).
Counted per process.
"""

import ipaddress
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache

from flask import current_app, request

from shared.errors import TooMany
from shared.identity import Actor, TokenInvalid, Verifier, bearer_token
from shared.settings import Settings
from shared.web import PAGE_COOKIE

FAILURES_PER_MINUTE_MAX = 30
ADDRESSES_REMEMBERED_MAX = 10_000
MINUTE_S = 60
IPV6_SITE_BITS = 64
_ADDRESS = "address "
_COOKIE_TOKEN = re.compile(rf"(?:^|;)[ \t]*{PAGE_COOKIE}=([^;]*)".encode())

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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


def presented(authorization: bytes, cookie: bytes) -> str | None:
    """The token that the head of a request presents; empty when it is none to be verified, None when there is none.

    One token is one text however the rest is spelled. The application may yet take none or another (the cookie counts
    for pages alone): this says only whose request it may be.
    """
    if authorization:
        return bearer_token(authorization.decode("latin-1")) or ""
    if PAGE_COOKIE.encode() not in cookie:
        return None
    found = _COOKIE_TOKEN.search(cookie)
    return bearer_token(f"Bearer {found[1].strip().decode('latin-1')}") or "" if found else ""


def as_actor(actor_id: str) -> str:
    """What a verified actor is counted by."""
    return f"actor {actor_id}"


def as_address(client: str) -> str:
    """What everything without a verified actor is counted by; no `sub` can look like it."""
    return f"{_ADDRESS}{client}"


def is_address(caller: Hashable) -> bool:
    """Whether it is counted by its address, because nobody verified it."""
    return str(caller).startswith(_ADDRESS)


def address() -> str:
    """The client's address, of this request."""
    settings: Settings = current_app.extensions["settings"]
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return client_address(request.remote_addr or "", told, settings.trusted_proxies)


def client_address(peer: str, told: str, trusted_proxies: tuple[str, ...]) -> str:
    """The peer's address, or `told` when a trusted peer tells one; an IPv6 address as its /64."""
    own = _parsed(peer)
    if own is None:  # a Unix socket has none
        return peer
    if told and any(own in each for each in _networks(trusted_proxies)):
        own = _parsed(told) or own
    if own.version == 4:
        return str(own)
    return str(ipaddress.ip_network((own, IPV6_SITE_BITS), strict=False))


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))
