"""A page and its cursor."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared.paging import CursorInvalid, PageArgs, decode_cursor, encode_cursor, page

KINDS = (int, str, date, UUID)


@given(st.lists(st.sampled_from([7, "a", date(2017, 3, 1), UUID(int=9)]), max_size=4))
def test_a_cursor_gives_its_keys_back(keys):
    assert decode_cursor(encode_cursor(*keys), *map(type, keys)) == keys


def test_the_first_page_has_no_keys():
    day, seq = decode_cursor(None, date, int)
    assert day is seq is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keys", [(), ("x\0",), (True,), (1.5,), (None,), (["a"],), ("2017-02-30",), (1, 2)])
def test_a_cursor_that_is_not_ours_is_refused(kind, keys):
    if kind is str and keys in [("x\0",), ("2017-02-30",)]:
        return
    with pytest.raises(CursorInvalid):
        decode_cursor(encode_cursor(*keys), kind)


@pytest.mark.parametrize("cursor", ["", "é", "bm9uc2Vuc2U", "MQ", "{}", "W10x"])
def test_text_that_is_no_cursor_is_refused(cursor):
    with pytest.raises(CursorInvalid):
        decode_cursor(cursor, str)


@given(st.integers(0, 12), st.integers(1, 5))
def test_pages_give_every_row_once_and_then_end(count, limit):
    rows = [{"day": date(2017, 3, 1), "no": no} for no in range(count)]
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        _, last = decode_cursor(cursor, date, int)
        left = [row for row in rows if last is None or row["no"] > last]
        answer = page(left[: limit + 1], limit, "day", "no")
        seen, cursor, pages = [*seen, *answer["items"]], answer["next_cursor"], pages + 1
    assert (seen, pages) == (rows, max(1, -(-count // limit)))


def test_a_page_is_bounded():
    assert PageArgs().load({}) == {"limit": 50, "cursor": None}
    with pytest.raises(ValidationError):
        PageArgs().load({"limit": 201})
