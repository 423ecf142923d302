"""A page and its cursor."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from deploy.generate.repository import every_source, shown
from shared.paging import CursorInvalid, PageArgs, decode_cursor, encode_cursor, page, page_of_judged

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


@given(st.lists(st.booleans(), max_size=14), st.integers(1, 3), st.integers(1, 5))
def test_pages_judged_after_reading_give_every_row_that_passes_once_and_then_end(passes, limit, read_max):
    rows = [{"no": no, "passes": each} for no, each in enumerate(passes)]
    seen, cursor, judged = [], None, []

    def judge(some):
        for row in some:
            judged.append(row["no"])
            yield row if row["passes"] else None

    for _ in range(1 + len(rows)):
        (last,) = decode_cursor(cursor, int)
        read = page([row for row in rows if last is None or row["no"] > last], read_max, "no")
        answer = page_of_judged(read, judge, limit, "no")
        assert len(answer["items"]) <= limit
        seen, cursor = [*seen, *answer["items"]], answer["next_cursor"]
        if cursor is None:
            break
    assert cursor is None
    assert seen == [row for row in rows if row["passes"]]


def test_a_full_page_of_judged_rows_has_no_cursor_where_no_other_passes():
    rows = [{"no": no} for no in range(5)]
    read = {"items": rows, "next_cursor": None}
    answer = page_of_judged(read, lambda some: (row if row["no"] < 2 else None for row in some), 2, "no")
    assert answer == {"items": rows[:2], "next_cursor": None}


def test_nobody_else_cuts_a_page():
    cutting = {shown(path) for path in every_source() if "encode_cursor" in path.read_text()}
    assert cutting == {"shared/src/shared/paging.py"}


def test_a_page_is_bounded():
    assert PageArgs().load({}) == {"limit": 50, "cursor": None}
    with pytest.raises(ValidationError):
        PageArgs().load({"limit": 201})
