"""Whoever follows a document finds the address it names: every `GET /v1/…` of every page is a route of a service."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
ABOUT_FORMS = {"docs/http.md"}
"""Names forms of addresses, not addresses."""
PAGES = sorted(
    page
    for pattern in (
        "*.md",
        "docs/*.md",
        "deploy/*.md",
        "services/*/README.md",
        "services/*/src/*/*/README.md",
    )
    for page in ROOT.glob(pattern)
    if page.relative_to(ROOT).as_posix() not in ABOUT_FORMS
)
NAMED = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) ((?:[a-z-]+|…)?/[a-z{<][^\s`,;)]*)")
OF_EVERY_SERVICE = ("/internal", "/healthz", "/readyz", "/metrics", "/docs")
ANY = "{}"


def form(address: str) -> str:
    """Without question and version; what stands for a value is `{}`."""
    path = re.split(r"[?#]", address)[0].replace("/v1/", "/").rstrip(".:/")
    return re.sub(r"\{[^}]*\}|<[^>]*>|\$\{?\w+\}?", ANY, path)


@pytest.fixture(scope="module")
def routes():
    found = defaultdict(set)
    for document in ROOT.glob("services/*/contracts/openapi.json"):
        for address, operations in json.loads(document.read_text())["paths"].items():
            found[form(address)] |= {method.upper() for method in operations}
    return found


def is_route(routes, method, address):
    """`…/decisions` is the end of one; `/{a|b}-ledgers/{month}` is one for whichever word stands there."""
    wanted = form(address)
    if not wanted.startswith("/"):
        wanted = wanted[wanted.index("/") :]
    word = re.escape(wanted).replace(re.escape(ANY), r"(?:\{\}|[a-z-]+)")
    ends = address.startswith("…")
    return any(
        method in methods and (re.search(f"{word}$", path) if ends else re.fullmatch(word, path))
        for path, methods in routes.items()
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_address_that_a_page_names_is_a_route(routes, page):
    named = NAMED.findall(page.read_text())
    wrong = [
        f"{method} {address}"
        for method, address in named
        if not form(address).startswith(OF_EVERY_SERVICE) and not is_route(routes, method, address)
    ]
    assert wrong == []


def test_old_addresses_are_found_out(routes):
    assert is_route(routes, "POST", "/v1/sales")
    assert is_route(routes, "POST", "…/cash-sessions/{id}/count")
    assert is_route(routes, "GET", "/v1/{sales|returns|feedback}-ledgers/{month}?branch_id=")
    assert not is_route(routes, "GET", "/v1/sales/bulk")
    assert not is_route(routes, "POST", "/v1/journal/entries")
    assert not is_route(routes, "GET", "/v1/bank/accounts")
