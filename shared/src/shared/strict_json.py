r"""JSON from outside, read strictly and within bounds: what two readers could understand differently is refused.

Promises:

- `parse` accepts exactly the texts of RFC 8259 in UTF-8 that keep to I-JSON (RFC 7493): every key once in its object
  (after escapes are read), whole numbers within ±(2^53 - 1), fractions finite, text of whole Unicode characters. It
  also refuses NUL characters (no database column holds one), minus zero (two spellings of one number) and more than
  DEPTH_MAX levels of arrays and objects. A byte order mark at the beginning is passed over;
- the value equals what `json.loads` gives, and `canonical` is the one spelling of it that a hash can be taken of;
- a refusal lists every fault with its code and its path, or its line, column and byte where the text is no JSON;
- no text, however made, costs more than time linear in its length, or ends in another exception.

An ordinary text passes the fast decoder and four counts; only one that looks odd is read by the exact parser, which
then decides. Why the counts suffice: without `\u00` escapes the canonical text has exactly the colons and hyphens of
the original, except those of a repeated key and of minus zero, and those are always missing.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import orjson

from shared.errors import Invalid, Malformed
from shared.faults import ERRORS_SHOWN_MAX, Fault, shortened
from shared.languages import Text

DEPTH_MAX = 32
WHOLE_MAX = 2**53 - 1
NUMBER_CHARS_MAX = 40
BOM = b"\xef\xbb\xbf"

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[{]|[\]}]', re.DOTALL)


class Parsed(NamedTuple):
    value: Any
    canonical: bytes
    """The same value in one spelling: keys sorted, no blanks."""


class JsonMalformed(Malformed):
    """Not JSON at all: the place is known, a path is not."""

    code = "json_malformed"
    cure = "Mend the JSON at the line and column that are named."


class JsonTrailing(Malformed):
    code = "json_trailing_text"
    cure = "Send one JSON value and nothing behind it."


class JsonControlCharacter(Malformed):
    code = "json_control_character"
    cure = "Write control characters in texts as escapes such as `\\n`."


class BodyEmpty(Malformed):
    code = "body_empty"
    cure = "Send the body that the operation describes."


class TextUndecodable(Malformed):
    """Bytes that are not of the charset they are said to be of."""

    code = "text_undecodable"
    cure = "Save the file in the charset that is declared and send it again."


class JsonTooDeep(Invalid):
    code = "json_too_deep"
    cure = "Nest objects and lists less deeply."


class JsonDuplicateKey(Invalid):
    code = "json_duplicate_key"
    cure = "Name each field once."


class JsonNumberNotFinite(Invalid):
    code = "json_number_not_finite"
    cure = "Send whole numbers; JSON has neither NaN nor Infinity."


class JsonNumberOutOfRange(Invalid):
    code = "json_number_out_of_range"
    cure = "Send whole numbers from -9007199254740991 to 9007199254740991."


class JsonMinusZero(Invalid):
    code = "json_minus_zero"
    cure = "Write 0 in the place of -0."


class JsonLoneSurrogate(Invalid):
    code = "json_lone_surrogate"
    cure = "Write whole characters: a surrogate stands only in a pair."


class JsonNulCharacter(Invalid):
    code = "json_nul_character"
    cure = "Leave the NUL character out of texts."


_BY_CODE = {
    each.code: each
    for each in (
        JsonDuplicateKey,
        JsonNumberNotFinite,
        JsonNumberOutOfRange,
        JsonMinusZero,
        JsonLoneSurrogate,
        JsonNulCharacter,
    )
}


def _odd_number(literal: str) -> Any:
    """Fractions and exponents are left to the exact parser: money and quantities have none."""
    raise ValueError


_fast = msgspec.json.Decoder(float_hook=_odd_number)


def parse(raw: bytes) -> Parsed:
    """Raises BodyEmpty, TextUndecodable and the refusals of this module named Json…; see the module's promises."""
    raw = raw.removeprefix(BOM)
    try:
        value = _fast.decode(raw)
        canonical = orjson.dumps(value, option=_CANONICAL)
    except (ValueError, TypeError, RecursionError):  # those of both libraries are ValueErrors and TypeErrors
        return _exact(raw)
    if (
        b"\\u00" in raw
        or raw.count(b":") != canonical.count(b":")
        or raw.count(b"-") != canonical.count(b"-")
        or (canonical.count(b"{") + canonical.count(b"[") > DEPTH_MAX and _is_too_deep(value))
    ):
        return _exact(raw)
    return Parsed(value, canonical)


def is_unambiguous(raw: bytes) -> bool:
    """Whether a text that a strict typed decoder took is read by `parse` too, as far as types do not tell.

    Types bound depth, numbers and characters; a repeated key and minus zero are left. False may be a false alarm.
    """
    try:
        canonical = orjson.dumps(orjson.loads(raw))
    except (ValueError, TypeError):
        return False
    return (
        b"\\u00" not in raw
        and raw.count(b":") == canonical.count(b":")
        and raw.count(b"-") == canonical.count(b"-")
    )


def _is_too_deep(value: Any) -> bool:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX + 1:
            return True
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
    return depth > DEPTH_MAX + (type(value) not in {dict, list})


