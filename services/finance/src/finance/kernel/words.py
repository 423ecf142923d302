"""Amounts in words, as Chinese documents write them: 壹仟贰佰叁拾肆元伍角整. Pure.

Source: 支付结算办法, annex 1 (how bills and vouchers are filled in)
"""

DIGITS = "零壹贰叁肆伍陆柒捌玖"


PLACES = ("", "拾", "佰", "仟")


MYRIADS = ("", "万", "亿", "万亿")


def in_words(fen: int) -> str:
    """An amount in fen, in formal Chinese numerals; 整 ends what has no fen."""
    if fen < 0:
        return "负" + in_words(-fen)
    yuan, rest = divmod(fen, 100)
    jiao, last = divmod(rest, 10)
    words = _whole(yuan) + "元" if yuan else ""
    if not rest:
        return (words or "零元") + "整"
    if jiao:
        words += DIGITS[jiao] + "角"
    elif yuan:
        words += "零"
    return words + (DIGITS[last] + "分" if last else "整")


def _whole(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    words, gap = "", False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if not group:
            gap = True
            continue
        if words and (gap or group < 1_000):
            words += "零"
        words += _group(group) + MYRIADS[place]
        gap = False
    return words


def _group(number: int) -> str:
    words, gap = "", False
    for place in reversed(range(4)):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(words)
            continue
        words += ("零" if gap else "") + DIGITS[digit] + PLACES[place]
        gap = False
    return words
