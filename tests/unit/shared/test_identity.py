"""Only a token that our keys signed, for us, in time, with duties kept apart, makes an actor."""

import base64
import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from shared.errors import DomainError
from shared.identity import (
    DutiesNotSegregated,
    ForeignBranch,
    LocalIssuer,
    RoleNotAdmitted,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenTooLong,
    Verifier,
    bearer_token,
)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return LocalIssuer(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def verifier(issuer):
    return Verifier(jwks=str(issuer.jwks), issuer=issuer.issuer, audience=issuer.audience)


def bearer(token):
    return f"Bearer {token}"


def test_a_token_names_the_actor_its_roles_and_branches(issuer, verifier):
    actor = verifier.actor(bearer(issuer.token("wang", ["cashier"], ["B1", "B2"])))
    assert (actor.id, actor.roles, actor.branches) == ("wang", {"cashier"}, {"B1", "B2"})
    actor.require_branch("B1")
    with pytest.raises(ForeignBranch):
        actor.require_branch("B3")
    with pytest.raises(ForeignBranch):
        actor.require_branch(None)


def test_the_star_covers_every_branch(issuer, verifier):
    actor = verifier.actor(bearer(issuer.token("wang", ["management"])))
    actor.require_branch("B9")
    assert (actor.branch_filter(), actor.branch_filter("B9")) == (None, ["B9"])


def test_a_list_is_filtered_by_the_branch_asked_for_or_by_those_of_the_token(issuer, verifier):
    actor = verifier.actor(bearer(issuer.token("wang", ["cashier"], ["B2", "B1"])))
    assert (actor.branch_filter(), actor.branch_filter("B2")) == (["B1", "B2"], ["B2"])
    with pytest.raises(ForeignBranch):
        actor.branch_filter("B3")


def test_no_token_is_told_from_a_bad_one(verifier):
    with pytest.raises(TokenMissing):
        verifier.actor(None)
    for authorization in ("Basic abc", "Bearer", "Bearer x.y.z", "Bearer " + "a" * 10_000, "Bearer é.é.é"):
        with pytest.raises(TokenInvalid):
            verifier.actor(authorization)


def test_one_token_is_one_text_however_its_scheme_is_spelled_and_nothing_else_is_one():
    spelled = ("Bearer a.b-_~+/c==", "bearer a.b-_~+/c==", "BEARER   a.b-_~+/c==")
    assert {bearer_token(each) for each in spelled} == {"a.b-_~+/c=="}
    for none in ("Bearer", "Bearer ", "Bearera", "Bearer\ta", "Bearer a b", "Bearer a,Bearer a", "Bearer a ", " Bearer a",
                 "Bearer a=b", "Basic a", "Token Bearer a", "Bearer \u017f", "Bearer " + "a" * 8_193):  # fmt: skip
        assert bearer_token(none) is None, none


def test_whose_a_token_is_is_known_once_it_was_verified_and_as_long_as_it_is_believed(
    issuer, verifier, monkeypatch
):
    token = issuer.token("wang", ["cashier"], lifetime_s=200)
    assert verifier.known(token) is None
    verifier.actor(f"bearer  {token}")
    assert verifier.known(token).id == "wang"
    assert verifier.known(token[:-1]) is None
    now, monotonic = time.time(), time.monotonic()
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: now + 231)
        assert verifier.known(token) is None
    with monkeypatch.context() as later:
        later.setattr(time, "monotonic", lambda: monotonic + 301)
        assert verifier.known(token) is None


def test_an_expired_token_is_refused_also_when_it_was_once_seen(issuer, verifier):
    with pytest.raises(TokenExpired):
        verifier.actor(bearer(issuer.token("wang", ["cashier"], lifetime_s=-3600)))


def test_another_key_is_refused(issuer, verifier, tmp_path):
    stranger = LocalIssuer(tmp_path)
    with pytest.raises(TokenInvalid):
        verifier.actor(bearer(stranger.token("wang", ["cashier"])))


@pytest.mark.parametrize("change", [{"iss": "other"}, {"aud": "other"}, {"exp": None}, {"exp": "soon"}, {"sub": ""},
                                    {"roles": "cashier"}, {"branches": None}, {"nbf": 32503680000}])  # fmt: skip
def test_claims_that_are_not_ours_are_refused(issuer, verifier, change):
    claims = {"iss": issuer.issuer, "aud": issuer.audience, "sub": "wang", "roles": ["cashier"], "branches": ["*"],
              "exp": 32503680000} | change  # fmt: skip
    key = OKPKey.import_key(json.loads((issuer.jwks.parent / "issuer.key.json").read_text()))
    token = jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])
    with pytest.raises(TokenInvalid):
        verifier.actor(bearer(token))


def signed(issuer, **claims):
    key = OKPKey.import_key(json.loads((issuer.jwks.parent / "issuer.key.json").read_text()))
    said = {"iss": issuer.issuer, "aud": issuer.audience, "sub": "wang", "roles": ["cashier"], "branches": ["*"],
            "iat": int(time.time()), "exp": int(time.time()) + 3_600}  # fmt: skip
    return bearer(jwt.encode({"alg": "Ed25519", "kid": key.kid}, said | claims, key, algorithms=["Ed25519"]))


