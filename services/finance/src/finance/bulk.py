"""Thousands of receipts in one upload: parsed as a stream, written in batches, answered one line each.

Each batch is one transaction, so what was answered is committed and what was not may be sent again. A receipt
that is refused never hurts another.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import orjson

from finance import exposure, floors, open_items, permissions, repository, stops
from finance.booking import Booked, book_of, book_sale
from finance.commands import refuse_closed, same_receipt
from finance.domain import permission, points
from finance.domain.period import PeriodState
from finance.domain.points import PointsNotInBulk
from finance.domain.receipt import LINES_MAX, Receipt, decoder
from finance.domain.sale import PricedSale, price
from finance.schemas import explain
from shared import audit
from shared.clock import business_date, month_of
from shared.errors import DomainError, Invalid
from shared.transaction import Tx

BATCH_RECEIPTS_MAX = 1_000
LINE_BYTES_MAX = 1_048_576
READ_BYTES = 262_144
ERRORS_SHOWN_MAX = 100
TOO_LONG_MARK = "\ufffe"

OPTIONAL = ("dosage_form", "specification", "mah", "maker", "approval_number")
CSV_COLUMNS = frozenset(
    [
        "receipt_number",
        "branch_id",
        "customer_id",
        "channel",
        "sold_at",
        "late",
        "product_id",
        "generic_name",
        "category",
        "temp_class",
        "dosage_form",
        "specification",
        "mah",
        "maker",
        "approval_number",
        "lot",
        "expiry",
        "quantity",
        "unit_price_fen",
        "discount_fen",
        "tax_bp",
        "cost_fen",
        "tenders",
    ]
)


class LineTooLong(Invalid):
    code = "line_too_long"


class LineMalformed(Invalid):
    code = "line_malformed"


class PayloadInvalid(Invalid):
    code = "payload_invalid"


class CsvHeaderInvalid(Invalid):
    code = "csv_header_invalid"


class Item(NamedTuple):
    """A receipt of an upload, or why there is none. `line` is its first input line, from 1."""

    line: int
    number: str | None
    receipt: Receipt | None
    refusal: DomainError | None


class Result(NamedTuple):
    line: int
    number: str | None
    status: str
    sale_id: str | None = None
    refusal: DomainError | None = None

    def json(self) -> bytes:
        """One line of the answer."""
        told: dict[str, Any] = {
            "line": self.line,
            "receipt_number": self.number and self.number.encode(errors="replace").decode(),
            "status": self.status,
        }
        if self.sale_id is not None:
            told["sale_id"] = self.sale_id
        if self.refusal is not None:
            told |= {"code": self.refusal.code, "detail": self.refusal.detail, **self.refusal.context}
        return orjson.dumps(told, default=str, option=orjson.OPT_APPEND_NEWLINE)


# --- parsing ----------------------------------------------------------------------------------------


def lines_of(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without their ends; None for one above LINE_BYTES_MAX. Holds one line in memory."""
    number, rest, is_skipping = 1, b"", False
    for chunk in chunks:
        parts = (rest + chunk).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield number, None if is_skipping or len(part) > LINE_BYTES_MAX else part.removesuffix(b"\r")
            is_skipping = False
            number += 1
        if len(rest) > LINE_BYTES_MAX:
            rest, is_skipping = b"", True
    if rest or is_skipping:
        yield number, None if is_skipping else rest.removesuffix(b"\r")


def from_ndjson(chunks: Iterable[bytes]) -> Iterator[Item]:
    """One receipt per line; blank lines are passed over."""
    decode = decoder.decode
    for line, raw in lines_of(chunks):
        if raw is None:
            yield Item(line, None, None, LineTooLong(f"a line holds at most {LINE_BYTES_MAX} bytes"))
            continue
        if line == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")  # noqa: PLW2901
        if not raw or raw.isspace():
            continue
        try:
            receipt = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield _refused_json(line, raw, error)
        else:
            yield Item(line, receipt.receipt_number, receipt, None)


def _refused_json(line: int, raw: bytes, error: Exception) -> Item:
    try:
        payload = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Item(line, None, None, LineMalformed(f"the line is not JSON: {error}"))
    return _refused(line, payload, error)