# --- the exact parser -------------------------------------------------------------------------------


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, repeated keys and all."""


class _Odd(NamedTuple):
    """A number that is refused, and why."""

    code: str
    literal: str


def _whole(literal: str) -> Any:
    if literal == "-0":
        return _Odd("json_minus_zero", literal)
    if len(literal) > NUMBER_CHARS_MAX or not -WHOLE_MAX <= int(literal) <= WHOLE_MAX:
        return _Odd("json_number_out_of_range", literal)
    return int(literal)


def _fraction(literal: str) -> Any:
    found = float(literal)
    mantissa = re.split("[eE]", literal)[0]
    is_zero = not mantissa.strip("-0.")
    if is_zero and literal.startswith("-"):
        return _Odd("json_minus_zero", literal)
    if len(literal) > NUMBER_CHARS_MAX or abs(found) == float("inf") or (found == 0 and not is_zero):
        return _Odd("json_number_out_of_range", literal)
    return found


def _constant(literal: str) -> Any:
    return _Odd("json_number_not_finite", literal)


_exact_decoder = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_whole, parse_float=_fraction, parse_constant=_constant
)


def _exact(raw: bytes) -> Parsed:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise undecodable(raw, error.start, "UTF-8") from None
    if not text.strip(" \t\r\n"):
        raise BodyEmpty("the body is empty; JSON is expected")
    _refuse_depth(raw)
    try:
        written, end = _exact_decoder.raw_decode(text, len(text) - len(text.lstrip(" \t\r\n")))
    except json.JSONDecodeError as error:
        raise _malformed(text, error) from None
    if rest := text[end:].lstrip(" \t\r\n"):
        place = _place(text, len(text) - len(rest))
        raise JsonTrailing(
            Text("more text follows the end of the JSON value at line {line}, column {column}", **place),
            **place,
        )
    faults: list[Fault] = []
    value = _plain(written, "", faults)
    if faults:
        first = faults[0]
        raise _BY_CODE[first.code](
            "the payload has faults; each is listed under `errors`", errors=faults[:ERRORS_SHOWN_MAX]
        )
    return Parsed(value, orjson.dumps(value, option=_CANONICAL))


def undecodable(raw: bytes, at: int, charset: str) -> TextUndecodable:
    """The refusal of bytes that are no text of `charset`, from byte `at` (counted from 0) on."""
    place = {"line": raw.count(b"\n", 0, at) + 1, "byte": at + 1}
    return TextUndecodable(
        Text("line {line} is not {charset} text from byte {byte} of the body on", charset=charset, **place),
        **place,
    )


def _refuse_depth(raw: bytes) -> None:
    depth = 0
    for found in _BRACKETS.finditer(raw):
        mark = raw[found.start()]
        if mark in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                place = {"line": raw.count(b"\n", 0, found.start()) + 1, "byte": found.start() + 1}
                raise JsonTooDeep(Text(_TOO_DEEP, most=DEPTH_MAX, **place), **place)
        elif mark in b"]}":
            depth -= 1


def _place(text: str, at: int) -> dict[str, int]:
    """Line, column (in characters) and byte, each from 1."""
    line_start = text.rfind("\n", 0, at) + 1
    return {
        "line": text.count("\n", 0, at) + 1,
        "column": at - line_start + 1,
        "byte": len(text[:at].encode()) + 1,
    }


def _malformed(text: str, error: json.JSONDecodeError) -> Malformed:
    place = _place(text, error.pos)
    if error.msg.startswith("Invalid control character"):
        return JsonControlCharacter(
            Text(
                "a text holds a control character at line {line}, column {column}; write it as an escape",
                **place,
            ),
            **place,
        )
    return JsonMalformed(Text("the body is not JSON from line {line}, column {column} on", **place), **place)


def _plain(written: Any, path: str, faults: list[Fault]) -> Any:
    """The value without marks; every fault on the way is added."""
    if isinstance(written, _Odd):
        faults.append(Fault(path, written.code, _WORDS[written.code], value=shortened(written.literal)))
        return 0
    if isinstance(written, str):
        faults.extend(_text_faults(written, path))
        return written
    if isinstance(written, _Pairs):
        return _object(written, path, faults)
    if isinstance(written, list):
        return [
            _plain(inner, f"{path}.{at}" if path else str(at), faults) for at, inner in enumerate(written)
        ]
    return written


def _object(pairs: _Pairs, path: str, faults: list[Fault]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in pairs:
        name = shortened(key)
        below = f"{path}.{name}" if path else name
        if key in found:
            faults.append(Fault(below, "json_duplicate_key", _WORDS["json_duplicate_key"]))
        faults.extend(_text_faults(key, below))
        found[key] = _plain(inner, below, faults)
    return found


def _text_faults(text: str, path: str) -> Iterator[Fault]:
    if "\x00" in text:
        yield Fault(path, "json_nul_character", _WORDS["json_nul_character"])
    if any("\ud800" <= each <= "\udfff" for each in text):
        yield Fault(path, "json_lone_surrogate", _WORDS["json_lone_surrogate"])


_TOO_DEEP = "arrays and objects are nested more than {most} deep from line {line}, byte {byte} on"
_WORDS = {
    "json_duplicate_key": "this key is written more than once in its object",
    "json_number_not_finite": "NaN and Infinity are not numbers of JSON",
    "json_number_out_of_range": "this number is larger, smaller or longer than any number here may be",
    "json_minus_zero": "write 0, not minus zero",
    "json_lone_surrogate": "half of a surrogate pair is not a character; write the character itself",
    "json_nul_character": "text may not hold the NUL character",
}
