"""Every property of a request, an answer or an event says what it is, and in which unit."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from deploy.generate import asyncapi, openapi
from deploy.generate.payloads import declared
from deploy.generate.repository import SERVICES
from shared.vocabulary import of_package, properties

UNITS = {
    "_fen": r"\bfen\b",
    "_bp": "basis points|[Hh]undredths of a per cent",
    "_s": "seconds",
    "_seconds": "seconds",
    "_ms": "milliseconds",
    "_days": r"\b[Dd]ays\b",
    "_centidays": r"0\.01 days",
    "decicelsius": r"0\.1 °C",
    "_on": r"\bdate\b|\bday\b",
    "_sha256": "SHA-256",
}
"""How the words of a property name the unit that its name ends with."""
SENTENCE = re.compile(r"[A-Z0-9`].*[.]", re.DOTALL)


@cache
def described(package: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(schema, property, what is said of it) of all documents of a service; inline schemas by where they are."""
    return list(_described(package))


def _described(package: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    documents = [openapi.document_of(package)]
    documents += [asyncapi.document_of(package)] if declared(package) else []
    for document in documents:
        for name, schema in document["components"]["schemas"].items():
            for key, said in properties(schema):
                yield name, key, said
        for place, schema in inline(document.get("paths", {}), ""):
            for key, said in properties(schema):
                yield place, key, said


def inline(part: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Schemas that stand where they are used."""
    if isinstance(part, dict):
        for key, inner in part.items():
            if key in {"schema", "x-lines"}:
                yield place, inner
            elif key not in {"example", "examples"}:
                yield from inline(inner, f"{place} {key}")
    elif isinstance(part, list):
        for each in part:
            yield from inline(each, place)


@pytest.mark.parametrize("package", SERVICES)
def test_every_property_says_what_it_is(package):
    silent = [
        f"{schema}.{name}"
        for schema, name, said in described(package)
        if not SENTENCE.fullmatch(said.get("description", ""))
    ]
    assert silent == [], "say it in properties.json of the service, or beside the field"


@pytest.mark.parametrize("package", SERVICES)
def test_a_property_whose_name_has_a_unit_says_it(package):
    wrong = [
        f"{schema}.{name}: {said['description']}"
        for schema, name, said in described(package)
        for end, unit in UNITS.items()
        if name.endswith(end) and said.get("type") != "boolean" and not re.search(unit, said["description"])
    ]
    assert wrong == []


@pytest.mark.parametrize("package", SERVICES)
def test_a_service_has_no_words_that_nothing_uses(package):
    known = of_package(package)
    used = {
        key
        for schema, name, said in described(package)
        for key in (f"{schema}.{name}", name, name.removesuffix("_fen"))
        if key in known and said["description"].startswith(known[key])
    }
    assert set(known) - used == set()


@pytest.mark.parametrize("package", SERVICES)
def test_the_words_of_a_service_are_sentences_in_the_order_of_their_properties(package):
    known = of_package(package)
    assert [key for key, said in known.items() if not SENTENCE.fullmatch(said)] == []
    assert list(known) == sorted(known, key=lambda key: (key.rpartition(".")[2], "." in key, key))