def _refused(line: int, payload: Any, error: Exception) -> Item:
    number = payload.get("receipt_number") if isinstance(payload, dict) else None
    return Item(line, number if isinstance(number, str) else None, None, invalid(payload, error))


def invalid(payload: Any, error: Exception) -> PayloadInvalid:
    """The refusal of a payload that the strict decoder refused with `error`, every fault listed."""
    faults = list(_flat(explain(payload)))[:ERRORS_SHOWN_MAX] or [{"path": "", "message": str(error)}]
    return PayloadInvalid("the payload has faults; each is listed under `errors`", errors=faults)


def _flat(messages: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _flat(inner, path if name == "_schema" else (*path, str(name)))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield {"path": ".".join(path), "message": str(messages)}


def from_csv(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Consecutive rows with the same branch and number are one receipt. Raises CsvHeaderInvalid."""
    open_rows: list[dict[str, str]] = []
    start = 0
    for line, row in _csv_rows(chunks):
        if isinstance(row, DomainError):
            if open_rows:
                yield _receipt_of(start, open_rows)
            yield Item(line, None, None, row)
            open_rows = []
            continue
        if open_rows and _head(row) != _head(open_rows[0]):
            yield _receipt_of(start, open_rows)
            open_rows = []
        if not open_rows:
            start = line
        open_rows.append(row)
        if len(open_rows) > LINES_MAX:
            # so that a file of one endless receipt is refused in pieces instead of filling the memory
            yield _receipt_of(start, open_rows)
            open_rows = []
    if open_rows:
        yield _receipt_of(start, open_rows)


def _head(row: Mapping[str, str]) -> tuple[str, str]:
    return row.get("branch_id", ""), row.get("receipt_number", "")


def _csv_rows(chunks: Iterable[bytes]) -> Iterator[tuple[int, dict[str, str] | DomainError]]:
    reader = csv.reader(_csv_lines(chunks), strict=True)
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if not header:
                raise CsvHeaderInvalid("the first line is not a CSV header") from error
            yield line, LineMalformed(f"the row is not CSV: {error}")
            continue
        if not header:
            header = _header(cells)
        elif len(cells) > len(header):
            yield line, LineMalformed("the row has more cells than the header")
        elif any(cells):
            yield line, dict(zip(header, cells, strict=False))


def _csv_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    for number, raw in lines_of(chunks):
        # An over-long line is one bad row; bytes that are not UTF-8 become a mark that every pattern refuses.
        text = (
            TOO_LONG_MARK
            if raw is None
            else raw.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")
        )
        yield text + "\n"


def _header(cells: Sequence[str]) -> list[str]:
    unknown = sorted(set(cells) - CSV_COLUMNS)
    if unknown or len(set(cells)) != len(cells):
        raise CsvHeaderInvalid(
            "the header has unknown or repeated columns", unknown=unknown[:ERRORS_SHOWN_MAX]
        )
    return list(cells)


def _receipt_of(line: int, rows: Sequence[Mapping[str, str]]) -> Item:
    payload = _payload(rows)
    try:
        receipt = msgspec.convert(payload, Receipt)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # not text: surrogates here
        return _refused(line, payload, error)
    return Item(line, receipt.receipt_number, receipt, None)


def _payload(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The JSON shape of rows. What is not a number stays text, so that the strict decoder names the fault."""
    heads = ("receipt_number", "branch_id", "channel", "sold_at", "customer_id", "late")
    payload: dict[str, Any] = {name: said for name in heads if (said := _said(rows, name))}
    if isinstance(late := payload.get("late"), str):
        payload["late"] = {"true": True, "false": False, "1": True, "0": False}.get(late.lower(), late)
    payload["lines"] = [_line(row) for row in rows]
    tenders = _said(rows, "tenders")
    if isinstance(tenders, list):
        payload["tenders"] = "rows of one receipt give different tenders"
    else:
        payload["tenders"] = [_tender(part) for part in (tenders or "").split(";") if part]
    return payload


def _said(rows: Sequence[Mapping[str, str]], name: str) -> str | list[str] | None:
    """What the rows of a receipt say of it; all of it, which no decoder takes, when they contradict each other."""
    said = sorted({row[name] for row in rows if row.get(name)})
    return said if len(said) > 1 else said[0] if said else None


def _line(row: Mapping[str, str]) -> dict[str, Any]:
    product = {"id": row.get("product_id")} if row.get("product_id") else {}
    for name in ("generic_name", "category", "temp_class", *OPTIONAL):
        if row.get(name):
            product[name] = row[name]
    line: dict[str, Any] = {"product": product}
    for name in ("lot", "expiry"):
        if row.get(name):
            line[name] = row[name]
    for name in ("quantity", "tax_bp"):
        if row.get(name):
            line[name] = _whole(row[name])
    for name in ("unit_price", "discount", "cost"):
        if row.get(f"{name}_fen"):
            line[name] = {"fen": _whole(row[f"{name}_fen"]), "currency": "CNY"}
    return line


def _tender(part: str) -> dict[str, Any]:
    name, _, fen = part.partition("=")
    return {"tender": name.strip(), "amount": {"fen": _whole(fen.strip()), "currency": "CNY"}}


def _whole(text: str) -> int | str:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else text


# --- batches ----------------------------------------------------------------------------------------


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """At most BATCH_RECEIPTS_MAX items; a number that comes again begins a new batch, and finds the first written."""
    batch: list[Item] = []
    seen: set[tuple[str, str]] = set()
    for item in items:
        key = None if item.receipt is None else (item.receipt.branch_id, item.receipt.receipt_number)
        if len(batch) >= BATCH_RECEIPTS_MAX or (key is not None and key in seen):
            yield batch
            batch, seen = [], set()
        batch.append(item)
        if key is not None:
            seen.add(key)
    if batch:
        yield batch


class _Candidate(NamedTuple):
    item: Item
    priced: PricedSale


def load(tx: Tx, batch: Sequence[Item]) -> list[Result]:
    """Write a batch in the caller's transaction; one result per item, in order."""
    results: dict[int, Result] = {}
    candidates = _priced(tx, batch, results)
    # before we look which are new: the same upload at the same time waits here, and is known when it goes on
    room = exposure.Room(
        tx, {_owing(each) for each in candidates if permission.uses_credit(each.priced.receipt)}
    )
    if candidates:
        candidates = _new_ones(tx, candidates, results)
    if candidates:
        booked = _judged(tx, candidates, room, results)
        _write(tx, booked, results)
    return [results[item.line] for item in batch]


def _priced(tx: Tx, batch: Sequence[Item], results: dict[int, Result]) -> list[_Candidate]:
    begins_on = book_of(tx.conn).begins_on
    candidates = []
    for item in batch:
        refusal = item.refusal
        if item.receipt is not None:
            try:
                tx.actor.require_branch(item.receipt.branch_id)
                candidates.append(_Candidate(item, price(item.receipt, now=tx.now, begins_on=begins_on)))
                continue
            except DomainError as error:
                refusal = error
        results[item.line] = Result(item.line, item.number, "refused", refusal=refusal)
    return candidates


def _key(candidate: _Candidate) -> tuple[str, str]:
    receipt = candidate.priced.receipt
    return receipt.branch_id, receipt.receipt_number


def _new_ones(tx: Tx, candidates: Sequence[_Candidate], results: dict[int, Result]) -> list[_Candidate]:
    known = repository.known_receipts(tx.conn, [_key(each) for each in candidates])
    fresh = []
    for each in candidates:
        existing = known.get(_key(each))
        if existing is None:
            fresh.append(each)
            continue
        results[each.item.line] = _of_known(each, existing)
    return fresh


def _of_known(candidate: _Candidate, known: repository.Known) -> Result:
    item = candidate.item
    try:
        same_receipt(known, candidate.priced)
    except DomainError as error:
        return Result(item.line, item.number, "refused", refusal=error)
    return Result(item.line, item.number, "duplicate", known.sale_id)


def _judged(
    tx: Tx, candidates: Sequence[_Candidate], room: exposure.Room, results: dict[int, Result]
) -> list[tuple[_Candidate, Booked]]:
    today = business_date(tx.now)
    stopped = stops.active(tx.conn)
    days = {each.priced.business_date for each in candidates}
    if any(each.priced.receipt.late for each in candidates):
        days.add(today)
    states = repository.hold_months(tx.conn, sorted(days))
    customers = {
        (each.priced.receipt.customer_id, each.priced.business_date)
        for each in candidates
        if each.priced.receipt.customer_id is not None
    }
    held = permissions.held(tx.conn, customers)
    caught_up = len(held) < len(customers) and repository.has_heard_all_of_customers(tx.conn)
    chart = book_of(tx.conn).chart
    booked = []
    for each in candidates:
        receipt = each.priced.receipt
        try:
            if points.payment_of(receipt) is not None:
                raise PointsNotInBulk("post a receipt that points pay by itself")
            if receipt.customer_id is not None:
                permission.check(
                    held.get((receipt.customer_id, each.priced.business_date)),
                    receipt,
                    each.priced.business_date,
                    is_caught_up=caught_up,
                )
            if stopped:
                stops.refuse(stops.among(stopped, receipt))
            booked_on = _booking_day(each.priced, today, states)
        except DomainError as error:
            results[each.item.line] = Result(each.item.line, each.item.number, "refused", refusal=error)
        else:
            booked.append((each, book_sale(each.priced, booked_on, chart)))
    return _within_credit(room, _above_floors(tx, booked, held, results), results)


def _owing(candidate: _Candidate) -> UUID:
    customer_id = candidate.priced.receipt.customer_id
    assert customer_id is not None, "credit needs a customer"
    return customer_id


def _within_credit(
    room: exposure.Room, booked: list[tuple[_Candidate, Booked]], results: dict[int, Result]
) -> list[tuple[_Candidate, Booked]]:
    """Last of all, so that what is refused for another reason takes no room from the next receipt."""
    if room.is_for_nobody:
        return booked
    kept = []
    for each, sale in booked:
        try:
            if fen := open_items.credit_of(sale):
                room.take(_owing(each), fen)
        except DomainError as error:
            results[each.item.line] = Result(each.item.line, each.item.number, "refused", refusal=error)
        else:
            kept.append((each, sale))
    return kept


def _above_floors(
    tx: Tx,
    booked: Sequence[tuple[_Candidate, Booked]],
    held: Mapping[tuple[UUID, date], permission.Permission],
    results: dict[int, Result],
) -> list[tuple[_Candidate, Booked]]:
    below = floors.below(tx.conn, [each.priced for each, _ in booked], held)
    for index, refusal in below.items():
        item = booked[index][0].item
        results[item.line] = Result(item.line, item.number, "refused", refusal=refusal)
    return [pair for index, pair in enumerate(booked) if index not in below]


def _booking_day(priced: PricedSale, today: date, states: Mapping[date, str]) -> date:
    if states[month_of(priced.business_date)] == PeriodState.OPEN:
        return priced.business_date
    if priced.receipt.late and states[month_of(today)] == PeriodState.OPEN:
        return today
    raise refuse_closed(priced)


def _write(tx: Tx, booked: Sequence[tuple[_Candidate, Booked]], results: dict[int, Result]) -> None:
    if not booked:
        return
    claimed = repository.claim_receipts(tx.conn, [sale for _, sale in booked])
    mine = [sale for _, sale in booked if sale.sale_id in claimed]
    lost = [each for each, sale in booked if sale.sale_id not in claimed]
    if mine:
        repository.copy_sales(tx, mine)
        digest = [sale.priced.content_hash.hex() for sale in mine]
        audit.record(tx, "sale.post_bulk", f"{mine[0].sale_id}..{mine[-1].sale_id}", after=digest)
    for each, sale in booked:
        if sale.sale_id in claimed:
            results[each.item.line] = Result(each.item.line, each.item.number, "posted", sale.sale_id)
    if lost:
        # another upload wrote them between our look and our claim
        known = repository.known_receipts(tx.conn, [_key(each) for each in lost])
        for each in lost:
            results[each.item.line] = _of_known(each, known[_key(each)])


def read_chunks(stream: io.RawIOBase | Any) -> Iterator[bytes]:
    while chunk := stream.read(READ_BYTES):
        yield chunk
