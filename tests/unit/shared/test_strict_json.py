"""JSON from outside: what the rules allow is read as it was meant, everything else is refused by its own code."""

import json
import math
import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.strict_json import DEPTH_MAX, WHOLE_MAX, parse
from tests.support.json_pieces import PIECES


def refusal(raw):
    with pytest.raises(DomainError) as refused:
        parse(raw if isinstance(raw, bytes) else raw.encode())
    return refused.value


# --- the rules, written a second time and slowly ------------------------------------------------------


class Refused(Exception):
    pass


def by_the_rules(raw):
    """What `parse` must return; raises Refused."""

    def pairs(found):
        if len({key for key, _ in found}) != len(found):
            raise Refused
        return dict(found)

    def whole(literal):
        if literal == "-0" or len(literal) > 40 or abs(int(literal)) > WHOLE_MAX:
            raise Refused
        return int(literal)

    def fraction(literal):
        number = float(literal)
        if len(literal) > 40 or math.isinf(number):
            raise Refused
        if number == 0 and (
            literal[0] == "-" or any(each in "123456789" for each in literal.lower().split("e")[0])
        ):
            raise Refused
        return number

    def constant(literal):
        raise Refused

    try:
        text = raw.decode("utf-8-sig")
        found = json.loads(
            text, object_pairs_hook=pairs, parse_int=whole, parse_float=fraction, parse_constant=constant
        )
        deep = depth(found)
    except (ValueError, RecursionError):
        raise Refused from None
    if deep > DEPTH_MAX or any("\0" in each or has_half(each) for each in texts(found)):
        raise Refused
    return found


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def has_half(text):
    return any("\ud800" <= each <= "\udfff" for each in text)


def agrees(raw):
    try:
        expected = by_the_rules(raw)
    except Refused:
        refusal(raw)
    else:
        found = parse(raw)
        assert json.dumps(found.value) == json.dumps(expected)  # 1, 1.0 and true differ here
        assert json.loads(found.canonical) == expected


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@example('{"a":1,"a":"\\u003a"}')
@example('{"a":-0,"b":"\\u002d"}')
@example('{"a":1,"\\u0061":2}')
@example('{"a" :1, "a" :2}')
def test_texts_of_odd_pieces_are_read_or_refused_by_the_rules(text):
    agrees(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_every_value_that_json_can_write_is_read_or_refused_by_the_rules(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    agrees(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
def test_a_text_with_one_byte_changed_is_read_or_refused_by_the_rules(value, data):
    raw = bytearray(json.dumps(value).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    agrees(bytes(raw))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=30))
def test_arbitrary_bytes_are_read_or_refused_by_the_rules(raw):
    agrees(raw)


def test_many_pieces_in_a_row_agree_too():
    chosen = random.Random(7)
    for _ in range(3_000):
        agrees("".join(chosen.choices(PIECES, k=chosen.randrange(1, 6))).encode("utf-8", "surrogatepass"))


# --- each fault has its code and its place -------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code", "status"),
    [
        (b"", "body_empty", 400),
        (b" \r\n\t", "body_empty", 400),
        (b"\xef\xbb\xbf", "body_empty", 400),
        (b"{", "json_malformed", 400),
        (b"{'a': 1}", "json_malformed", 400),
        (b'{"a": 1,}', "json_malformed", 400),
        (b"[1 2]", "json_malformed", 400),
        (b"01", "json_trailing_text", 400),
        (b"nan", "json_malformed", 400),
        (b'{"a": "b\\x"}', "json_malformed", 400),
        (b'{"a": 1} x', "json_trailing_text", 400),
        (b'{"a": 1}{"a": 1}', "json_trailing_text", 400),
        (b'{"a": 1}\x00', "json_trailing_text", 400),
        (b'"a\nb"', "json_control_character", 400),
        (b'"a\x00b"', "json_control_character", 400),
        (b"\xff", "text_undecodable", 400),
        (b'{"a": "\xed\xa0\x80"}', "text_undecodable", 400),
        (b'{"a": "\xc0\x80"}', "text_undecodable", 400),
        ('{"a": 1}'.encode("utf-16"), "text_undecodable", 400),
        (b"[" * 33 + b"]" * 33, "json_too_deep", 422),
        (b"[" * 255 + b"]" * 255, "json_too_deep", 422),
        (b'{"a":' * 1_020 + b"1" + b"}" * 1_020, "json_too_deep", 422),
        (b"[" * 500_000, "json_too_deep", 422),
    ],
)  # fmt: skip
def test_what_has_no_path_has_a_code_of_its_own(raw, code, status):
    refused = refusal(raw)
    assert (refused.code, refused.status) == (code, status)


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ('{"a": {"b": [0, NaN]}}', "a.b.1", "json_number_not_finite"),
        ('{"a": -Infinity}', "a", "json_number_not_finite"),
        ('{"a": ' + "9" * 5_000 + "}", "a", "json_number_out_of_range"),
        ('{"a": 9007199254740992}', "a", "json_number_out_of_range"),
        ('{"a": 1e400}', "a", "json_number_out_of_range"),
        ('{"a": 1e-400}', "a", "json_number_out_of_range"),
        ('{"a": 0.' + "0" * 60 + "1}", "a", "json_number_out_of_range"),
        ('{"a": -0}', "a", "json_minus_zero"),
        ('{"a": [-0.00e7]}', "a.0", "json_minus_zero"),
        ('{"a": 1, "a": 1}', "a", "json_duplicate_key"),
        ('{"a": [{"b": 1, "\\u0062": 2}]}', "a.0.b", "json_duplicate_key"),
        ('{"a": "\\ud800"}', "a", "json_lone_surrogate"),
        ('{"a": "\\ude00\\ud83d"}', "a", "json_lone_surrogate"),
        ('{"a": "x\\u0000"}', "a", "json_nul_character"),
        ('{"a": {"\\u0000": 1}}', "a.\ufffd", "json_nul_character"),
    ],
)
def test_what_has_a_path_is_told_with_it(text, path, code):
    refused = refusal(text)
    assert (refused.code, refused.status) == (code, 422)
    assert [(each.path, each.code) for each in refused.context["errors"]] == [(path, code)]


