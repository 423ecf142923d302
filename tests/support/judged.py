"""Every answer that a test gets from a service in its own process, held against the service's OpenAPI document.

The validator is a third party's (jsonschema-rs), with formats. A field that is missing or that no document knows, a
status or a code of a refusal that the operation does not list: each makes the test fail that asked.
"""

from typing import Any
from weakref import WeakKeyDictionary

import jsonschema_rs
import orjson
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from shared.documentation import ARGUMENT

FAULTS_SHOWN_MAX = 5
NO_CONTENT = 204
NOT_OF_AN_OPERATION = {405, 500}
"""A method that is not there, and a bug that a test provokes."""
_judges: WeakKeyDictionary[Flask, dict[Any, Any]] = WeakKeyDictionary()


class JudgedClient(FlaskClient):
    """The client of every application in a test: it asserts that the answer is as documented."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        faults = faults_of(self.application, answer)
        assert faults == [], "\n".join(faults[:FAULTS_SHOWN_MAX])
        return answer


def faults_of(app: Flask, answer: TestResponse) -> list[str]:
    """What the document has against an answer; nothing where it describes no such address."""
    found = _operation(app, answer)
    if found is None:
        return []
    name, operation = found
    if answer.status_code >= 400:
        return _refusal_faults(app, name, operation, answer)
    described = operation["responses"].get(str(answer.status_code))
    if described is None:
        return [f"{name} answers {answer.status_code}, which is not documented"]
    if answer.status_code == NO_CONTENT:
        return []
    if answer.mimetype != "application/json":
        known = answer.mimetype in described.get("content", {})
        return [] if known else [f"{name} answers {answer.mimetype}, which is not documented"]
    validator = _validator(app, (name, answer.status_code), described)
    if validator is None:
        return [f"{name}: JSON is not documented"]
    value = orjson.loads(answer.data)
    if validator.is_valid(value):
        return []
    return [
        f"{name} {answer.status_code} {'/'.join(map(str, each.instance_path))}: {each.message[-300:]}"
        for each in validator.iter_errors(value)
    ]


def _refusal_faults(app: Flask, name: str, operation: dict[str, Any], answer: TestResponse) -> list[str]:
    if answer.status_code in NOT_OF_AN_OPERATION:
        return []
    if answer.mimetype != "application/problem+json":
        return [f"{name} answers {answer.status_code} without a problem document"]
    code = orjson.loads(answer.data)["code"]
    documented = operation["responses"].get(str(answer.status_code), {})
    if "$ref" in documented:
        shared = app.extensions["openapi"]["components"]["responses"]
        documented = shared[documented["$ref"].rpartition("/")[2]]
    listed = documented.get("content", {}).get(answer.mimetype, {}).get("examples", {})
    if not app.extensions["openapi"]["components"]["examples"]:
        return []  # a service made in a test: no sources were read for it
    return (
        [] if code in listed else [f"{name} refuses with {answer.status_code} {code}, which it does not list"]
    )


def _operation(app: Flask, answer: TestResponse) -> tuple[str, dict[str, Any]] | None:
    document = app.extensions.get("openapi")
    if document is None:
        return None
    method = answer.request.method
    try:
        rule, _ = app.url_map.bind("").match(answer.request.path, method, return_rule=True)
    except HTTPException:
        return None
    operation = document["paths"].get(ARGUMENT.sub(r"{\1}", rule.rule), {}).get(method.lower())
    return None if operation is None else (f"{method} {rule.rule}", operation)


def _validator(app: Flask, key: Any, described: dict[str, Any]) -> Any:
    validators = _judges.setdefault(app, {})
    if key not in validators:
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        components = app.extensions["openapi"]["components"]
        validators[key] = schema and jsonschema_rs.Draft202012Validator(
            {**schema, "components": components}, validate_formats=True
        )
    return validators[key]
