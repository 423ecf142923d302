"""All spellings of a lot have one canonical spelling, and other lots have others."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.lots import canonical

pytestmark = pytest.mark.requirement("F27")

LOTS = st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-/.批号", min_size=1, max_size=20)
BLANKS = (" ", "  ", "\t", "\u3000", "\u00a0", "\u200b", "\ufeff", "\ufe0f", "")


@st.composite
def spellings(draw):
    """A lot, and one way to type it."""
    lot = draw(LOTS)
    typed = [draw(st.sampled_from(BLANKS))]
    for each in lot:
        wide = chr(ord(each) + 0xFEE0) if each.isascii() else each
        dash = "\u2013" if each == "-" else each
        typed += [draw(st.sampled_from((each, each.lower(), wide, dash))), draw(st.sampled_from(BLANKS))]
    return lot, "".join(typed)


@given(spellings())
def test_every_way_to_type_a_lot_names_it(given_spelling):
    lot, typed = given_spelling
    assert canonical(typed) == canonical(lot) == lot


@given(st.text(max_size=64))
def test_a_canonical_lot_is_canonical(text):
    once = canonical(text)
    assert canonical(once) == once == normalize("NFKC", once)


def test_no_character_of_the_first_two_planes_changes_twice():
    known = [canonical(f"A{chr(code)}1") for code in range(0x20000)]
    assert [each for each in known if canonical(each) != each] == []


@pytest.mark.parametrize(
    ("one", "other"), [("A1", "A-1"), ("A1", "B1"), ("A01", "A1"), ("A.1", "A/1"), ("批1", "號1"), ("0", "O")]
)
def test_other_lots_stay_other_lots(one, other):
    assert canonical(one) != canonical(other)