def test_every_fault_is_told_at_once():
    refused = refusal('{"a": -0, "b": {"c": NaN, "c": "\\ud800"}, "d": 1e999}')
    assert [(each.path, each.code) for each in refused.context["errors"]] == [
        ("a", "json_minus_zero"),
        ("b.c", "json_number_not_finite"),
        ("b.c", "json_duplicate_key"),
        ("b.c", "json_lone_surrogate"),
        ("d", "json_number_out_of_range"),
    ]


def test_a_place_is_told_by_line_column_and_byte():
    assert refusal('{"药": 1,\n "x": ?}').context == {"line": 2, "column": 7, "byte": 18}
    assert refusal('{"药": 1,\n "\n'.encode() + b"\xff").context == {"line": 3, "byte": 15}


def test_a_byte_order_mark_is_passed_over():
    assert parse(b'\xef\xbb\xbf{"a": 1}') == parse(b'{"a":1}')


def test_faults_and_paths_are_shown_within_bounds():
    refused = refusal("[" + ",".join(["-0"] * 5_000) + "]")
    assert len(refused.context["errors"]) == 100
    assert len(refusal('{"%s": -0}' % ("k" * 100_000)).context["errors"][0].path) < 100


@pytest.mark.parametrize(
    "raw",
    [b'"' + b'\\"' * 400_000, b'["' * 400_000, b"[" + b"1," * 400_000, b'{"a":1,' * 100_000, b"1" * 1_000_000,
     b'"\\ud800' * 100_000, b'{"a":"' + b"\\u0000" * 150_000 + b'"}', b" " * 1_000_000, b"-" * 1_000_000,
     b"1e" + b"9" * 1_000_000, b'{"' + b"k" * 1_000_000 + b'":-0}', b"[" + b'{"a":1,"a":1},' * 70_000 + b"1]"],
)  # fmt: skip
def test_no_text_of_a_megabyte_costs_more_than_a_moment(raw):
    started_s = time.thread_time()
    refusal(raw)
    assert time.thread_time() - started_s < 5
