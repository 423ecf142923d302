"""Receipts as tills upload them, NDJSON or CSV: each line or group of rows a receipt, or why there is none.

What is wrong is told where its writer looks: a path in JSON, a row and a column in a table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import fields

from finance.kernel.receipt import LINES_MAX, Prescription, Product, Receipt, decoder
from shared.arguments import ALL_FAULTS, PayloadInvalid, not_an_object
from shared.errors import DomainError
from shared.explain_typed import faults_of_type
from shared.faults import ERRORS_SHOWN_MAX, Fault, shortened
from shared.rows import csv_rows, lines_of, placed, too_long, whole
from shared.strict_json import is_unambiguous, parse

RECEIPT_COLUMNS = (
    *("receipt_number", "branch_id", "channel", "sold_at", "customer_id", "late", "cashier_id", "shift_id"),
    "tenders",
)
MONEY_COLUMNS = ("unit_price", "discount", "cost")
_PRODUCT = fields(Product)
PRODUCT_COLUMNS = tuple(each.encode_name for each in _PRODUCT)
PRESCRIPTION_COLUMNS = tuple(each.encode_name for each in fields(Prescription))
CSV_COLUMNS = frozenset(
    [
        *RECEIPT_COLUMNS,
        *PRODUCT_COLUMNS,
        "lot",
        "expiry",
        "quantity",
        "tax_bp",
        *(f"{name}_fen" for name in MONEY_COLUMNS),
        "trace_codes",
        *(f"prescription_{name}" for name in PRESCRIPTION_COLUMNS),
    ]
)


class _Row(NamedTuple):
    line: int
    cells: dict[str, str]


class Item(NamedTuple):
    """A receipt of an upload, or why there is none. `line` is its first input line, from 1."""

    line: int
    number: str | None
    receipt: Receipt | None
    refusal: DomainError | None


def from_ndjson(chunks: Iterable[bytes]) -> Iterator[Item]:
    """One receipt per line; blank lines are passed over."""
    decode = decoder.decode
    for line, raw in lines_of(chunks):
        if raw is None:
            yield Item(line, None, None, too_long())
            continue
        if not raw or raw.isspace():
            continue
        try:
            receipt = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield _refused_json(line, raw)
        else:
            yield (
                Item(line, receipt.receipt_number, receipt, None)
                if is_unambiguous(raw)
                else _refused_json(line, raw)
            )


def _refused_json(line: int, raw: bytes) -> Item:
    """What the fast decoder refused, or took for another thing than it may be, read exactly."""
    try:
        payload = parse(raw).value
    except DomainError as refusal:
        return Item(line, None, None, placed(refusal, line))
    return _of_payload(line, payload)


def _of_payload(line: int, payload: Any) -> Item:
    try:
        receipt = msgspec.convert(payload, Receipt)
    except (msgspec.ValidationError, UnicodeEncodeError):  # not text: surrogates here
        return Item(line, _number_in(payload), None, invalid(payload))
    return Item(line, receipt.receipt_number, receipt, None)


def _number_in(payload: Any) -> str | None:
    number = payload.get("receipt_number") if isinstance(payload, dict) else None
    return number if isinstance(number, str) else None


def invalid(payload: Any) -> DomainError:
    """The refusal of a payload that is no receipt, every fault listed."""
    if not isinstance(payload, dict):
        return not_an_object()
    return PayloadInvalid(ALL_FAULTS, errors=list(islice(faults_of_type(Receipt, payload), ERRORS_SHOWN_MAX)))


def from_csv(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Consecutive rows with the same branch and number are one receipt. Raises CsvHeaderInvalid."""
    open_rows: list[_Row] = []
    for line, row in csv_rows(chunks, CSV_COLUMNS):
        if isinstance(row, DomainError):
            if open_rows:
                yield _receipt_of(open_rows)
            yield Item(line, None, None, row)
            open_rows = []
            continue
        if open_rows and _head(row) != _head(open_rows[0].cells):
            yield _receipt_of(open_rows)
            open_rows = []
        open_rows.append(_Row(line, row))
        if len(open_rows) > LINES_MAX:
            # so that a file of one endless receipt is refused in pieces instead of filling the memory
            yield _receipt_of(open_rows)
            open_rows = []
    if open_rows:
        yield _receipt_of(open_rows)


