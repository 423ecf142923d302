"""Who asks: a JWT bearer token verified against a JWKS, its roles, its branches, and duties kept apart.

Promises: only the algorithms of ALGORITHMS are believed (`none` and symmetric ones never); issuer, audience
and expiry are checked on every request; a token that combines conflicting duties is refused, both when the
local issuer makes it and when it is used. What a token says is bounded: a subject of SUBJECT that is none of ours
(`system:` is nobody, `service:` has the role `feed` alone), at most ROLES_MAX roles and BRANCHES_MAX branches, and no
token of a person lives longer than `sign_in_hours_max`, none of a service longer than `feed_sign_in_days_max`.
Source: X1, model 3.0 (segregation of duties), 会计法 Art 35
"""

import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from shared.errors import Forbidden, Unauthorised, Unavailable
from shared.languages import Text
from shared.texts import BRANCH_FORM, SUBJECT_FORM

ALGORITHMS = ("Ed25519", "EdDSA", "ES256", "RS256")
TOKEN_BYTES_MAX = 8_192
TOKENS_CACHED_MAX = 2_048
JWKS_MAX_AGE_S = 300
JWKS_RETRY_MIN_S = 10
LEEWAY_S = 30
EVERY_BRANCH = "*"
FEED = "feed"
SUBJECT = re.compile(SUBJECT_FORM)
BRANCH = re.compile(rf"\*|{BRANCH_FORM}")
BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.ASCII | re.IGNORECASE)
"""RFC 6750 section 2.1; the scheme in any case (RFC 9110 section 11.1)."""
OURS = ("system:", "service:")
"""Beginnings of subjects that name no person."""
ROLES_MAX = 64
ROLE_CHARS_MAX = 64
BRANCHES_MAX = 1_000
TIME_S_MAX = 2**40

ROLES = frozenset(
    {
        "salesperson",
        "invoicing_clerk",
        "receiver",
        "inspector",
        "storekeeper",
        "business_head",
        "qa",
        "cs_agent",
        "cs_manager",
        "pharmacist",
        "cashier",
        "accountant",
        "finance_auditor",
        "finance_head",
        "chief_accountant",
        "accounting_head",
        "store_manager",
        "purchaser",
        "supervision_member",
        "management",
        "privacy_officer",
        "unit_head",
        "hr",
        "till",
        "feed",
        "operator",
    }
)
"""The posts of the source documents (X4, R12), `hr` for who keeps the register of staff, `till` for a point of sale, `feed` for service to service,
`operator` for those who repair services."""

CONFLICTING_DUTIES: tuple[frozenset[str], ...] = tuple(
    frozenset(pair)
    for pair in (
        ("cashier", "finance_auditor"),
        ("cashier", "accountant"),
        ("receiver", "inspector"),
        ("business_head", "qa"),
        ("accountant", "finance_head"),
        ("accountant", "chief_accountant"),
        ("accountant", "accounting_head"),
        ("cashier", "accounting_head"),
    )
)


class TokenMissing(Unauthorised):
    code = "token_missing"
    cure = "Send `Authorization: Bearer` with the token from signing in."


class TokenInvalid(Unauthorised):
    code = "token_invalid"
    cure = "Sign in again; if it lasts, ask who issues tokens."


class TokenTooLong(Unauthorised):
    """It would be believed for longer than tokens may be."""

    code = "token_lives_too_long"
    cure = "Ask who issues tokens for one that is valid for a shorter time."


class TokenExpired(Unauthorised):
    code = "token_expired"
    cure = "Sign in again and send the same with the same key."


class DutiesNotSegregated(Forbidden):
    code = "duties_not_segregated"
    cure = "Ask who gives out roles: the token holds two that one person may not hold together."


class RoleNotAdmitted(Forbidden):
    code = "role_not_admitted"
    cure = "Let somebody do it who holds one of the roles that `roles` names."


class ForeignBranch(Forbidden):
    code = "foreign_branch"
    cure = "Use a token that covers the branch, or name a branch of yours."


