"""An uploaded file is what it is declared to be, within bounds, or it is refused with the place of the fault."""

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.upload import MEMBERS_MAX, RATIO_MAX, as_utf8, inflated

LINES = "编号,名称\r\nP-1,阿莫西林胶囊\rP-2,板蓝根😀\n"
PLAIN = LINES.replace("\r\n", "\n").replace("\r", "\n")


def cut(raw, size):
    return iter([raw[at : at + size] for at in range(0, len(raw), size)])


def read(raw, charset="UTF-8", size=3):
    return b"".join(as_utf8(cut(raw, size), charset)).decode()


def refusal(run):
    with pytest.raises(DomainError) as refused:
        run()
    return refused.value


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1_000])
@pytest.mark.parametrize(
    ("charset", "codec"), [("UTF-8", "utf-8"), ("UTF-8", "utf-8-sig"), ("GB18030", "gb18030")]
)
def test_the_declared_charset_is_what_is_read(charset, codec, size):
    assert read(LINES.encode(codec), charset, size) == PLAIN


def test_a_mark_of_byte_order_is_passed_over_in_gb18030_too():
    assert read("\ufeffa\n".encode("gb18030"), "GB18030", 1) == "a\n"


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
@pytest.mark.parametrize(
    ("charset", "raw", "line", "byte"),
    [
        ("UTF-8", b"\xff", 1, 1),
        ("UTF-8", b"a\nb\xff", 2, 4),
        ("UTF-8", b"a\r\nb\rc\n\xe9\x98", 4, 8),  # ends in the midst of a character
        ("UTF-8", b"\xef\xbb\xbfa\n\xc0\x80", 2, 6),
        ("UTF-8", "a\n药".encode() + b"\xed\xa0\x80", 2, 6),
        ("GB18030", "药\r\n".encode("gb18030") + b"\xff", 2, 5),
        ("GB18030", "药\n品".encode("gb18030")[:-1], 2, 4),
    ],
)
def test_the_first_byte_that_is_no_text_is_told_by_line_and_byte(charset, raw, line, byte, size):
    refused = refusal(lambda: read(raw, charset, size))
    assert (refused.code, refused.context) == ("text_undecodable", {"line": line, "byte": byte})


@settings(max_examples=200)
@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(1, 9),
    st.sampled_from(["UTF-8", "GB18030"]),
)
def test_every_text_is_read_however_it_is_cut_with_its_lines_ended_alike(text, size, charset):
    expected = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    assert read(text.encode(charset), charset, size) == expected


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(1, 9))
def test_bytes_are_read_as_python_reads_them_or_refused_where_it_stops(raw, size):
    stops_at, text = first_fault(raw)
    if stops_at is not None:
        assert refusal(lambda: read(raw, size=size)).context["byte"] == stops_at + 1
    else:
        assert read(raw, size=size) == text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def first_fault(raw):
    try:
        return None, raw.decode()
    except UnicodeDecodeError as error:
        return error.start, ""


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(1, 50))
def test_what_gzip_packed_is_unpacked_in_one_member_or_many(parts, size):
    packed = b"".join(map(gzip.compress, parts))
    assert b"".join(inflated(cut(packed, size), 10_000)) == b"".join(parts)
    assert b"".join(inflated(cut(packed + b"\0" * 10, size), 10_000)) == b"".join(parts)


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw[:5], lambda raw: raw + b"x", lambda raw: b"x" + raw,
                                   lambda raw: raw[:-6] + b"\0\0" + raw[-4:], lambda raw: zlib.compress(b"a")])  # fmt: skip
def test_what_is_no_gzip_is_refused(spoil):
    raw = spoil(gzip.compress(b"some text that is long enough" * 3))
    assert refusal(lambda: list(inflated(cut(raw, 4), 10_000))).code == "gzip_malformed"


def test_a_gzip_file_of_endless_empty_members_is_refused():
    empty = gzip.compress(b"")
    assert list(inflated(iter([empty * MEMBERS_MAX]), 10_000)) == []
    assert refusal(lambda: list(inflated(iter([empty * (MEMBERS_MAX + 1)]), 10_000))).code == "too_large"


def test_what_inflates_beyond_the_bound_or_out_of_proportion_is_refused_before_it_is_whole():
    def read_bytes(raw, most):
        got = 0
        for chunk in inflated(cut(raw, 1_000), most):
            got += len(chunk)
            seen.append(got)

    seen = []
    assert refusal(lambda: read_bytes(gzip.compress(b"ab" * 10_000), 9_999)).code == "too_large"
    bomb = gzip.compress(gzip.compress(b"\0" * 50_000_000)[:10_000] * 1) + gzip.compress(b"\0" * 50_000_000)
    refused = refusal(lambda: read_bytes(bomb, 10**9))
    assert refused.code == "too_large"
    assert str(RATIO_MAX) in refused.detail
    assert max(seen) < 25_000_000
