"""Faults of a payload in words of who sent it, derived from what a field wants and what was given.

The decoders (marshmallow, msgspec) say whether a value is refused; what is said about it is said here alone, so that
no caller reads a decoder's language, and the same fault has the same code in every service.

A field that holds more than one thing (an amount: `fen` and `currency`) tells its own faults by a method
`faults(value, path)`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import Schema, ValidationError, fields, missing, validate
from marshmallow.exceptions import SCHEMA

from shared.faults import ERRORS_SHOWN_MAX, Fault, shortened
from shared.languages import Text

CHOICES_SHOWN_MAX = 40
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
PERSONAL = "x-personal"
"""Mark a field with this metadata and no refusal repeats its value. Values of free text are never repeated."""

# --- what is said --------------------------------------------------------------------------------------


def required(path: str) -> Fault:
    return Fault(path, "required", "must be given")


def unknown_field(path: str) -> Fault:
    return Fault(path, "unknown_field", "no such field is known here")


def not_null(path: str) -> Fault:
    return Fault(path, "null_not_allowed", "must not be null")


def not_text(path: str, _: Any = None) -> Fault:
    return Fault(path, "not_text", "must be text")


def not_whole(path: str, value: Any) -> Fault:
    said = (
        "must be a whole number of fen, without point, exponent or quotes"
        if path.rpartition(".")[2].endswith("fen")
        else "must be a whole number, without point, exponent or quotes"
    )
    return Fault(path, "not_whole_number", said, shown(value))


def not_truth(path: str, value: Any) -> Fault:
    return Fault(path, "not_true_or_false", "must be true or false", shown(value))


def not_day(path: str, value: Any) -> Fault:
    return Fault(path, "not_a_day", "must be a day that exists, written like 2026-01-31", shown(value))


def not_instant(path: str, value: Any) -> Fault:
    said = "must be a time with its offset, written like 2026-01-31T08:30:00+08:00"
    return Fault(path, "not_an_instant", said, shown(value))


def not_id(path: str, value: Any) -> Fault:
    said = "must be an id of this system, written like 0199b1c0-0000-7000-8000-000000000001"
    return Fault(path, "not_an_id", said, shown(value))


def not_list(path: str, value: Any) -> Fault:
    return Fault(path, "not_a_list", "must be a list", shown(value))


def not_object(path: str, value: Any) -> Fault:
    return Fault(path, "not_an_object", "must be an object with named fields", shown(value))


def not_one_of(path: str, value: Any, choices: Sequence[Any]) -> Fault:
    told = ", ".join(str(each) for each in choices[:CHOICES_SHOWN_MAX])
    more = ", …" if len(choices) > CHOICES_SHOWN_MAX else ""
    return Fault(path, "not_one_of", Text("must be one of: {choices}", choices=told + more), shown(value))


def out_of_range(path: str, value: Any, low: Any, high: Any) -> Fault:
    return Fault(path, "out_of_range", _bounds("must be", "", low, high), shown(value))


def length_wrong(path: str, value: Any, low: int | None, high: int | None) -> Fault:
    of_what = " characters" if isinstance(value, str) else " entries"
    return Fault(path, "length_wrong", _bounds("must have", of_what, low, high))


def form_wrong(path: str, said: str) -> Fault:
    return Fault(path, "form_wrong", said)


def _bounds(verb: str, of_what: str, low: Any, high: Any) -> Text:
    if low is not None and low == high:
        return Text(f"{verb} {{low}}{of_what}", low=low)
    if high is None:
        return Text(f"{verb} at least {{low}}{of_what}", low=low)
    if low is None:
        return Text(f"{verb} at most {{high}}{of_what}", high=high)
    return Text(
        f"{verb} {{low}} to {{high}}{of_what}" if of_what else f"{verb} from {{low}} to {{high}}",
        low=low,
        high=high,
    )


def shown(value: Any) -> str | None:
    """A scalar as JSON shows it, shortened; None for what has parts."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return shortened(str(value))


# --- marshmallow ---------------------------------------------------------------------------------------


