"""Readers accept exactly what COPY and the columns can hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.facts.rules.subscriptions import readers
from reporting.facts.rules.subscriptions.readers import NULL, NUMBER_MAX, EventMalformed
from shared.texts import CONTROL


@given(st.text(max_size=200))
def test_a_text_is_escaped_or_refused_but_never_breaks_a_row(value):
    try:
        written = readers.text("a")({"a": value})
    except EventMalformed:
        assert re.search(f"[{CONTROL}]", value)
    else:
        assert "\t" not in written
        assert "\n" not in written
        assert written.replace("\\\\", "\\") == value
        assert written.encode().decode() == written


@pytest.mark.parametrize("value", [None, 1, True, "x" * 201, "a\tb", "a\nb", "\x00", ["a"], {}])
def test_what_is_no_text_is_refused_by_name(value):
    with pytest.raises(EventMalformed, match="sale_id"):
        readers.text("sale_id")({"sale_id": value})


@pytest.mark.parametrize("value", [None, -1, True, "1", 1.0, NUMBER_MAX + 1])
def test_what_is_no_amount_is_refused_by_name(value):
    with pytest.raises(EventMalformed, match="net_fen"):
        readers.number("net_fen")({"net_fen": value})


@given(st.integers(0, NUMBER_MAX))
def test_an_amount_is_written_exactly(value):
    assert int(readers.number("net_fen")({"net_fen": value})) == value


def test_what_may_be_missing_is_null():
    for reader in (
        readers.optional_text("a"),
        readers.optional_number("a"),
        readers.optional_day("a"),
    ):
        assert reader({}) == reader({"a": None}) == NULL


@pytest.mark.parametrize(
    ("reader", "good", "written"),
    [
        (readers.day("a"), "2017-03-14", "2017-03-14"),
        (readers.month("a"), "2017-03", "2017-03-01"),
        (readers.month("a"), "2017-03-14", "2017-03-01"),
        (readers.instant("a"), "2017-03-14T08:00:00+08:00", "2017-03-14T00:00:00+00:00"),
        (readers.flag("a"), True, "t"),
        (readers.flag("a"), False, "f"),
        (readers.signed_number("a"), -5, "-5"),
    ],
)
def test_dates_instants_flags_and_signed_amounts_are_written_for_copy(reader, good, written):
    assert reader({"a": good}) == written


@pytest.mark.parametrize(
    ("reader", "bad"),
    [
        (readers.day("a"), "14.03.2017"),
        (readers.day("a"), 20170314),
        (readers.month("a"), "2017-13"),
        (readers.month("a"), None),
        (readers.instant("a"), "2017-03-14T08:00:00"),
        (readers.instant("a"), "now"),
        (readers.flag("a"), 1),
        (readers.flag("a"), None),
        (readers.signed_number("a"), "5"),
    ],
)
def test_what_is_no_date_instant_or_flag_is_refused_by_name(reader, bad):
    with pytest.raises(EventMalformed, match=r"^a "):
        reader({"a": bad})


@pytest.mark.parametrize("value", [0, 6, None, "5", True])
def test_a_score_is_from_one_to_five(value):
    assert readers.score("quality")({"scores": {"quality": 5}}) == "5"
    with pytest.raises(EventMalformed, match=r"scores\.quality"):
        readers.score("quality")({"scores": {"quality": value}})
    with pytest.raises(EventMalformed, match=r"scores\.quality"):
        readers.score("quality")({})
