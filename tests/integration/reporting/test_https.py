"""What a real web process believes of a proxy: that its clients speak TLS, and where they are."""

from contextlib import ExitStack

import httpx
import pytest

from tests.support.doors import Webs

TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


@pytest.fixture(scope="module")
def sign_ins(migrated_database, make_folder):
    """Signing in behind a proxy that says TLS, at a process that trusts it and at one that trusts nobody."""
    with ExitStack() as stack:
        webs = Webs(stack, make_folder())
        url = migrated_database("reporting")
        token = webs.issuer.token("manager", ["management"])
        answers = {}
        for name, trusted in (("trusting", "127.0.0.1"), ("by default", "")):
            port = webs.start("reporting", url, TRUSTED_PROXIES=trusted)
            answers[name] = httpx.post(f"http://127.0.0.1:{port}/sign-in", data={"token": token}, headers=TLS)
        yield answers


def test_behind_a_trusted_proxy_the_cookie_is_secure_and_browsers_are_told_to_stay_with_tls(sign_ins):
    answer = sign_ins["trusting"]
    assert answer.status_code == 303
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_nobody_is_believed_by_default(sign_ins):
    answer = sign_ins["by default"]
    assert answer.status_code == 303
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers
