"""No refusal speaks the language of a decoder, in any field of any schema of any service; each is said in Chinese too."""

import ast
import io
import json
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from marshmallow import Schema, fields, validate

from deploy.generate import catalogs
from deploy.generate.repository import parsed, sources_of
from deploy.generate.sentences import sentences
from finance.kernel.receipt import Receipt
from shared import explain
from shared.arguments import JsonNotAnObject, PayloadInvalid, load_json
from shared.errors import DomainError
from shared.explain_typed import faults_of_type
from shared.faults import listed
from shared.languages import CHINESE, Text, in_language
from shared.service import load
from shared.settings import SERVICES

CJK = re.compile("[\u4e00-\u9fff]")

DECODER = re.compile(
    r"`?\$\.|Expected|`int`|`str`|\bgot\b|\bstr\b|\bint\b|\bbool\b|dict|NoneType|regex|pattern|\^\[|\\x|\(\?|Not a valid|"
    r"Missing data|Unknown field|Field may not|Shorter than|Longer than|Length must|(?-i:Must be one of)|Invalid (value|input)|"
    r"marshmallow|msgspec|deserializ|serializ|schema",
    re.IGNORECASE,
)
ODD = [
    None, True, 0, -1, 2**53 - 1, 1.5, "", " ", "x", "X" * 6_000, "a\tb", "\ud800", "2026-02-30", "2026-13", "cash", "=1+1",
    "2026-01-01T00:00:00", [], [1], [[]], ["x"] * 1_001, {}, {"fen": 1}, {"fen": "1", "currency": "USD"},
    {"fen": 10**16, "currency": "CNY"}, {"fen": -1, "currency": "CNY"}, {"x": {"y": 1}},
]  # fmt: skip


def subclasses(kind):
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


def schemas():
    for service in SERVICES:
        load(service)
    return sorted({each for each in subclasses(Schema) if not each.__module__.startswith(("tests", "marshmallow", "webargs"))}, key=str)  # fmt: skip


def taken_in():
    """The schemas that read something: those of answers alone are called so."""
    return [each for each in schemas() if not each.__name__.endswith(("View", "Page", "List", "Line", "Row"))]


def refusals(schema, data):
    try:
        load_json(schema, data)
    except (PayloadInvalid, JsonNotAnObject) as refusal:
        return refusal.context["errors"]
    return []


def inner_schemas(schema):
    for field in schema.load_fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield type(inner.schema)


def told_by_every_field():
    for kind in taken_in():
        schema = kind()
        yield from ((kind, fault) for fault in refusals(schema, []) + refusals(schema, {"unheard_of": 1}))
        for name, field in schema.load_fields.items():
            for value in ODD:
                found = refusals(schema, {field.data_key or name: value})
                yield from ((kind, fault) for fault in found)


@cache
def told():
    line = ("product", "lot", "expiry", "quantity", "unit_price", "discount", "cost", "tax_bp")
    head = ("receipt_number", "branch_id", "customer_id", "channel", "sold_at", "late", "tenders", "lines")
    found = list(told_by_every_field())
    for value in ODD:
        odd_line = dict.fromkeys(line, value)
        for payload in (
            dict.fromkeys(head, value),
            {"lines": [odd_line], "tenders": [{"tender": value}]},
            {"lines": [value]},
        ):
            found += [(Receipt, fault) for fault in faults_of_type(Receipt, payload)]
    return found


def test_no_refusal_of_any_field_speaks_a_decoders_language():
    assert len(told()) > 5_000
    assert {
        (str(kind), each.path, each.message) for kind, each in told() if DECODER.search(each.message)
    } == set()


def test_every_refusal_has_a_stable_code_and_a_place():
    codes = {each.code for _, each in told()}
    known = set(re.findall(r'"([a-z_]+)", ', Path(explain.__file__).read_text())) | {
        "not_money",
        "json_not_an_object",
    }
    assert codes <= known, codes - known
    assert all(each.path for _, each in told() if each.code not in {"json_not_an_object", "not_acceptable"})


def test_every_pattern_says_in_words_what_it_wants():
    tongue_tied = [
        f"{kind.__module__}.{kind.__name__}.{name}: {each.error}"
        for kind in schemas()
        for name, field in kind._declared_fields.items()
        for each in (field.inner if isinstance(field, fields.List) else field).validators
        if isinstance(each, validate.Regexp)
        and (
            each.error == validate.Regexp.default_message
            or DECODER.search(each.error)
            or in_language(each.error, CHINESE, kind.__module__.partition(".")[0]) == each.error
        )
    ]
    assert tongue_tied == []


