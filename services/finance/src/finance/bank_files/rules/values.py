"""Days and amounts as people and banks write them. What could be read in two ways is not read.

amounts  1234.5  1,234.56  1 234.56  .50  ¥1,234.56  -12.00  (12.00)  １２３.４５  12.00元      empty, - and -- are no amount
days     2026-10-05  2026/10/5  2026.10.05  20261005  2026年10月5日, each with or without a time of day; a time with an
         offset names the day that it is in Shanghai
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from finance.bank_files.rules.formats import narrow, plain
from shared.clock import business_date
from shared.money import FEN_MAX

AMOUNT_EXPECTED = "must be an amount in yuan with at most two decimals, such as 1,234.56"
DAY_EXPECTED = "must be a day, year first, such as 2026-10-05, 2026/10/5, 20261005 or 2026年10月5日"
_CURRENCY = r"(?:¥|CNY|RMB|人民币)?"
_AMOUNT = re.compile(
    rf"(?P<sign>[+-]?){_CURRENCY}(?P<inner>[+-]?)(?P<digits>[0-9]{{1,13}}|[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,4}}|(?=\.[0-9]))"
    r"(?:\.(?P<part>[0-9]{0,2})0{0,20})?(?:元|CNY|RMB)?",
    re.IGNORECASE | re.ASCII,
)
_SPLIT = re.compile(r"\d (?!\d{3}(?!\d))\d|\d{4} \d|[.,] \d|\d [.,]", re.ASCII)
"""Blanks between digits that part no thousands."""
_NO_AMOUNT = re.compile(r"[-/]*|[—–―]+")
_MINUS = str.maketrans("−﹣–—", "----")
_CLOCK = (
    r"(?:[上下]午|[AP]M)? ?(?:[01]?\d|2[0-4])(?::[0-5]\d(?::[0-6]\d(?:\.\d{1,9})?)?(?: ?[AP]M)?(?:Z| ?[+-]\d{2}:?\d{2})?"
    r"|时[0-5]?\d分(?:[0-6]?\d秒)?)"
)
_DAY = re.compile(
    r"(\d{4}) ?(?:- ?(\d{1,2}) ?-|/ ?(\d{1,2}) ?/|\. ?(\d{1,2}) ?\.|年 ?(\d{1,2}) ?月) ?(\d{1,2})"
    rf"(?: ?日)?(?:(?:T|,? |(?<=日)) ?(?:{_CLOCK}))?",
    re.ASCII,
)
_OFFSET = re.compile(r":\d{2}(?:\.\d{1,9})?(?:Z| ?[+-]\d{2}:?\d{2})\Z", re.ASCII)
_SIGN = re.compile(r"%(.?)", re.DOTALL)
_COMPACT_DAY = re.compile(
    rf"(\d{{4}})(\d{{2}})(\d{{2}})(?: ?\d{{6}}| ?\d{{9}}|(?:T| )(?:{_CLOCK}))?", re.ASCII
)


def fen(text: str) -> int | None:
    """The amount in fen, None where the cell has none. Raises ValueError."""
    if any(unicodedata.category(each) == "No" for each in text) or _SPLIT.search(narrow(text)):
        raise ValueError(text)  # ² is no 2, and two numbers are no amount
    shown = plain(text).translate(_MINUS)
    if _NO_AMOUNT.fullmatch(shown):
        return None
    is_bracketed = shown.startswith("(") and shown.endswith(")")
    found = _AMOUNT.fullmatch(shown[1:-1] if is_bracketed else shown)
    if (
        found is None
        or (found["sign"] and found["inner"])
        or (is_bracketed and (found["sign"] or found["inner"]))
    ):
        raise ValueError(text)  # fmt: skip
    amount = exact(Decimal(f"{found['digits'].replace(',', '') or '0'}.{found['part'] or '0'}"))
    return -amount if is_bracketed or "-" in (found["sign"], found["inner"]) else amount


def exact(yuan: Decimal) -> int:
    """Raises ValueError where it is not whole fen, or more than money can be."""
    amount = yuan * 100
    if amount != amount.to_integral_value() or abs(amount) > FEN_MAX:
        raise ValueError(str(yuan))
    return int(amount)


def is_format(text: str) -> bool:
    """Whether a format of `strptime` names year, month and day, each once, and nothing that depends on a place."""
    signs = _SIGN.findall(text)
    told = [sum(signs.count(each) for each in kind) for kind in ("Yy", "mbB", "d")]
    return told == [1, 1, 1] and len(set(signs)) == len(signs) and set(signs) <= set("YymbBdHIMSfp")


def day(text: str, formats: Sequence[str] = ()) -> date:
    """The day that a cell names: in one of `formats` (as `strptime` knows them), else year first. Raises ValueError."""
    shown = narrow(text)
    for each in formats:
        try:
            return datetime.strptime(shown, narrow(each)).date()  # noqa: DTZ007 - a day
        except (ValueError, re.error):  # the second of formats kept before they were checked
            continue
    if formats:
        raise ValueError(text)
    if _OFFSET.search(shown):
        return _day_of_instant(shown)
    if found := _COMPACT_DAY.fullmatch(shown):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if (found := _DAY.fullmatch(shown)) is None:
        raise ValueError(text)
    month = next(each for each in found.group(2, 3, 4, 5) if each)
    return date(int(found[1]), int(month), int(found[6]))


def _day_of_instant(shown: str) -> date:
    try:
        return business_date(datetime.fromisoformat(shown.replace("/", "-")))
    except OverflowError as error:
        raise ValueError(shown) from error
