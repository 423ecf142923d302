"""What a file is, by its bytes, and in which encoding its text is: neither its name nor who sends it knows.

UTF-8 with or without BOM, UTF-16 by BOM or by many zero bytes, GB18030. Bytes that are valid UTF-8 are UTF-8: text in GB18030
is so only by rare chance.
"""

import codecs
import re
from enum import StrEnum

from finance.bank_files.rules.formats import StatementUnreadable
from shared.languages import Text


class Kind(StrEnum):
    SHEET = "csv"
    WORKBOOK = "xlsx"
    MT940 = "mt940"
    CAMT = "camt053"


_BINARY = (
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "an RTF document"),
)
_MT940 = re.compile(r"(?:\A|\n):(?:20|25P?|28C?|60[FM]):", re.ASCII)
_HTML = re.compile(r"\A\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta)\b", re.IGNORECASE | re.DOTALL)  # fmt: skip
_LINE_END = re.compile(r"\r\n|\r|\n")
_ZEROS_ONE_IN = 20
_SHEET_2003 = "urn:schemas-microsoft-com:office:spreadsheet"


def kind_of(content: bytes) -> Kind:
    """Raises StatementUnreadable, naming what it is, where it is nothing that is read here."""
    if not content.strip():
        raise StatementUnreadable("the file is empty")
    for mark, name in _BINARY:
        if content.startswith(mark):
            raise named(name)
    if content.startswith(b"PK"):
        return Kind.WORKBOOK
    text = decoded(content)
    head = text.lstrip()[:4_000]
    if _HTML.match(head):
        raise named("an HTML page")
    if head.startswith("<"):
        if _SHEET_2003 in head:
            raise named("an Excel 2003 XML sheet")
        return Kind.CAMT
    if head.startswith("{1:") or _MT940.search(text.replace("\r", "\n")):
        return Kind.MT940
    return Kind.SHEET


def named(what: str) -> StatementUnreadable:
    return StatementUnreadable(
        Text("the file is {what}; statements are read from CSV, XLSX, MT940 and camt.053", what=what)
    )


def decoded(content: bytes) -> str:
    """Raises StatementUnreadable, naming the row of the first byte that is no text."""
    encoding = _encoding(content)
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        row = len(_LINE_END.findall(content[: error.start].decode(encoding, "ignore"))) + 1
        raise StatementUnreadable(
            Text("row {row} is no text in UTF-8, UTF-16 or GB18030", row=row), row=row
        ) from error


def _encoding(content: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return name
    sample = content[:4_000]
    high, low = sample[1::2].count(0), sample[::2].count(0)
    if max(high, low) * _ZEROS_ONE_IN >= len(sample) / 2:  # a NUL or two are dirt
        return "utf-16-le" if high >= low else "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
