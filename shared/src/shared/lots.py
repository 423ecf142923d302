"""When two spellings name one lot. What was written is kept and shown; lots are compared by `canonical`.

People type what is printed on a package: in either case, with an input method's full-width letters and dashes, with
blanks where the print has gaps. None of that makes another lot, and a recalled lot must not pass a till by it.
Source: G7, F27
"""

from unicodedata import category, normalize

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
_UNSEEN = frozenset({"Cc", "Cf", "Me", "Mn", "Zl", "Zp", "Zs"})
"""Categories of what takes no place: blanks of any width, those of no width that come with copied text, and marks that
no letter took up, such as the selectors of glyphs.
"""


def canonical(lot: str) -> str:
    """The spelling that all spellings of a lot have in common; it is its own canonical spelling.

    NFKC makes full-width letters and digits plain, as scanners print them. Blanks go, at the ends and inside, because
    packages group digits by gaps. Dashes become hyphens, because keyboards differ in which they offer. Letters become
    capital, because tills differ in which they send. Digits and separators stay: they do tell lots apart.
    """
    if lot.isascii() and lot.isprintable():
        return lot.replace(" ", "").upper()
    seen = _seen(normalize("NFKC", lot))
    return _seen(normalize("NFKC", normalize("NFKC", seen).upper())).translate(_DASHES)


def _seen(text: str) -> str:
    return "".join(each for each in text if category(each) not in _UNSEEN)
