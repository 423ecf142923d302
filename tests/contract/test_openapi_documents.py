"""What an OpenAPI document says of each operation, beside its schemas: who, what, and what to send."""

from functools import cache

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
    assert told == {key: roles for key, roles in admitted.items() if key in told}
    assert all(told.values())


@pytest.mark.parametrize("package", SERVICES)
def test_the_document_says_where_its_service_is(package):
    assert [each["url"] for each in app_of(package).extensions["openapi"]["servers"]] == ["./"]
