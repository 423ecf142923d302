"""The published documents of events say what every message is: checked by a validator that is not ours."""

import gzip
import json
import re
from copy import deepcopy
from pathlib import Path

import jsonschema_rs
import pytest

from deploy.generate.events import readers_by_type
from deploy.generate.payloads import declared, every_declared
from deploy.generate.repository import SERVICES, examples
from shared import event_types
from tests.support.published import document_of, faults_of
from tests.unit.test_bounds import faults_of as unbounded
from tests.unit.test_bounds import leaves

PRODUCERS = [package for package in SERVICES if declared(package)]
EXAMPLES = {each.type: each.data for each in examples()}
SALE = "finance.sale.posted.v1"


@pytest.mark.parametrize("kind", sorted(every_declared()))
def test_the_example_of_a_type_is_what_its_schema_says(kind):
    assert faults_of(kind, EXAMPLES[kind]) == []


def test_every_type_has_an_example_and_no_example_is_of_an_unknown_type():
    assert set(EXAMPLES) == set(every_declared())
    assert all(kind.startswith(f"{package}.") for package in PRODUCERS for kind in declared(package))


def test_consumers_read_only_types_that_somebody_publishes():
    """A misspelled type in a consumer's table would wait for events that never come."""
    assert set(readers_by_type()) <= set(every_declared())


def test_a_release_knows_every_type_that_it_publishes_and_no_other():
    assert event_types.packaged() == set(every_declared())


def test_the_commonest_message_a_sale_to_nobody_is_admitted():
    anonymous = {**EXAMPLES[SALE], "customer_id": None}
    assert faults_of(SALE, anonymous) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer_id", ""),
        ("customer_id", "P-1"),
        ("sale_id", None),
        ("channel", "pigeon"),
        ("business_date", "2026-02-30"),
        ("business_date", "1999-12-31"),
        ("business_date", "2026-03-03\n"),
        ("sold_at", "2026-03-03T02:15:00"),
        ("receipt_number", "R-1\n"),
        ("branch_id", "s001"),
        ("total_fen", -1),
        ("total_fen", 10**15 + 1),
        ("total_fen", 1.5),
        ("total_fen", "39.00"),
        ("lines", []),
    ],
)
def test_a_message_that_no_producer_would_send_is_refused(name, value):
    assert faults_of(SALE, {**EXAMPLES[SALE], name: value}) != []


def test_a_lot_with_a_line_feed_is_refused():
    sale = deepcopy(EXAMPLES[SALE])
    sale["lines"][0]["lot"] = "L1\n"
    assert faults_of(SALE, sale) != []


@pytest.mark.parametrize("kind", sorted(every_declared()))
def test_a_field_may_be_added_and_a_required_one_may_not_be_missing(kind):
    assert faults_of(kind, {**EXAMPLES[kind], "added_later": 1}) == []
    for name in schema_of(kind)["required"]:
        data = {key: value for key, value in EXAMPLES[kind].items() if key != name}
        assert any(name in fault for fault in faults_of(kind, data))


def schema_of(kind):
    document = document_of(kind.partition(".")[0])
    payload = document["components"]["messages"][kind.replace(".", "_")]["payload"]
    return document["components"]["schemas"][payload["$ref"].rpartition("/")[2]]


@pytest.mark.parametrize("package", PRODUCERS)
def test_every_field_of_every_message_is_bounded(package):
    document = document_of(package)
    faults = [
        fault
        for name, schema in document["components"]["schemas"].items()
        for path, each in leaves(document, schema, name)
        for fault in unbounded(path, each)
    ]
    assert faults == []


@pytest.fixture(scope="module")
def asyncapi():
    """The specification's own schema of documents (@asyncapi/specs 6.11.1, Apache-2.0)."""
    packed = Path(__file__).with_name("data") / "asyncapi-3.1.0.json.gz"
    return jsonschema_rs.Draft7Validator(
        json.loads(gzip.decompress(packed.read_bytes())), validate_formats=True
    )


@pytest.mark.parametrize("package", PRODUCERS)
def test_a_document_is_what_the_specification_asks(package, asyncapi):
    assert [each.message for each in asyncapi.iter_errors(document_of(package))] == []


@pytest.mark.parametrize("package", PRODUCERS)
def test_a_document_is_whole_every_reference_leads_somewhere(package):
    document = document_of(package)
    for reference in re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document)):
        found = document
        for step in reference.split("/"):
            found = found[step]
    assert document["asyncapi"] == "3.1.0"
    assert set(document["channels"]) == {kind.replace(".", "_") for kind in declared(package)}


@pytest.mark.parametrize("package", PRODUCERS)
def test_a_document_tells_where_and_how_to_log_in_and_what_to_bind(package):
    document = document_of(package)
    for channel in document["channels"].values():
        assert channel["servers"] == [{"$ref": "#/servers/broker"}]
        binding = channel["bindings"]["amqp"]
        assert binding["is"] == "routingKey"
        assert binding["exchange"]["name"] == "apotheca.events"
    broker = document["servers"]["broker"]
    assert broker["protocol"] == "amqp"
    assert broker["security"] == [{"$ref": "#/components/securitySchemes/login"}]
    assert document["components"]["securitySchemes"]["login"]["type"] == "userPassword"


@pytest.mark.parametrize("package", PRODUCERS)
def test_the_schemas_are_draft_07_as_readers_of_the_document_expect_and_2020_12_too(package):
    for validator in (jsonschema_rs.Draft7Validator, jsonschema_rs.Draft202012Validator):
        for message in document_of(package)["components"]["messages"].values():
            schema = {**message["payload"], "components": document_of(package)["components"]}
            for each in message["examples"]:
                validator(schema, validate_formats=True).validate(each["payload"])
