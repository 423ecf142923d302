"""What a request is counted by: nothing that its sender can invent."""

import pytest

from shared.callers import as_actor, as_address, client_address, presented

GATEWAY = ("10.0.0.0/8",)


def test_every_spelling_of_a_token_presents_the_same():
    spelled = [(scheme + b" " * blanks + b"a.b.c", b"") for scheme in (b"Bearer", b"bearer", b"BeArEr") for blanks in (1, 2, 9)]  # fmt: skip
    spelled += [(b"", cookie) for cookie in (b"apotheca_token=a.b.c", b"x=1; apotheca_token=a.b.c;y=2", b"x=1;apotheca_token=a.b.c")]  # fmt: skip
    assert {presented(*each) for each in spelled} == {"a.b.c"}


@pytest.mark.parametrize(
    ("authorization", "cookie"),
    [
        (b"Basic a", b"apotheca_token=a.b.c"),
        (b"Bearer a,Bearer b", b""),
        (b"Bearer \xff", b""),
        (b"", b"apotheca_token ="),
        (b"", b"apotheca_token = a.b.c"),
        (b"", b'apotheca_token="a b"'),
        (b"", b"apotheca_token=\xff"),
    ],
)
def test_what_may_be_a_token_and_is_none_to_be_known_has_to_be_asked_about(authorization, cookie):
    assert presented(authorization, cookie) == ""


def test_other_cookies_present_nothing():
    assert presented(b"", b"") is None
    assert presented(b"", b"apotheca_lang=zh; session=made-up") is None


def test_an_address_is_told_by_the_trusted_alone_and_counted_by_what_a_client_cannot_choose():
    assert client_address("1.2.3.4", "5.6.7.8", GATEWAY) == "1.2.3.4"
    assert client_address("1.2.3.4", "5.6.7.8", ()) == "1.2.3.4"
    assert client_address("10.1.1.1", "5.6.7.8", GATEWAY) == "5.6.7.8"
    assert client_address("::ffff:10.1.1.1", "::ffff:5.6.7.8", GATEWAY) == "5.6.7.8"
    assert client_address("10.1.1.1", "made up", GATEWAY) == "10.1.1.1"
    assert client_address("", "5.6.7.8", GATEWAY) == ""
    site = {client_address("10.1.1.1", f"2001:db8::{host:x}", GATEWAY) for host in range(1, 9)}
    assert site == {"2001:db8::/64"}
    assert client_address("2001:db8:0:1::1", "", GATEWAY) == "2001:db8:0:1::/64"


def test_an_actor_named_like_an_address_is_not_counted_with_it():
    assert as_actor("10.0.0.1") != as_address("10.0.0.1")