class KeysUnavailable(Unavailable):
    code = "keys_unavailable"
    cure = "Send the same again after `Retry-After` seconds; if it lasts, the operator looks at the key set."


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a machine, known by the token alone."""

    id: str
    roles: frozenset[str]
    branches: frozenset[str]

    @property
    def has_every_branch(self) -> bool:
        return EVERY_BRANCH in self.branches

    def may_see(self, branch_id: str | None) -> bool:
        return self.has_every_branch or branch_id in self.branches

    def require_branch(self, branch_id: str | None) -> None:
        """Raises ForeignBranch unless the token names the branch (or every branch)."""
        if not self.may_see(branch_id):
            raise ForeignBranch(
                Text("this token does not cover branch {branch_id}", branch_id=branch_id), branch_id=branch_id
            )

    def branch_filter(self, branch_id: str | None = None) -> list[str] | None:
        """What to put into `branch_id = any(…)`: the branch asked for, else those of the token; None is every branch.

        Raises ForeignBranch.
        """
        if branch_id is not None:
            self.require_branch(branch_id)
            return [branch_id]
        return None if self.has_every_branch else sorted(self.branches)


def bearer_token(authorization: str) -> str | None:
    """The token of an Authorization header, the same for every spelling of the rest; None when there is none to verify."""
    found = BEARER.fullmatch(authorization)
    return found[1] if found and len(found[1]) <= TOKEN_BYTES_MAX else None


def system_actor(service: str) -> Actor:
    """The actor of a service's own reactions and jobs."""
    return Actor(f"system:{service}", frozenset(), frozenset({EVERY_BRANCH}))


def conflicting(roles: Collection[str]) -> frozenset[str] | None:
    """The first pair of duties that one person may not hold together, if any."""
    held = frozenset(roles)
    return next((pair for pair in CONFLICTING_DUTIES if pair <= held), None)