@pytest.mark.parametrize(
    "claims",
    [{"sub": "system:finance"}, {"sub": "System:x"}, {"sub": "service:finance"}, {"sub": "x" * 5_000}, {"sub": "x" * 129},
     {"sub": "a\nb"}, {"sub": "a\u0000"}, {"sub": " a"}, {"sub": "<b>"}, {"sub": "王\u202e"}, {"sub": 7},
     {"roles": ["x"] * 65}, {"roles": ["cashier", "x" * 65]}, {"roles": ["cashier", 1]}, {"roles": {"cashier": 1}},
     {"branches": ["B1"] * 1_001}, {"branches": ["b 1"]}, {"branches": ["B" * 33]}, {"branches": ["B1\n"]}, {"branches": [None]},
     {"exp": True}, {"exp": -1}, {"exp": 1e300}, {"exp": 10**40}, {"nbf": "x"}, {"nbf": 10**40}, {"iat": int(time.time()) + 3_600},
     {"iat": "now"}, {"iat": int(time.time()) + 4_000, "exp": int(time.time()) + 3_600}],
)  # fmt: skip
def test_claims_beyond_their_bounds_make_no_actor(issuer, verifier, claims):
    with pytest.raises(TokenInvalid):
        verifier.actor(signed(issuer, **claims))


@pytest.mark.parametrize(
    ("claims", "hours", "is_believed"),
    [({}, 23, True), ({}, 25, False), ({}, 24 * 365 * 100, False), ({"sub": "till 7", "roles": ["till"]}, 25, False),
     ({"sub": "service:finance", "roles": ["feed"]}, 24 * 365, True), ({"sub": "service:finance", "roles": ["feed"]}, 24 * 500, False),
     ({"roles": ["feed", "operator"]}, 25, False)],
)  # fmt: skip
def test_no_token_is_believed_for_longer_than_the_deployment_says(
    issuer, verifier, claims, hours, is_believed
):
    token = signed(issuer, **claims, exp=int(time.time()) + hours * 3_600)
    if is_believed:
        assert verifier.actor(token).id == claims.get("sub", "wang")
        return
    with pytest.raises(TokenTooLong):
        verifier.actor(token)


@pytest.mark.parametrize("header", ["[" * 3_000, '{"alg":' + "[" * 3_000, "null", "1", '{"alg": 1}', '{"alg": "Ed25519", "kid": {}}',
                                    '{"alg": "Ed25519", "crit": ["x"]}', "\x00", "{"])  # fmt: skip
def test_a_token_whose_head_is_odd_is_refused_and_breaks_nothing(verifier, header):
    part = base64.urlsafe_b64encode(header.encode()).decode().rstrip("=")
    for body in (part, "", "e30"):
        with pytest.raises(TokenInvalid):
            verifier.actor(bearer(f"{part}.{body}.AAAA"))


def test_alg_none_and_a_public_key_used_as_a_secret_are_refused(issuer, verifier):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"iss": issuer.issuer, "aud": issuer.audience, "sub": "wang", "roles": ["cashier"], "branches": ["*"],
              "exp": 32503680000}  # fmt: skip
    with pytest.raises(TokenInvalid):
        verifier.actor(bearer(f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."))
    public = OctKey.import_key(issuer.jwks.read_bytes())
    with pytest.raises(TokenInvalid):
        verifier.actor(bearer(jwt.encode({"alg": "HS256"}, claims, public, algorithms=["HS256"])))


@pytest.mark.requirement("X1")
def test_conflicting_duties_are_refused_when_assigned_and_when_used(issuer, verifier):
    with pytest.raises(DutiesNotSegregated):
        issuer.token("wang", ["cashier", "finance_auditor"])
    key = OKPKey.import_key(json.loads((issuer.jwks.parent / "issuer.key.json").read_text()))
    claims = {"iss": issuer.issuer, "aud": issuer.audience, "sub": "wang", "roles": ["cashier", "finance_auditor"],
              "branches": ["*"], "exp": 32503680000}  # fmt: skip
    token = jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])
    with pytest.raises(DutiesNotSegregated):
        verifier.actor(bearer(token))


def test_a_role_nobody_knows_is_not_assigned(issuer):
    with pytest.raises(RoleNotAdmitted):
        issuer.token("wang", ["emperor"])


def test_keys_that_cannot_be_read_are_a_passing_trouble(tmp_path):
    verifier = Verifier(jwks=str(tmp_path / "none.json"), issuer="i", audience="a")
    with pytest.raises(DomainError) as refusal:
        verifier.actor("Bearer a.b.c")
    assert refusal.value.status == 503


def test_a_key_taken_out_of_the_set_is_soon_believed_no_more(tmp_path, monkeypatch):
    issuer = LocalIssuer(tmp_path / "old")
    verifier = Verifier(jwks=str(issuer.jwks), issuer=issuer.issuer, audience=issuer.audience)
    token = bearer(issuer.token("wang", ["cashier"]))
    assert verifier.actor(token).id == "wang"
    issuer.jwks.write_text(LocalIssuer(tmp_path / "new").jwks.read_text())
    assert verifier.actor(token).id == "wang"
    monkeypatch.setattr("shared.identity.JWKS_MAX_AGE_S", 0)
    with pytest.raises(TokenInvalid):
        verifier.actor(token)
