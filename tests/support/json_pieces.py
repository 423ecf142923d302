"""Pieces of JSON, sound and odd: joined at random they are texts that readers disagree about."""

from shared.strict_json import DEPTH_MAX

NESTED = "[" * DEPTH_MAX + "]" * DEPTH_MAX
PIECES = [
    "{", "}", "[", "]", ",", ":", '"', '"a"', '"b"', '"\\u0061"', '"a:"', '"-"', " ", "\n", "\t", "0", "-0", "1", "-1",
    "0.0", "-0.0", "1e2", "-0e5", "1e400", "1e-400", "9007199254740991", "9007199254740992", "-9007199254740992",
    "18446744073709551615", "9" * 30, "01", "+1", ".5", "1.", "true", "false", "null", "NaN", "Infinity", "-Infinity",
    '"\\ud800"', '"\\ud83d\\ude00"', '"\\udc00"', '"\\u0000"', '"\\u003a"', '"\\u002d"', '"\\/"', '"\\x"', '"\\"', "'a'",
    '"中"', '"\\u4e2d"', "\x00", "\x0b", "\u00a0", "//", '{"a":1,"a":2}', '{"a":1,"b":{"a":1,"a":-0}}', '"\x7f"', "\\",
    '{"a":1}', '["x",{"b":[]}]', NESTED, "[" + NESTED + "]",
]  # fmt: skip