class Verifier:
    """Turns a bearer token into an Actor.

    `jwks` is a file path or an http(s) URL; keys are read again after JWKS_MAX_AGE_S, and at once (at most
    every JWKS_RETRY_MIN_S) when a token names an unknown key. Verified tokens are remembered (bounded) for at most
    JWKS_MAX_AGE_S, so that a key taken out of the set is soon believed no more; their expiry is checked each time.
    """

    def __init__(
        self,
        *,
        jwks: str,
        issuer: str,
        audience: str,
        sign_in_hours_max: int = 24,
        feed_sign_in_days_max: int = 400,
    ) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._person_s_max = sign_in_hours_max * 3_600
        self._feed_s_max = feed_sign_in_days_max * 86_400
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._known: OrderedDict[str, tuple[Actor, int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def actor(self, authorization: str | None) -> Actor:
        """Raises TokenMissing, TokenInvalid, TokenExpired, TokenTooLong, DutiesNotSegregated, KeysUnavailable."""
        if not authorization:
            raise TokenMissing("send `Authorization: Bearer <token>`")
        token = bearer_token(authorization)
        if token is None:
            raise TokenInvalid("the Authorization header is not a bearer token of acceptable size")
        known = self.known(token)
        if known is not None:
            return known
        actor, expires_s = self._verified(token)
        with self._lock:
            self._known[token] = (actor, expires_s, time.monotonic())
            self._known.move_to_end(token)
            while len(self._known) > TOKENS_CACHED_MAX:
                self._known.popitem(last=False)
        return actor

    def known(self, token: str) -> Actor | None:
        """Whose token it is, when it was verified lately and has not expired; never waits. Else `actor` finds out."""
        actor, expires_s, verified_at = self._known.get(token, (None, 0, 0.0))
        is_valid = expires_s + LEEWAY_S > time.time() and time.monotonic() - verified_at <= JWKS_MAX_AGE_S
        return actor if is_valid else None

    def _verified(self, token: str) -> tuple[Actor, int]:
        claims = self._claims(token)
        if claims.get("iss") != self._issuer:
            raise TokenInvalid("the token is from another issuer")
        audience = claims.get("aud")
        if self._audience != audience and not (isinstance(audience, list) and self._audience in audience):
            raise TokenInvalid("the token is for another audience")
        expires_s = self._expiry(claims)
        actor = _actor_of(claims)
        longest_s = self._feed_s_max if actor.roles == {FEED} else self._person_s_max
        if expires_s > time.time() + longest_s + LEEWAY_S:
            raise TokenTooLong(
                Text("a token may be valid for at most {hours} hours", hours=longest_s // 3600)
            )
        return actor, expires_s

    def _expiry(self, claims: dict[str, Any]) -> int:
        expires_s, now_s = claims.get("exp"), time.time()
        not_before_s, issued_s = claims.get("nbf", 0), claims.get("iat", 0)
        if not _is_time(expires_s) or not _is_time(not_before_s) or not _is_time(issued_s):
            raise TokenInvalid("the token has no expiry, or a time that is none")
        assert isinstance(expires_s, int)
        if expires_s + LEEWAY_S <= now_s:
            raise TokenExpired("the token has expired")
        if max(not_before_s, issued_s) - LEEWAY_S > now_s or max(not_before_s, issued_s) > expires_s:
            raise TokenInvalid("the token is not valid yet")
        return expires_s

    def _claims(self, token: str) -> dict[str, Any]:
        for fresh in (False, True):
            try:
                return jwt.decode(token, self._key_set(fresh=fresh), algorithms=list(ALGORITHMS)).claims
            except JoseError as error:
                if fresh or not self._may_reread():
                    raise TokenInvalid("the token's signature or form is not acceptable") from error
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                if fresh or not self._may_reread():
                    raise TokenInvalid("the token's signature or form is not acceptable") from error
        raise TokenInvalid("the token's signature or form is not acceptable")

    def _may_reread(self) -> bool:
        return time.monotonic() - self._read_at > JWKS_RETRY_MIN_S

    def _key_set(self, *, fresh: bool) -> KeySet:
        with self._lock:
            if self._keys is None or fresh or time.monotonic() - self._read_at > JWKS_MAX_AGE_S:
                try:
                    self._keys = KeySet.import_key_set(_read_jwks(self._jwks))
                except (OSError, ValueError, httpx.HTTPError) as error:
                    if self._keys is None:
                        raise KeysUnavailable(
                            "the signing keys cannot be read now", retry_after_s=5
                        ) from error
                self._read_at = time.monotonic()
            return self._keys


def _read_jwks(where: str) -> Any:
    if where.startswith(("http://", "https://")):
        return httpx.get(where, timeout=5).raise_for_status().json()
    return json.loads(Path(where).read_text())


def _actor_of(claims: dict[str, Any]) -> Actor:
    subject, roles, branches = claims.get("sub"), claims.get("roles"), claims.get("branches")
    if not isinstance(subject, str) or not _texts(roles) or not _texts(branches):
        raise TokenInvalid("the token lacks sub, roles or branches")
    assert isinstance(roles, list)
    assert isinstance(branches, list)
    if not SUBJECT.fullmatch(subject):
        raise TokenInvalid(
            "the token's sub is longer than 128 characters, or holds others than names of people have"
        )
    if len(roles) > ROLES_MAX or any(len(each) > ROLE_CHARS_MAX for each in roles):
        raise TokenInvalid("the token names too many roles, or too long ones")
    if len(branches) > BRANCHES_MAX or not all(map(BRANCH.fullmatch, branches)):
        raise TokenInvalid("the token names too many branches, or such as cannot be")
    if subject.lower().startswith(OURS) and not (subject.startswith("service:") and set(roles) == {FEED}):
        raise TokenInvalid("the token's sub is reserved for services")
    pair = conflicting(roles)
    if pair:
        raise DutiesNotSegregated(
            Text("one person may not be {pair}", pair=" and ".join(sorted(pair))), roles=sorted(pair)
        )
    return Actor(subject, frozenset(roles), frozenset(branches))


def _is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value <= TIME_S_MAX


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


class LocalIssuer:
    """Signs tokens for demonstrations and tests with a key of its own. Not for deployments.

    `folder` holds `issuer.key.json` (private, mode 600) and `jwks.json` (public); both are made when missing.
    """

    def __init__(self, folder: Path, *, issuer: str = "apotheca-local", audience: str = "apotheca") -> None:
        self.issuer = issuer
        self.audience = audience
        self.jwks = folder / "jwks.json"
        key_file = folder / "issuer.key.json"
        if not key_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            key = OKPKey.generate_key("Ed25519", {"kid": f"local-{int(time.time())}", "use": "sig"})
            key_file.touch(mode=0o600)
            key_file.write_text(json.dumps(key.as_dict(private=True)))
            self.jwks.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
        self._key = OKPKey.import_key(json.loads(key_file.read_text()))

    def token(
        self,
        subject: str,
        roles: Sequence[str],
        branches: Sequence[str] = (EVERY_BRANCH,),
        *,
        lifetime_s: int = 3600,
    ) -> str:
        """A signed token. Raises DutiesNotSegregated, or RoleNotAdmitted for a role nobody knows."""
        unknown = sorted(set(roles) - ROLES)
        if unknown:
            raise RoleNotAdmitted(Text("no such role: {unknown}", unknown=", ".join(unknown)), roles=unknown)
        pair = conflicting(roles)
        if pair:
            raise DutiesNotSegregated(
                Text("one person may not be {pair}", pair=" and ".join(sorted(pair))), roles=sorted(pair)
            )
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "roles": list(roles),
            "branches": list(branches),
            "iat": now,
            "exp": now + lifetime_s,
        }
        header = {"alg": "Ed25519", "kid": str(self._key.kid)}
        return jwt.encode(header, claims, self._key, algorithms=["Ed25519"])