def faults_of(schema: Schema, data: Any, messages: Any, *, strictly: bool) -> list[Fault]:
    """Every fault that marshmallow found in `data`, and with `strictly` those of JSON's types, at most ERRORS_SHOWN_MAX."""
    found: dict[tuple[str, str], Fault] = {}
    for path, message in _flat(messages):
        for fault in _explained(schema, data, path, message):
            found.setdefault((fault.path, fault.code), fault)
            if len(found) >= ERRORS_SHOWN_MAX:
                return list(found.values())
    if strictly:
        for fault in type_faults(schema, data):
            found.setdefault((fault.path, fault.code), fault)
    return list(found.values())[:ERRORS_SHOWN_MAX]


def type_faults(schema: Schema, data: Any, path: str = "") -> Iterator[Fault]:
    """Where JSON has text, a fraction or true in the place of a whole number, or anything in the place of true or false;
    and days, instants and ids in another form than the one that the document of the API names.

    marshmallow would convert these: `"1"`, `1.0` and `true` would silently mean 1, and `2026-W40-1` a day.
    """
    if isinstance(data, dict):
        for name, field in schema.load_fields.items():
            key = field.data_key if field.data_key is not None else name
            if key in data:
                yield from _wrong_types(field, data[key], _below(path, key))


def _wrong_types(field: fields.Field[Any], value: Any, path: str) -> Iterator[Fault]:
    if value is None:
        return
    if isinstance(field, fields.Integer) and type(value) is not int:
        yield not_whole(path, value)
    elif isinstance(field, fields.Boolean) and type(value) is not bool:
        yield not_truth(path, value)
    elif isinstance(value, str):
        yield from _wrong_forms(field, value, path)
    elif isinstance(field, fields.Nested):
        if field.many:
            for at, inner in enumerate(value if isinstance(value, list) else ()):
                yield from type_faults(field.schema, inner, _below(path, at))
        else:
            yield from type_faults(field.schema, value, path)
    elif isinstance(field, fields.List) and isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _wrong_types(field.inner, inner, _below(path, at))


def _wrong_forms(field: fields.Field[Any], value: str, path: str) -> Iterator[Fault]:
    for kind, form, said in _FORMS:
        if isinstance(field, kind):
            if not form.fullmatch(value):
                yield said(path, value)
            return


_FORMS: tuple[tuple[type[Any], re.Pattern[str], Callable[[str, Any], Fault]], ...] = (
    (fields.Date, _DAY, not_day),  # before DateTime, of which it is a kind
    (fields.DateTime, _INSTANT, not_instant),
    (fields.UUID, _ID, not_id),
)


def question_faults(schema: Schema, asked: Mapping[str, Any]) -> Iterator[Fault]:
    """The same of a query, where everything is text: `1_0`, ` 5` and `٥` are no whole numbers, `on` is neither true nor false."""
    for name, field in schema.load_fields.items():
        key = field.data_key if field.data_key is not None else name
        value = asked.get(key)
        if not isinstance(value, str):
            continue
        if isinstance(field, fields.Integer):
            if not _WHOLE.fullmatch(value):
                yield not_whole(key, value)
        elif isinstance(field, fields.Boolean):
            if value not in {"true", "false"}:
                yield not_truth(key, value)
        else:
            yield from _wrong_forms(field, value, key)


def _below(path: str, step: Any) -> str:
    return f"{path}.{step}" if path else str(step)


