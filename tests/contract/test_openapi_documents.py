"""What an OpenAPI document says of each operation, beside its schemas: who, what, and what to send."""

from functools import cache

import jsonschema_rs
import pytest

from deploy.generate.openapi import application
from deploy.generate.repository import SERVICES
from shared.documentation import ARGUMENT

METHODS = ("get", "post", "put", "patch", "delete")


@cache
def app_of(package):
    return application(package)


def operations(package):
    """(method, path, operation, parameters of the path and of the operation)."""
    for path, methods in app_of(package).extensions["openapi"]["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                asked = [*methods.get("parameters", ()), *operation.get("parameters", ())]
                yield method, path, operation, asked


@pytest.mark.parametrize("package", SERVICES)
def test_each_operation_has_a_name_of_its_own(package):
    names = [operation["operationId"] for *_, operation, _ in operations(package)]
    assert [name for name in names if names.count(name) > 1] == []
    assert [name for name in names if not name.isidentifier() or name.lower() != name] == []


@pytest.mark.parametrize("package", SERVICES)
def test_each_operation_and_each_of_its_parameters_is_described(package):
    silent = [
        f"{method} {path} {name}"
        for method, path, operation, asked in operations(package)
        for name, said in [
            ("", operation.get("description")),
            *((each["name"], each.get("description")) for each in asked),
        ]
        if not (said or "").endswith((".", "?", ")"))
    ]
    assert silent == []


@pytest.mark.parametrize("package", SERVICES)
def test_each_operation_names_the_roles_that_it_admits(package):
    app = app_of(package)
    told = {(method, path): set(operation["x-roles"]) for method, path, operation, _ in operations(package)}
    admitted = {
        (method.lower(), ARGUMENT.sub(r"{\1}", rule.rule)): set(
            app.view_functions[rule.endpoint].admitted_roles
        )
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/")
    }
    assert told == admitted
    assert all(told.values())


@pytest.mark.parametrize("package", SERVICES)
def test_each_operation_shows_an_example_of_what_it_takes_and_of_what_it_answers(package):
    """Of an upload its first media type; a paper or a spreadsheet has none."""
    silent = []
    for method, path, operation, asked in operations(package):
        known = example_names(operation)
        needed = {each["name"] for each in asked if each["in"] == "path"}
        needed |= {"body"} if operation.get("requestBody") else set()
        needed |= {"answer"} if answers_in_text(operation) else set()
        silent += [f"{method} {path}: {name}" for name in sorted(needed - known)]
    assert silent == []


@pytest.mark.parametrize("package", SERVICES)
def test_each_example_is_what_its_schema_says(package):
    document = app_of(package).extensions["openapi"]
    wrong = [
        f"{operation['operationId']} {place}: {fault.message[:200]}"
        for *_, operation, asked in operations(package)
        for place, schema, value in shown(operation, asked)
        for fault in validator(document, schema).iter_errors(value)
    ]
    assert wrong == []


def validator(document, schema):
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": document["components"]}, validate_formats=True
    )


def shown(operation, asked):
    """(where, schema, example) of all that is JSON."""
    for each in asked:
        if "example" in each:
            yield each["name"], each["schema"], each["example"]
    for described in (operation.get("requestBody", {}), *successes(operation)):
        for kind, content in described.get("content", {}).items():
            if kind == "application/json" and "example" in content:
                yield "body", content["schema"], content["example"]


def successes(operation):
    return [each for status, each in operation["responses"].items() if status.startswith("2")]


def example_names(operation):
    found = {each["name"] for each in operation["parameters"] if "example" in each}
    if any("example" in each for each in operation.get("requestBody", {}).get("content", {}).values()):
        found.add("body")
    if any(
        "example" in each for success in successes(operation) for each in success.get("content", {}).values()
    ):
        found.add("answer")
    return found


def answers_in_text(operation):
    kinds = {kind for success in successes(operation) for kind in success.get("content", {})}
    return any(
        kind == "application/json" or kind == "application/x-ndjson" or kind.startswith("text/")
        for kind in kinds
    )


@pytest.mark.parametrize("package", SERVICES)
def test_each_operation_lists_its_refusals_each_with_a_sentence_and_what_to_do(package):
    examples = app_of(package).extensions["openapi"]["components"]["examples"]
    assert [code for code, told in examples.items() if not (told["summary"] and told["description"])] == []
    silent = [
        f"{method} {path}"
        for method, path, operation, _ in operations(package)
        if not {"401", "403", "503"} <= set(operation["responses"])
    ]
    assert silent == []


@pytest.mark.parametrize("package", SERVICES)
def test_the_document_says_where_its_service_is(package):
    assert [each["url"] for each in app_of(package).extensions["openapi"]["servers"]] == ["./"]
