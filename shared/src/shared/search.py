r"""Find what somebody types, in Chinese, in pinyin or as a code, inside names and codes (ADR-0054).

Promised: what stands in a name, one character or more, finds it, and so does what stands in its pinyin, written in full
or by initials; a code is found the same way. Normal forms are compared: NFKC, so that width does not matter, small
letters, no blanks, ü as v as keyboards write it. Traditional and simplified characters differ.
Of a character with several readings each is found: the usual spelling of a name and those that differ from it in the
fewest characters, up to READINGS_MAX. Best is what equals a code or name, then what begins with the question, then
what has it inside.

Kept of every row are `words`, a line for each name, code and spelling, and `grams`, all runs of one and two characters
in them and the first characters of each line, under a GIN index. Grams find, LIKE decides. What stands in nearly every row is found sooner by reading rows in
the order of the list, so that is tried first, for PROBED_ROWS rows.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import combinations, islice
from operator import add
from typing import Any, Final, cast

import msgspec

from shared.paging import page_of_ranks
from shared.texts import BLANK, CONTROL

SEARCH_CHARS_MAX: Final = 64
READINGS_MAX: Final = 16
PROBED_ROWS: Final = 2_000
BEGINS_CHARS_MAX: Final = 4
"""So many first characters of a line are a gram."""
RANKS: Final = ("equal", "begins", "inside")
"""The best first."""
_BEGIN, _END = "\n", "\r"
"""A line begins with the one; a name or code, which may be equalled, ends with the other."""
_DROPPED: Final = re.compile(rf"[\s{BLANK}{CONTROL}]+")


def normal(text: str) -> str:
    """The form in which texts are compared; of a text that can be seen something is left."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _DROPPED.sub("", folded).replace("ü", "v")


def grams(text: str) -> set[str]:
    """Every run of one and of two characters of a text."""
    return {*text, *map(add, text, text[1:])}


def pinyin_grams(text: str, *, of_person: bool = False) -> set[str]:
    """The grams of every spelling."""
    return set().union(*map(grams, spellings(text, of_person=of_person)))


@lru_cache(4_096)
def spellings(text: str, *, of_person: bool = False) -> Sequence[str]:
    """How a text is written in pinyin, in full and by initials, the usual spelling first; nothing without a character
    that has a reading. A person's name begins with a surname, which may be read in its own way.
    """
    shown = normal(text)
    usual = _usual(shown)
    surname = _surname(shown) if of_person else ()
    options = [
        list(dict.fromkeys((*surname[at : at + 1], each, *_readings(character))))
        for at, (character, each) in enumerate(zip(shown, usual, strict=True))
    ]
    if usual == list(shown):
        return ()
    found = list(islice(_chosen(options), READINGS_MAX))
    initials = ("".join(syllable[0] for syllable in each) for each in found)
    return tuple(dict.fromkeys((*map("".join, found), *initials)))


def _usual(text: str) -> list[str]:
    """A reading for each character, by the words that they make up; what has none stands for itself."""
    from pypinyin import lazy_pinyin  # 58 MB of words, read by those that keep names

    found = lazy_pinyin(text, errors=cast("Any", list))
    return [each if each.isascii() else character for each, character in zip(found, text, strict=True)]


@cache
def _readings(character: str) -> Sequence[str]:
    from pypinyin import Style, pinyin

    [found] = pinyin(character, style=Style.NORMAL, heteronym=True) or [[]]
    return [each for each in found if each.isascii() and each.isalpha()]


def _chosen(options: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """One reading for each character: the first of each, then those that differ from it in one, in two …"""
    others = [(at, reading) for at, each in enumerate(options) for reading in each[1:]]
    for count in range(sum(len(each) > 1 for each in options) + 1):
        for changes in combinations(others, count):
            if len({at for at, _ in changes}) == count:
                chosen = dict(changes)
                yield [chosen.get(at, each[0]) for at, each in enumerate(options)]


class _Surnames(msgspec.Struct, forbid_unknown_fields=True):
    source: str
    evidence: str
    readings: dict[str, str]


@cache
def _surnames() -> dict[str, str]:
    return msgspec.json.decode(
        files("shared").joinpath("surnames.json").read_bytes(), type=_Surnames
    ).readings


def _surname(name: str) -> Sequence[str]:
    """How the surname that a name begins with is read, if in a way of its own."""
    return next((found.split() for most in (2, 1) if (found := _surnames().get(name[:most]))), ())


def words_of(
    names: Iterable[str], codes: Iterable[str] = (), *, of_person: bool = False
) -> tuple[str, list[str]]:
    """What is kept of a row: its `words` and `grams`."""
    shown = list(dict.fromkeys(map(normal, (*codes, *names))))
    spelled = dict.fromkeys(each for name in names for each in spellings(name, of_person=of_person))
    whole = [f"{_BEGIN}{each}{_END}" for each in shown]
    lines = [*(f"{_BEGIN}{each}" for each in (*shown, *spelled))]
    begun = {each[:end] for each in lines for end in range(3, BEGINS_CHARS_MAX + 2)}
    found = begun.union(*map(grams, lines), whole) - {_BEGIN}
    return "".join((*whole, *lines[len(shown) :])), sorted(found)


def sought(text: str, also: Iterable[str] = ()) -> dict[str, Any]:
    """The parameters of `narrowed` and `decided`; `also` are other forms in which a code may be kept."""
    asked = normal(text)
    equal = [f"{_BEGIN}{each}{_END}" for each in dict.fromkeys((asked, *map(normal, also)))]
    return {
        "search_equal": equal,
        "search_equal_like": list(map(_like, equal)),
        "search_begins": [f"{_BEGIN}{asked[:BEGINS_CHARS_MAX]}", *_pairs(asked[BEGINS_CHARS_MAX - 1 :])],
        "search_begins_like": _like(f"{_BEGIN}{asked}"),
        "search_inside": _pairs(asked) or [asked],
        "search_inside_like": _like(asked),
    }


def _pairs(text: str) -> list[str]:
    return sorted(each for each in grams(text) if len(each) > 1)


def _like(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def narrowed(rank: str, alias: str) -> str:
    """SQL that the index of `grams` answers: no row of the rank is missed."""
    operator = "&&" if rank == "equal" else "@>"
    return f"{alias}.grams {operator} cast(:search_{rank} as text[])"


def decided(rank: str, alias: str) -> str:
    """SQL that is true of rows of this rank, and of no other."""
    equal = f"{alias}.words like any (cast(:search_equal_like as text[]))"
    begins = f"{alias}.words like :search_begins_like"
    conditions = {
        "equal": equal,
        "begins": f"{begins} and not {equal}",
        "inside": f"{alias}.words like :search_inside_like and not {begins} and not {equal}",
    }
    return conditions[rank]


Read = Callable[[str, Mapping[str, Any], bool], Sequence[Mapping[str, Any]]]


def best_first(read: Read, args: Mapping[str, Any], key: str, kind: type) -> dict[str, Any]:
    """One page over all ranks, each in the list's own order, that of `key`, whose values are of a kind.

    `read` gives rows of one rank, `limit` of them after `cursor` as `shared.paging` has them, either of the next
    PROBED_ROWS rows alone or of all that the index narrows down. Raises CursorInvalid.
    """

    def of_rank(rank: str, own: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        near = () if rank == "equal" else read(rank, own, True)
        return near if len(near) == own["limit"] else read(rank, own, False)

    return page_of_ranks(of_rank, RANKS, args, key, kind)