def _flat(messages: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _flat(inner, path if name == SCHEMA else (*path, name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path, messages


def _explained(schema: Schema, data: Any, path: tuple[Any, ...], message: str) -> list[Fault]:
    field, value, steps = _found(schema, data, path)
    where = ".".join(steps)
    if isinstance(field, Schema):
        return (
            [Fault(where, "not_acceptable", message)]
            if isinstance(value, dict)
            else [not_object(where, value)]
        )
    if field is None:
        return [unknown_field(where)]
    found = faults_of_value(field, value, where, message)
    return [replace(each, value=None) for each in found] if field.metadata.get(PERSONAL) else found


_Place = Schema | fields.Field[Any] | None


def _found(schema: Schema, data: Any, path: tuple[Any, ...]) -> tuple[_Place, Any, list[str]]:
    """The field that marshmallow's `path` names, or the schema of an object; what was given there; the path for people."""
    at: _Place = schema
    value, steps = data, []
    rest = list(path)
    while rest:
        step = rest.pop(0)
        steps.append(str(step))
        if isinstance(at, fields.Dict):
            is_key = bool(rest) and rest.pop(0) == "key"
            at, value = (at.key_field, step) if is_key else (at.value_field, _given(value, step))
            continue
        at, value = _inside(at, step), _given(value, step)
    return (
        (at.schema if isinstance(at, fields.Nested) and isinstance(value, dict) and not at.many else at),
        value,
        steps,
    )


def _inside(at: _Place, step: Any) -> _Place:
    if isinstance(at, fields.Nested):
        if at.many and isinstance(step, int):
            return at.schema
        at = at.schema
    if isinstance(at, Schema):
        named = (each for name, each in at.load_fields.items() if step == (each.data_key or name))
        return next(named, None)
    return at.inner if isinstance(at, fields.List) else at


def _given(value: Any, step: Any) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return missing


def faults_of_value(field: fields.Field[Any], value: Any, path: str, message: str) -> list[Fault]:
    """Why `field` refuses `value`; `message` is what is left to say when the field itself does not tell."""
    if value is missing:
        return [required(path)] if field.required else [Fault(path, "not_acceptable", message)]
    if value is None:
        return [Fault(path, "not_acceptable", message)] if field.allow_none else [not_null(path)]
    own = getattr(field, "faults", None)
    told = [] if own is None else list(own(value, path))
    if told:
        return told
    wrong = _wrong_kind(field, value, path)
    if wrong is not None:
        return [wrong]
    if isinstance(field, fields.List | fields.Nested | fields.Dict):
        given = value  # what is in it is refused at its own path
    else:
        given = _deserialized(field, value)
        if given is missing:
            return [Fault(path, "not_acceptable", message)]
    refused = [fault for each in field.validators if (fault := _unfit(each, given, value, path))]
    return refused or [Fault(path, "not_acceptable", message)]


_KINDS: tuple[tuple[type[Any], Any], ...] = (
    (fields.Integer, not_whole),
    (fields.Boolean, not_truth),
    (fields.UUID, not_id),
    (fields.Date, not_day),
    (fields.DateTime, not_instant),
    (fields.String, not_text),
    (fields.List, not_list),
    (fields.Nested, not_object),
    (fields.Dict, not_object),
)


def _wrong_kind(field: fields.Field[Any], value: Any, path: str) -> Fault | None:
    said = next((said for kind, said in _KINDS if isinstance(field, kind)), None)
    if said is None or _is_kind(field, value):
        return None
    if isinstance(field, fields.String) and isinstance(value, str):
        return None  # a field of a service, with words of its own
    fault: Fault = said(path, value)
    return fault


def _is_kind(field: fields.Field[Any], value: Any) -> bool:
    if isinstance(field, fields.List):
        return isinstance(value, list)
    if isinstance(field, fields.Nested):
        return isinstance(value, list if field.many else dict)
    if isinstance(field, fields.Dict):
        return isinstance(value, dict)
    return _deserialized(field, value) is not missing


def _deserialized(field: fields.Field[Any], value: Any) -> Any:
    """The value alone, before its validators; `missing` for what is refused."""
    try:
        return field._deserialize(value, None, None)  # noqa: SLF001
    except ValidationError:
        return missing


def _unfit(validator: Any, given: Any, value: Any, path: str) -> Fault | None:
    try:
        validator(given)
    except ValidationError as error:
        said = _VALIDATORS.get(type(validator))
        return said(validator, value, path) if said else Fault(path, "not_acceptable", str(error.messages[0]))
    return None


def _length(validator: validate.Length, value: Any, path: str) -> Fault:
    if validator.equal is not None:
        return length_wrong(path, value, validator.equal, validator.equal)
    return length_wrong(path, value, validator.min, validator.max)


_VALIDATORS: dict[type[Any], Callable[[Any, Any, str], Fault]] = {
    validate.Range: lambda each, value, path: out_of_range(path, value, each.min, each.max),
    validate.Length: _length,
    validate.OneOf: lambda each, value, path: not_one_of(path, value, list(each.choices)),
    validate.Equal: lambda each, value, path: not_one_of(path, value, [each.comparable]),
    validate.Regexp: lambda each, _, path: form_wrong(path, str(each.error)),
}
