"""`@blp.arguments(...)` of every service: the JSON body and the query of a request, strictly, refused in plain words."""

from typing import Any

import flask_smorest
from flask import Request
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from shared import explain
from shared.body import json_of_request
from shared.errors import Invalid
from shared.faults import Fault

ALL_FAULTS = "the payload has faults; each is listed under `errors`"


class PayloadInvalid(Invalid):
    code = "payload_invalid"
    cure = "Mend each field that `errors` names and send it again with the same key."


class JsonNotAnObject(Invalid):
    code = "json_not_an_object"
    cure = "Send one JSON object with named fields."


class _Parser(FlaskParser):
    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body as read by `shared.strict_json`; what marshmallow would convert in silence is refused here."""
        value = json_of_request().value
        _require_types(schema, value)
        return value

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        proxy = super().load_querystring(req, schema)
        repeated = [
            Fault(name, "given_twice", "may be given only once")
            for name in _names(schema)
            if name not in proxy.multiple_keys and len(req.args.getlist(name)) > 1
        ]
        asked = dict(proxy)
        wrong = [*repeated, *explain.question_faults(schema, asked)]
        if wrong:
            known = {each.path for each in wrong}
            more = (each for each in _marshmallow_faults(schema, proxy, asked) if each.path not in known)
            raise PayloadInvalid(ALL_FAULTS, errors=[*wrong, *more])
        return proxy

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_: Any) -> Any:
        ((location, messages),) = error.messages_dict.items()
        data = json_of_request().value if location == "json" else dict(super().load_querystring(req, schema))
        faults = explain.faults_of(schema, data, messages, strictly=location == "json")
        raise PayloadInvalid(ALL_FAULTS, errors=faults) from None


def load_json(schema: Schema, value: Any) -> Any:
    """One value by a schema, as strictly as a body: a row of an upload. Raises JsonNotAnObject, PayloadInvalid."""
    _require_types(schema, value)
    try:
        return schema.load(value, unknown=RAISE)
    except ValidationError as error:
        faults = explain.faults_of(schema, value, error.messages, strictly=True)
        raise PayloadInvalid(ALL_FAULTS, errors=faults) from None


def _require_types(schema: Schema, value: Any) -> None:
    if not isinstance(value, dict):
        raise not_an_object()
    if next(explain.type_faults(schema, value), None):
        messages = schema.validate(value)
        raise PayloadInvalid(ALL_FAULTS, errors=explain.faults_of(schema, value, messages, strictly=True))


def _marshmallow_faults(schema: Schema, given: Any, asked: dict[str, Any]) -> list[Fault]:
    try:
        schema.load(given, unknown=EXCLUDE)
    except ValidationError as error:
        return explain.faults_of(schema, asked, error.messages, strictly=False)
    return []


def _names(schema: Schema) -> list[str]:
    return [name if field.data_key is None else field.data_key for name, field in schema.load_fields.items()]


def not_an_object() -> JsonNotAnObject:
    """The refusal of JSON that is a list, a text, a number or a word where named fields are wanted."""
    said = "the body must be one JSON object with named fields"
    return JsonNotAnObject(said, errors=[Fault("", "json_not_an_object", said)])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """The blueprint of every API. `tag` is the heading its operations stand under, where another area has opened it."""

    ARGUMENTS_PARSER = _Parser()

    def __init__(self, name: str, import_name: str, *, tag: str | None = None, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self._tags = [tag] if tag else None

    def route(
        self, rule: str, *, parameters: Any = None, tags: list[str] | None = None, **options: Any
    ) -> Any:
        return super().route(rule, parameters=parameters, tags=tags or self._tags, **options)
