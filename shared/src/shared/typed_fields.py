"""Fields of a schema that are exactly those of a msgspec type: OpenAPI is told what the type says."""

import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
from marshmallow import ValidationError, fields

from shared.explain_typed import faults_of_type
from shared.faults import Fault


class _Strict(fields.Field[Any]):
    """A value that fits a type of msgspec exactly; OpenAPI is told what the type says."""

    def __init__(self, kind: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kind = kind
        self.metadata = {**self.metadata, **_json_schema(kind)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        for fault in self.faults(value, ""):
            raise ValidationError(fault.message)
        return msgspec.convert(value, self._kind)

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        """Why `value` is not of this type."""
        return faults_of_type(self._kind, value, path)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


def _json_schema(kind: Any) -> dict[str, Any]:
    schema = dict(msgspec.json.schema(kind))
    definitions = schema.pop("$defs", {})
    reference = schema.pop("$ref", None)
    if reference:
        schema = dict(definitions[reference.rpartition("/")[2]])
    schema.pop("title", None)
    return schema


def strict_field(struct: type[msgspec.Struct], name: str) -> Any:
    """The strict field of one attribute: required unless the struct has a default, nullable where it may be None."""
    info = next(each for each in msgspec.structs.fields(struct) if each.name == name)
    kind = info.type
    nullable = typing.get_origin(kind) in {types.UnionType, typing.Union} and type(None) in typing.get_args(
        kind
    )
    if nullable:
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    if info.required:
        return _Strict(kind, required=True)
    factory = info.default_factory
    default = info.default if factory is msgspec.NODEFAULT else factory()
    shown = {"default": msgspec.to_builtins(default)}  # JSON for OpenAPI
    return _Strict(kind, load_default=default, allow_none=nullable, metadata=shown)
