"""camt.053: the bank's statement in ISO 20022 XML, versions 02 and later, one or many statements and accounts in a file.

The text is in any encoding that tables are read in, whatever its declaration says; an envelope around the document is passed over.

Booked entries only (status BOOK); an entry is one line, however many payments its batch has. `CdtDbtInd` is the direction
in which the money moved, of a reversal too. Documents with a DTD are refused: entities could fill the memory or read files.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from finance.bank_files.rules import narrative
from finance.bank_files.rules.encodings import decoded, named
from finance.bank_files.rules.formats import (
    LINES_MAX,
    NUMBER_CHARS_MAX,
    YUAN,
    Statement,
    StatementLine,
    StatementUnreadable,
    chained,
    clean,
    fault,
    joined_references,
    line,
    refuse,
    too_long,
    within,
)
from finance.bank_files.rules.values import exact
from shared.clock import business_date
from shared.faults import Fault
from shared.languages import Text

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d{2})\}Document", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{0,5})?", re.ASCII)
_FIRST_VERSION = 2
_DECLARATION = re.compile(r"\A<\?xml\s[^>]*\?>")
_FILE = re.compile(r"\{urn:[^}]*:(camt\.05[24]|pain\.\d{3}|pacs\.\d{3})[^}]*\}", re.ASCII)
_DAY = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?P<time>T(?:[01]\d|2[0-4]):[0-5]\d:[0-6]\d(?:\.\d+)?)?(?P<offset>Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_OPENING = ("OPBD", "PRCD", "ITBD")
_CLOSING = ("CLBD", "ITBD")


def read(content: bytes) -> list[Statement]:
    """A statement per account. Raises StatementUnreadable."""
    try:
        # As text: the parser knows neither GB18030 nor GBK, in which banks send it.
        root = fromstring(_DECLARATION.sub("", decoded(content).lstrip()), forbid_dtd=True)
    except DefusedXmlException as error:
        raise StatementUnreadable("the XML has a document type or entities, which are not read") from error
    except (ParseError, ValueError, LookupError) as error:
        row = getattr(error, "position", (1, 0))[0]
        raise StatementUnreadable(Text("row {row} is no well-formed XML", row=row), row=row) from error
    document = next((each for each in root.iter() if _NAMESPACE.fullmatch(str(each.tag))), root)
    version = _NAMESPACE.fullmatch(document.tag)
    if version is None or int(version[1]) < _FIRST_VERSION:
        other = next(filter(None, (_FILE.match(str(each.tag)) for each in root.iter())), None)
        raise named(other[1] if other else "XML of another kind")
    found: dict[str, list[Statement]] = {}
    faults: list[Fault] = []
    count = 0
    for no, each in enumerate(document.iterfind("./{*}BkToCstmrStmt/{*}Stmt"), 1):
        statement = _statement(each, no, faults)
        if statement is not None:
            count += len(statement.lines)
            key = "".join(sign for sign in statement.account or "" if sign.isalnum()).upper()
            found.setdefault(key, []).append(statement)
    if faults:
        raise refuse(faults)
    if not found:
        raise StatementUnreadable("the file has no statement (BkToCstmrStmt/Stmt)")
    if count > LINES_MAX:
        raise too_long()
    return [chained(each) for each in found.values()]


def _statement(stmt: Element, no: int, faults: list[Fault]) -> Statement | None:
    """Faults count statements and entries of the file as rows: XML has no lines of its own."""
    before = len(faults)
    account = _text(stmt, "Acct/Id/IBAN") or _text(stmt, "Acct/Id/Othr/Id")
    if not account:
        faults.append(fault(no, "Acct/Id", "is missing in this statement", code="missing"))
    currency = _text(stmt, "Acct/Ccy") or YUAN[0]
    if currency not in YUAN:
        faults.append(_other_currency(no, "Acct Ccy", currency))
    opening = _balance(stmt, _OPENING, no, faults)
    closing = _balance(stmt, _CLOSING, no, faults)
    if opening is None or closing is None or len(faults) > before:
        return None
    opening_type, opened, opening_fen = opening
    closing_type, closed, closing_fen = closing
    first, last = _day(_find(stmt, "FrToDt/FrDtTm")) or opened, closed
    if first > last:
        first = opened
    lines = []
    is_first_stated = opening_type != "PRCD" or first != opened
    for row, entry in enumerate(stmt.iterfind("./{*}Ntry"), 1):
        made = _entry(entry, row, (min(first, last), last, is_first_stated), faults)
        if made is not None:
            lines.append(made)
    if len(faults) > before:
        return None
    number = (
        _text(stmt, "LglSeqNb") or _text(stmt, "ElctrncSeqNb") or _text(stmt, "Id") or str(no)
    )  # as the bank counts them
    page = _text(stmt, "StmtPgntn/PgNb")
    begun = within(date.min, min(first, last), last, is_first_stated=is_first_stated)
    return Statement(
        account=account,
        number=clean(f"{closed.year}-{number}" + (f"/{page}" if page else ""))[:NUMBER_CHARS_MAX],
        from_on=min([last if opening_type == "ITBD" else begun, *(each.booked_on for each in lines)]),
        to_on=closed,
        opening_fen=opening_fen,
        closing_fen=closing_fen,
        lines=lines,
        continues=opening_type == "ITBD",
        goes_on=closing_type == "ITBD",
    )


def _balance(
    stmt: Element, kinds: Sequence[str], no: int, faults: list[Fault]
) -> tuple[str, date, int] | None:
    """The kind, day and amount of the first kind that the statement has; of intermediate ones the first opens, the last closes."""
    known = [(_text(each, "Tp/CdOrPrtry/Cd"), each) for each in stmt.iterfind("./{*}Bal")]
    for kind in kinds:
        found = [each for code, each in known if code == kind]
        if not found:
            continue
        said = {(_text(each, "Amt"), _text(each, "CdtDbtInd")) for each in found}
        if kind != "ITBD" and len(said) > 1:
            faults.append(fault(no, f"Bal {kind}", "stands twice in one statement", code="ambiguous"))
            return None
        chosen = found[-1] if kinds is _CLOSING else found[0]
        fen = _fen(chosen, no, f"Bal {kind}", faults)
        day = _day(_find(chosen, "Dt"))
        if day is None:
            faults.append(fault(no, f"Bal {kind} Dt", "must be a day such as 2026-10-05"))
        is_page = _text(chosen, "Tp/SubTp/Cd") == "INTM"
        return None if fen is None or day is None else ("ITBD" if is_page else kind, day, fen)
    faults.append(fault(no, f"Bal {kinds[0]}", "is missing in this statement", code="missing"))
    return None


def _entry(
    entry: Element, row: int, days: tuple[date, date, bool], faults: list[Fault]
) -> StatementLine | None:
    """None where it is not booked, or has a fault."""
    status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
    if status != "BOOK":
        if status not in ("PDNG", "INFO", "FUTR"):
            faults.append(fault(row, "Ntry Sts", "must be BOOK, PDNG, INFO or FUTR", status))
        return None
    fen = _fen(entry, row, "Ntry", faults)
    booked, valued = _day(_find(entry, "BookgDt")), _day(_find(entry, "ValDt"))
    day = booked or valued
    if day is None:
        faults.append(fault(row, "Ntry BookgDt", "must be a day such as 2026-10-05"))
    if fen is None or day is None:
        return None
    first, last, is_first_stated = days
    references = [
        *_texts(entry, "NtryDtls/{*}TxDtls/{*}Refs/{*}EndToEndId"),
        *_texts(entry, "NtryDtls/{*}TxDtls/{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref"),
        *_texts(entry, "NtryDtls/{*}TxDtls/{*}RmtInf/{*}Strd/{*}RfrdDocInf/{*}Nb"),
        *_texts(entry, "NtryRef"),
        *_texts(entry, "AcctSvcrRef"),
    ]
    words = (
        _texts(entry, "NtryDtls/{*}TxDtls/{*}RmtInf/{*}Ustrd")
        or _texts(entry, "NtryDtls/{*}TxDtls/{*}AddtlTxInf")
        or _texts(entry, "AddtlNtryInf")
    )
    told = [narrative.read([each]) for each in words]
    return line(
        within(day, first, last, is_first_stated=is_first_stated),
        fen,
        joined_references([*references, *(each for part in told for each in part.references)]),
        " ".join(each.purpose for each in told if each.purpose),
        " ".join([*words, *_payers(entry, fen)]),
        valued,
    )


def _payers(entry: Element, fen: int) -> list[str]:
    """Who paid, or was paid: to recognise who settles."""
    side = "Dbtr" if fen > 0 else "Cdtr"
    return [
        *_texts(entry, f"NtryDtls/{{*}}TxDtls/{{*}}RltdPties/{{*}}{side}/{{*}}Nm"),
        *_texts(entry, f"NtryDtls/{{*}}TxDtls/{{*}}RltdPties/{{*}}{side}/{{*}}Pty/{{*}}Nm"),
    ]


def _fen(owner: Element, row: int, column: str, faults: list[Fault]) -> int | None:
    amount, side = _find(owner, "Amt"), _text(owner, "CdtDbtInd")
    currency = amount.get("Ccy") if amount is not None else None
    written = (amount.text or "").strip() if amount is not None else ""
    if currency is not None and currency not in YUAN:
        faults.append(_other_currency(row, f"{column} Amt", currency))
        return None
    if side not in ("CRDT", "DBIT"):
        faults.append(fault(row, f"{column} CdtDbtInd", "must be CRDT or DBIT", side))
        return None
    try:
        fen = exact(Decimal(written)) if _AMOUNT.fullmatch(written) else None
    except (ValueError, InvalidOperation):
        fen = None
    if fen is None:
        faults.append(fault(row, f"{column} Amt", "must be an amount such as 1234.56", written))
        return None
    return fen if side == "CRDT" else -fen


def _other_currency(row: int, column: str, currency: str) -> Fault:
    message = Text("is in {currency}; only accounts in CNY are kept here", currency=currency[:3])
    return fault(row, column, message, currency, "other_currency")


def _day(owner: Element | None) -> date | None:
    """A day, or the business day of a moment; None where there is none."""
    if owner is None:
        return None
    written = (owner.text or "").strip() or _text(owner, "Dt") or _text(owner, "DtTm")
    found = _DAY.fullmatch(written)
    try:
        if found and found["time"] and found["offset"]:
            return business_date(datetime.fromisoformat(written))
        return date.fromisoformat(found["day"]) if found else None
    except (ValueError, OverflowError):
        return None


def _find(owner: Element, path: str) -> Element | None:
    return owner.find("/".join(f"{{*}}{each}" for each in path.split("/")))


def _text(owner: Element, path: str) -> str:
    found = _find(owner, path)
    return "" if found is None else (found.text or "").strip()


def _texts(owner: Element, path: str) -> list[str]:
    return list(_said(owner, path))


def _said(owner: Element, path: str) -> Iterator[str]:
    for each in owner.iterfind(f"./{{*}}{path}"):
        if each.text and each.text.strip():
            yield each.text.strip()