def test_every_refusal_of_a_field_is_said_in_chinese_too():
    untranslated = {
        each.message.pattern if isinstance(each.message, Text) else each.message
        for kind, each in told()
        if in_language(each.message, CHINESE, kind.__module__.partition(".")[0]) == each.message
    }
    assert untranslated == set()


def test_every_sentence_of_every_refusal_is_said_in_chinese_too():
    """Of five services, at every place where a refusal is made; what no catalog can know is found as such."""
    found = list(sentences())
    assert len(found) > 700
    assert [each.where for each in found if each.pattern is None] == []
    untold = {
        f"{each.where} {each.pattern}"
        for each in found
        if each.pattern and not CJK.search(chinese_of(each.pattern, each.package))
    }
    assert untold == set()


def chinese_of(pattern, package):
    return in_language(pattern, CHINESE, package)


@pytest.mark.parametrize("package", SERVICES)
def test_no_catalog_keeps_a_sentence_that_nobody_says(package):
    """A sentence is a constant in the sources of its service, or stands in its dated data."""
    said = {
        node.value
        for path in sources_of(package)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    [path] = [path for path in catalogs.sources() if package in path.parts and path.name == "refusals.po"]
    kept = {each.id for each in read_po(io.BytesIO(path.read_bytes())) if each.id}
    said |= {f"needed of {each}" for each in said}  # finance.bank.schemas, of a rule's name
    data = "".join(each.read_text() for each in Path("services").glob(f"*/src/{package}/**/data/*.json"))
    assert sorted(each for each in kept - said if each not in data) == []


def test_every_status_has_a_chinese_title():
    statuses = {kind.status for kind in subclasses(DomainError)} | {404, 405, 411, 413, 415, 431, 500, 503}
    untold = {each for each in statuses if not CJK.search(in_language(HTTPStatus(each).phrase, CHINESE))}
    assert untold == set()


def test_what_is_forbidden_for_samples_says_why_in_chinese_too():
    rows = json.loads(Path("services/finance/src/finance/samples/data/sample_rules.json").read_text())
    reasons = set(re.findall(r"'why': '([^']+)'", str(rows)))
    assert reasons
    assert [each for each in reasons if not CJK.search(in_language(each, CHINESE, "finance"))] == []


def test_a_refusal_written_as_a_mapping_is_translated_too():
    faults = [{"path": "x", "message": "must be given", "code": "x"}]
    assert listed(faults, CHINESE) == [{"path": "x", "message": "必须填写", "code": "x"}]


def test_a_sentence_keeps_its_values_in_every_language():
    text = Text("must be from {low} to {high}", low=1, high=20)
    assert (text, in_language(text, CHINESE)) == ("must be from 1 to 20", "必须在 1 到 20 之间")
    assert in_language("must be given", CHINESE) == "必须填写"
    assert in_language("", CHINESE) == ""
    braces = Text("send one of: {kinds}", kinds="{x}%s")
    assert in_language(braces, CHINESE) == "请以下列内容类型之一发送：{x}%s"


CATALOGS = [
    *Path("shared/src").glob("**/catalogs/zh_CN/LC_MESSAGES/*.po"),
    *Path("services").glob("*/src/*/catalogs/zh_CN/LC_MESSAGES/refusals.po"),
]


@pytest.mark.parametrize("path", CATALOGS, ids=str)
def test_the_compiled_catalog_is_current(path):
    """Else: `make generate`."""
    assert len(CATALOGS) == 6
    source = read_po(io.BytesIO(path.read_bytes()))
    compiled = read_mo(io.BytesIO(path.with_suffix(".mo").read_bytes()))
    assert {each.id: each.string for each in source if each.id} == {
        each.id: each.string for each in compiled if each.id
    }
    names = re.compile(r"\{(\w+(?:![rsa])?(?::[^}]*)?)\}")
    for each in source:
        assert sorted(names.findall(str(each.id))) == sorted(names.findall(str(each.string))), each.id


def test_faults_that_are_codes_are_listed_as_they_are():
    assert listed(["expiry_too_near", {"path": "lot", "message": "required"}], "en") == [
        "expiry_too_near",
        {"path": "lot", "message": "required"},
    ]
