"""Who settles, by the words of a line."""

import re
import unicodedata
from datetime import date
from functools import cache

from finance.kernel import dated


def clearings() -> list[str]:
    """In the order of their names, a part of another before the whole: its words are the closer ones."""
    return sorted({row["clearing"] for row in dated.read("bank_clearings")}, key=lambda each: f"{each}~")


def recognise(text: str, day: date) -> str | None:
    """Who settles, by the words of a line; None if it tells nothing.

    Words in Latin letters count whole ("DEPOSIT" has no "pos"), Chinese ones as phrases, after those of `unlike` are taken
    out of the text (验收单 is no 收单).
    """
    lowered = unicodedata.normalize("NFKC", text).casefold()
    for clearing in clearings():
        row = dated.newest("bank_clearings", day, clearing=clearing)
        left = lowered
        for each in row.get("unlike", ()):
            left = left.replace(each, " ")
        if any(_word(each).search(left) for each in row["patterns"]):
            return clearing
    return None


@cache
def _word(phrase: str) -> re.Pattern[str]:
    """The phrase, not as a part of a longer Latin word; digits may follow a word, as in POS0042."""
    return re.compile(rf"(?<![a-z]){re.escape(phrase)}(?![a-z])" if phrase.isascii() else re.escape(phrase))
