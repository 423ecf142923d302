"""The OpenAPI document of a service and a page to read it, with every file served from here (no CDN)."""

import re
from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Blueprint, Flask, Response, current_app, jsonify, send_from_directory
from flask_smorest import Api

from shared import examples, operations, refusals, shapes, vocabulary
from shared.texts import published
from shared.web import public

blueprint = Blueprint("documentation", __name__)
_DIST = Path(flask_swagger_ui.__file__).parent / "dist"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="docs/favicon-32x32.png"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script></body></html>"""
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#ui", deepLinking: true})'
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Swagger UI styles its elements in place; scripts come from files here alone."""

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "`urn:apotheca:problem:` and the code."},
        "title": {"type": "string", "description": "The words of the HTTP status."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "code": {"type": "string", "description": "Stable name of the refusal."},
        "detail": {
            "type": "string",
            "description": "The sentence for people, in the language of `Accept-Language`: en or zh.",
        },
        "request_id": {
            "type": ["string", "null"],
            "description": "Which request it was, to be told to the operator.",
        },
        "errors": {
            "type": "array",
            "description": "Each fault with the place where it is.",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "description": "Where, such as `lines.0.quantity`."},
                    "code": {"type": "string", "description": "Stable name of the fault."},
                    "message": {
                        "type": "string",
                        "description": "In the language of `Accept-Language`: en or zh.",
                    },
                    "value": {"type": "string", "description": "What was sent, shortened."},
                },
            },
        },
    },
}
LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "Language of the sentences in the answer's lines: en or zh.",
    "schema": {"type": "string", "maxLength": 200, "pattern": r"\A[ -~]*\Z"},
}
ARGUMENT = re.compile(r"<(?:[^<>]+:)?(\w+)>")
"""A path argument of Flask, with or without a converter: `<month>`, `<uuid:sale_id>`, `<int(min=1):year>`."""
_METHODS = ("get", "post", "put", "patch", "delete")


def describe(app: Flask, api: Api) -> None:
    """Complete the document: names and words, problems on every operation, roles, Idempotency-Key on every command."""
    api.spec.components.schema("Problem", PROBLEM)
    document = api.spec.to_dict()
    by_route: dict[tuple[str, str], Any] = {}
    for rule in app.url_map.iter_rules():
        path = ARGUMENT.sub(r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            by_route[path, method.lower()] = app.view_functions[rule.endpoint]
    for path, methods in document.get("paths", {}).items():
        for method in _METHODS:
            operation = methods.get(method)
            if operation is None:
                continue
            view = by_route[path, method]
            operation["x-roles"] = sorted(getattr(view, "admitted_roles", None) or ())
            if getattr(view, "is_upload", False):
                operation.setdefault("parameters", []).append({**LANGUAGE})
            if getattr(view, "is_command", False):
                operation.setdefault("parameters", []).append(
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "required": True,
                        "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
                    }
                )
    borne = {tag for each in document.get("paths", {}).values() for at in each.values() for tag in _tags(at)}
    document["tags"] = [tag for tag in document.get("tags", []) if tag["name"] in borne]
    shapes.describe(document)
    operations.describe(document)
    vocabulary.describe(document["components"]["schemas"], app.name)
    refusals.describe(document, app.name)
    examples.describe(document, app.name)
    _forget_unused(document)
    app.extensions["openapi"] = _published(document)


def _forget_unused(document: dict[str, Any]) -> None:
    """Without the schemas that flask-smorest adds for its own errors and pages."""
    for name in ("Error", "PaginationMetadata"):
        document["components"]["schemas"].pop(name, None)


def _tags(operation: Any) -> list[str]:
    return operation.get("tags", []) if isinstance(operation, dict) else []


def _published(value: Any) -> Any:
    """The document with its patterns as JSON Schema writes them."""
    if isinstance(value, dict):
        return {
            key: published(inner) if key == "pattern" and isinstance(inner, str) else _published(inner)
            for key, inner in value.items()
        }
    return [_published(each) for each in value] if isinstance(value, list) else value


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    return jsonify(current_app.extensions["openapi"])


@blueprint.get("/docs")
@public
def page() -> Response:
    shown = Response(_PAGE.format(title=current_app.config["API_TITLE"]), mimetype="text/html")
    shown.headers["Content-Security-Policy"] = POLICY
    return shown


@blueprint.get("/docs/start.js")
@public
def start() -> Response:
    return Response(_START, mimetype="text/javascript")


@blueprint.get("/docs/<path:name>")
@public
def file(name: str) -> Response:
    return send_from_directory(_DIST, name, max_age=86_400)
