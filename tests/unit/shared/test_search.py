"""What stands in a name, in its pinyin or in a code finds it: by grams first, by the words at last."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from shared import search
from shared.texts import LINE_PATTERN

NAMES = st.text(
    st.sampled_from("阿莫西林胶囊片复方丹参滴丸重组人干扰素头孢地尼绿乐单ABCx0.25%_\\ ｇＧü"),
    min_size=1,
    max_size=12,
)


def finds(words, grams, question, *also):
    """The rank in which a row is found, as PostgreSQL judges it."""
    asked = search.sought(question, also)

    def like(pattern):
        parts = re.split(r"(\\.|[%_])", pattern)
        expression = "".join(
            {"%": ".*", "_": "."}.get(each) or re.escape(each[1:] if each[:1] == "\\" and each[1:] else each)
            for each in parts
        )
        return re.fullmatch(expression, words, re.DOTALL) is not None

    for rank in search.RANKS:
        wanted = set(asked[f"search_{rank}"])
        narrowed = bool(wanted & set(grams)) if rank == "equal" else wanted <= set(grams)
        patterns = asked[f"search_{rank}_like"]
        is_decided = any(map(like, [patterns] if isinstance(patterns, str) else patterns))
        assert narrowed or not is_decided, "the index misses a row"
        if narrowed and is_decided:
            return rank
    return None


@pytest.mark.parametrize(
    ("question", "rank"),
    [
        ("阿莫西林胶囊", "equal"),
        ("阿莫西林 胶囊", "equal"),
        ("阿莫", "begins"),
        ("西林", "inside"),
        ("囊", "inside"),
        ("amxljn", "begins"),
        ("AMXL", "begins"),
        ("amoxilin", "begins"),
        ("Ａ ｍｏ", "begins"),
        ("xilinjiao", "inside"),
        ("xlj", "inside"),
        ("n", "inside"),
        ("p-17", "equal"),
        ("H2002", "inside"),
        ("国药准字h20020001", "equal"),
        ("6901234567892", "equal"),
        ("6901234", "begins"),
        ("abc", None),
        ("林西", None),
        ("%", None),
        ("_", None),
        ("\\", None),
    ],
)
def test_a_name_is_found_by_characters_pinyin_initials_and_codes_the_nearest_first(question, rank):
    kept = search.words_of(["阿莫西林胶囊"], ["P-17", "国药准字H20020001", "06901234567892", "6901234567892"])
    assert finds(*kept, question) == rank


@given(NAMES, st.sampled_from(["as it is", "in full", "by initials"]), st.data())
def test_whatever_stands_in_a_name_or_in_its_pinyin_finds_it(name, written, data):
    shown = search.normal(name)
    assume(shown)
    syllables = lazy_pinyin(shown, errors=list)
    forms = {"in full": syllables, "by initials": [each[0] for each in syllables]}
    whole = "".join(forms.get(written, shown))
    begin = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(begin + 1, len(whole)))
    assert finds(*search.words_of([name]), whole[begin:end]) is not None


@given(NAMES, st.text(st.sampled_from("阿莫西林片amoxilnp0.2%_\\"), min_size=1, max_size=5))
def test_nothing_is_found_that_has_it_not(name, question):
    rank = finds(*search.words_of([name]), question)
    lines = [search.normal(name), *search.spellings(name)]
    assert (rank is not None) == any(search.normal(question) in each for each in lines)


@pytest.mark.parametrize(
    ("name", "usual", "also"),
    [
        ("重组人干扰素", "chongzurenganraosu", "zhongzurenganraosu"),
        ("重楼", "zhonglou", "chonglou"),
        ("绿", "lv", "lu"),
        ("复方丹参滴丸", "fufangdanshendiwan", "fufangdancandiwan"),
    ],
)
def test_every_reading_of_a_character_finds_and_the_usual_one_comes_first(name, usual, also):
    found = search.spellings(name)
    assert found[0] == usual
    assert also in found


def test_spellings_are_bounded_however_many_readings_there_are():
    found = search.spellings("乐行重单参方" * 30)
    assert len(found) <= 2 * search.READINGS_MAX
    assert search.spellings("ibuprofen 0.2g") == ()


@pytest.mark.parametrize(
    ("name", "spelled"), [("单雄信", "shanxiongxin"), ("单于明", "chanyuming"), ("曾国藩", "zengguofan")]
)
def test_a_surname_is_read_in_its_own_way(name, spelled):
    assert search.spellings(name, of_person=True)[0] == spelled


def test_every_surname_of_the_table_is_read_otherwise_than_the_character_mostly_is():
    for surname, reading in search._surnames().items():
        assert search.spellings(surname)[0] != reading.replace(" ", "") or len(surname) > 1
        assert len(reading.split()) == len(surname)


def test_a_text_that_can_be_seen_leaves_something_to_look_for():
    for code in range(0x110000):
        if re.match(LINE_PATTERN, chr(code)):
            assert search.normal(chr(code)), hex(code)
    assert search.normal("  ＡＢ　ｃ\u200b ") == "abc"
    assert search.normal("体") != search.normal("體")