def _head(row: Mapping[str, str]) -> tuple[str, str]:
    return row.get("branch_id", ""), row.get("receipt_number", "")


def _receipt_of(rows: Sequence[_Row]) -> Item:
    line, cells = rows[0].line, [row.cells for row in rows]
    payload = _payload(cells)
    try:
        receipt = msgspec.convert(payload, Receipt)
    except (msgspec.ValidationError, UnicodeEncodeError):  # not text: surrogates here
        faults = [
            _in_table(fault, rows) for fault in islice(faults_of_type(Receipt, payload), ERRORS_SHOWN_MAX)
        ]
        return Item(line, _number_in(payload), None, PayloadInvalid(ALL_FAULTS, errors=faults))
    return Item(line, receipt.receipt_number, receipt, None)


def _in_table(fault: Fault, rows: Sequence[_Row]) -> Fault:
    """The fault by row and column: who writes a table knows no paths."""
    steps = fault.path.split(".")
    at = int(steps[1]) if steps[0] == "lines" and len(steps) > 1 else 0
    column = _column(steps)
    row = rows[at]
    cell = row.cells.get(column, "")
    code, message = fault.code, fault.message
    if column in RECEIPT_COLUMNS and len({each.cells.get(column) or "" for each in rows} - {""}) > 1:
        code, message = "rows_differ", "the rows of one receipt must say the same here"
    elif column == "tenders" and code != "not_one_of":
        code, message = "form_wrong", "must be written like cash=1250;wechat=300, in whole fen"
    return Fault(column, code, message, shortened(cell) if cell else None, row=row.line, column=column)


def _column(steps: Sequence[str]) -> str:
    """`lines.0.product.product_id` is product_id, `lines.0.unit_price.fen` is unit_price_fen."""
    if steps[0] != "lines" or len(steps) < 3:
        return "tenders" if steps[0] == "tenders" else steps[0]
    if steps[2] == "product":
        return steps[3] if len(steps) > 3 else "product_id"
    if steps[2] == "prescription":
        return "_".join(["prescription", steps[3] if len(steps) > 3 else PRESCRIPTION_COLUMNS[0]])
    return f"{steps[2]}_fen" if steps[2] in MONEY_COLUMNS else steps[2]


def _payload(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The JSON shape of rows. What is not a number stays text, so that the strict decoder names the fault."""
    payload: dict[str, Any] = {
        name: said for name in RECEIPT_COLUMNS if name != "tenders" and (said := _said(rows, name))
    }
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
    product = {}
    for name in PRODUCT_COLUMNS:
        if row.get(name):
            product[name] = row[name]
    line: dict[str, Any] = {"product": product}
    for name in ("lot", "expiry"):
        if row.get(name):
            line[name] = row[name]
    for name in ("quantity", "tax_bp"):
        if row.get(name):
            line[name] = whole(row[name])
    for name in MONEY_COLUMNS:
        if row.get(f"{name}_fen"):
            line[name] = {"fen": whole(row[f"{name}_fen"]), "currency": "CNY"}
    if codes := row.get("trace_codes"):
        line["trace_codes"] = codes.replace(";", " ").split()
    prescription = {name: said for name in PRESCRIPTION_COLUMNS if (said := row.get(f"prescription_{name}"))}
    if prescription:
        line["prescription"] = prescription
    return line


def _tender(part: str) -> dict[str, Any]:
    name, _, paid = part.partition("=")
    fen, _, channel_transaction_id = paid.partition("@")
    tender = {"tender": name.strip(), "amount": {"fen": whole(fen.strip()), "currency": "CNY"}}
    if channel_transaction_id:
        tender["channel_transaction_id"] = channel_transaction_id.strip()
    return tender
