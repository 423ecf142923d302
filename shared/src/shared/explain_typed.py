"""The faults of a payload whose shape is a msgspec type: what `shared.explain` is for marshmallow, with the same words.

A type with a pattern says in its description what the pattern wants (`shared.texts`).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import inspect

from shared import explain
from shared.faults import Fault

Teller = Callable[[Any, Any, str], Iterator[Fault]]


@cache
def type_of(kind: Any) -> inspect.Type:
    """What msgspec knows of a type."""
    return inspect.type_info(kind)


def faults_of_type(kind: Any, value: Any, path: str = "") -> Iterator[Fault]:
    """Every reason why `value`, as JSON gives it, is not of `kind`; none exactly when msgspec takes it."""
    yield from _walk(type_of(kind), value, path)


def _walk(kind: inspect.Type, value: Any, path: str) -> Iterator[Fault]:
    words = ""
    while isinstance(kind, inspect.Metadata):
        words = (kind.extra_json_schema or {}).get("description", words)
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        yield from _union(kind, value, path)
    elif value is None and not isinstance(kind, inspect.NoneType):
        yield explain.not_null(path)
    elif isinstance(kind, inspect.StrType):
        yield from _text(kind, value, path, words)
    else:
        yield from _TELLERS[type(kind)](kind, value, path)


def _union(kind: inspect.UnionType, value: Any, path: str) -> Iterator[Fault]:
    if value is not None or not kind.includes_none:
        yield from _walk(
            next(each for each in kind.types if not isinstance(each, inspect.NoneType)), value, path
        )


def _text(kind: inspect.StrType, value: Any, path: str, words: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield explain.not_text(path)
    elif (kind.min_length or 0) > len(value) or (
        kind.max_length is not None and len(value) > kind.max_length
    ):
        yield explain.length_wrong(path, value, kind.min_length, kind.max_length)
    elif not _converts(value, _text_of(kind.pattern)):
        assert words, f"the pattern of {path} says nothing in words"
        yield explain.form_wrong(path, f"must be {words}")


def _converts(value: str, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return False
    return True


@cache
def _text_of(pattern: str | None) -> Any:
    return Annotated[str, msgspec.Meta(pattern=pattern)]


def _whole(kind: Any, value: Any, path: str) -> Iterator[Fault]:
    if type(value) is not int:
        yield explain.not_whole(path, value)
    elif (kind.ge is not None and value < kind.ge) or (kind.le is not None and value > kind.le):
        yield explain.out_of_range(path, value, kind.ge, kind.le)


def _truth(kind: Any, value: Any, path: str) -> Iterator[Fault]:
    if type(value) is not bool:
        yield explain.not_truth(path, value)


def _choice(kind: Any, value: Any, path: str) -> Iterator[Fault]:
    choices = [each.value for each in kind.cls] if isinstance(kind, inspect.EnumType) else list(kind.values)
    if not isinstance(value, str) or value not in choices:
        yield explain.not_one_of(path, value, choices)


def _parsed(kind: Any, said: Callable[[str, Any], Fault]) -> Teller:
    def tell(_: Any, value: Any, path: str) -> Iterator[Fault]:
        if not (isinstance(value, str) and _converts(value, kind)):
            yield said(path, value)

    return tell


def _list(kind: Any, value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield explain.not_list(path, value)
        return
    if (kind.min_length or 0) > len(value) or (kind.max_length is not None and len(value) > kind.max_length):
        yield explain.length_wrong(path, value, kind.min_length, kind.max_length)
        return
    for at, inner in enumerate(value):
        yield from _walk(kind.item_type, inner, f"{path}.{at}" if path else str(at))


def _struct(kind: Any, value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield explain.not_object(path, value)
        return
    known = {each.encode_name: each for each in kind.fields}
    for name, field in known.items():
        below = f"{path}.{name}" if path else name
        if name in value:
            yield from _walk(field.type, value[name], below)
        elif field.required:
            yield explain.required(below)
    for name in value:
        if name not in known:
            yield explain.unknown_field(f"{path}.{name}" if path else str(name))


_TELLERS: dict[type[inspect.Type], Teller] = {
    inspect.IntType: _whole,
    inspect.BoolType: _truth,
    inspect.EnumType: _choice,
    inspect.LiteralType: _choice,
    inspect.UUIDType: _parsed(UUID, explain.not_id),
    inspect.DateType: _parsed(date, explain.not_day),
    inspect.DateTimeType: _parsed(Annotated[datetime, msgspec.Meta(tz=True)], explain.not_instant),
    inspect.ListType: _list,
    inspect.StructType: _struct,
}
