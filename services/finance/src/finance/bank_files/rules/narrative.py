"""What a bank tells of a payment in free words: its references and purpose are kept, payers and their accounts are not.

    /EREF/KH1234/REMI/goods of October/NAME/…        codes between slashes; of a party only until the next code
    166?00SEPA?20SVWZ+goods?21of October?31…?32…     numbered parts; ?20 to ?29 and ?60 to ?63 are the purpose
    EREF+KH1234 SVWZ+goods ABWA+…                    codes with a plus, in such parts or alone
    货款 KH1234 付款人：…                             words, see `parties`

Lines that the bank broke at the width of its form are joined where they are full.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from finance.bank_files.rules.parties import without_parties

WIDTH_CHARS = 65
_REFERENCES = {"EREF", "KREF", "PREF", "IREF", "SREF", "RREF", "OREF", "RFB", "ROC"}
_PURPOSES = {"REMI", "SVWZ", "USTD", "PURP", "RTRN", "TRTP", "OCMT", "STRD"}
_LEFT_OUT = {
    "NAME", "ORDP", "BENM", "CNTP", "IBAN", "BIC", "ADDR", "ACCT", "ACC", "ACCW", "BBAN", "ABWA", "ABWE", "DEBT", "CRED", "CDTR", "DBTR",
    "ULTB", "ULTD", "ULTC", "ORDN", "BENF", "BENA", "ORDA", "MREF", "MARF", "CSID", "ISDT", "ID", "INFO", "CITY", "CTRY", "TEL", "PHON", "MAIL",
    "TRCD", "CREF", "BO", "BO1", "NM", "ANAM", "UDTR", "UCRD",
}  # fmt: skip
_CODES = "|".join(sorted(_REFERENCES | _PURPOSES | _LEFT_OUT, key=len, reverse=True))
_SLASHED = re.compile(rf"/({_CODES})(?=/)")
_PLUSSED = re.compile(rf"(?:(?<=\s)|\A)({_CODES})\+")
_NUMBERED = re.compile(r"[?](\d{2})")


@dataclass(frozen=True, slots=True)
class Told:
    """`text` is the whole, to recognise who settles; it is not kept."""

    references: Sequence[str]
    purpose: str
    text: str


def read(lines: Sequence[str]) -> Told:
    """The lines of a field in the order of the file."""
    whole = "".join(lines)
    if _NUMBERED.match(whole.lstrip("0123456789 ")) or len(_NUMBERED.findall(whole)) > 1:
        return _numbered(whole)
    text = joined(lines)
    for pattern in (_SLASHED, _PLUSSED):
        if pattern.search(text):
            return _coded(text, pattern)
    return Told((), without_parties(text), text)


def joined(lines: Iterable[str]) -> str:
    """Full lines go on in the next without a blank, others with one."""
    found = ""
    is_full = True
    for each in lines:
        found += each if is_full else f" {each}"
        is_full = len(each) >= WIDTH_CHARS
    return found.strip()


def _numbered(text: str) -> Told:
    parts = _NUMBERED.split(text)
    posting, purpose = "", ""
    for number, content in zip(parts[1::2], parts[2::2], strict=True):
        if number == "00":
            posting = content.strip()
        elif "20" <= number <= "29" or "60" <= number <= "63":
            # A part is 27 characters wide; a code begins a new one.
            purpose += f" {content}" if _PLUSSED.match(content) else content
    told = _coded(purpose, _PLUSSED) if _PLUSSED.search(purpose) else Told((), without_parties(purpose), "")
    return Told(told.references, told.purpose or without_parties(posting), text)


def _coded(text: str, pattern: re.Pattern[str]) -> Told:
    references, purpose = [], []
    for code, content in _sections(text, pattern):
        if code in _REFERENCES:
            references.append(content)
        elif code in _PURPOSES or code == "":
            purpose.append(without_parties(content))
    return Told(references, " ".join(each for each in purpose if each), text)


def _sections(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Each code with what follows it. Names inside a party are the party's, whatever they are called."""
    parts = pattern.split(text)
    yield "", parts[0].strip("/ ") if pattern is _PLUSSED else ""
    for code, content in zip(parts[1::2], parts[2::2], strict=True):
        yield code, content.strip().strip("/").strip()
