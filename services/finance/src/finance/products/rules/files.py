"""Products as their source uploads them, NDJSON or a table: each line or row a product, or why there is none."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from finance.kernel.rows import csv_rows, header_of, lines_of, placed, too_long, too_wide, whole
from finance.products.rules.product import Told
from shared.arguments import ALL_FAULTS, PayloadInvalid, not_an_object
from shared.errors import DomainError
from shared.explain_typed import faults_of_type
from shared.faults import ERRORS_SHOWN_MAX, Fault, shortened
from shared.strict_json import is_unambiguous, parse

LISTS = ("gtins", "trace_prefixes")
COLUMNS = tuple(each.name for each in msgspec.structs.fields(Told))
_decode = msgspec.json.Decoder(Told).decode


class Item(NamedTuple):
    """A row of an upload, or why there is none. `line` is its line in the file, from 1."""

    line: int
    product_id: str | None
    told: Told | None
    refusal: DomainError | None


def from_ndjson(chunks: Iterable[bytes]) -> Iterator[Item]:
    """One product a line; blank lines are passed over."""
    for line, raw in lines_of(chunks):
        if raw is None:
            yield Item(line, None, None, too_long())
        elif raw and not raw.isspace():
            yield _of_json(line, raw)


def _of_json(line: int, raw: bytes) -> Item:
    try:
        if is_unambiguous(raw):
            told = _decode(raw)
            return Item(line, told.product_id, told, None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # read exactly below
    try:
        payload = parse(raw).value
    except DomainError as refusal:
        return Item(line, None, None, placed(refusal, line))
    try:
        return _of_payload(line, payload)
    except PayloadInvalid as refusal:
        return Item(line, _id_in(payload), None, refusal)


def _of_payload(line: int, payload: Any) -> Item:
    told = told_of(payload)
    return Item(line, told.product_id, told, None)


def told_of(payload: Any) -> Told:
    """Raises PayloadInvalid, every fault listed, and JsonNotAnObject."""
    if not isinstance(payload, dict):
        raise not_an_object()
    try:
        return msgspec.convert(payload, Told)
    except (msgspec.ValidationError, UnicodeEncodeError):  # not text: surrogates here
        faults = list(islice(faults_of_type(Told, payload), ERRORS_SHOWN_MAX))
        raise PayloadInvalid(ALL_FAULTS, errors=faults) from None


def _id_in(payload: Any) -> str | None:
    said = payload.get("product_id") if isinstance(payload, dict) else None
    return said if isinstance(said, str) else None


def from_csv(chunks: Iterable[bytes]) -> Iterator[Item]:
    """One product a row. Raises CsvHeaderInvalid."""
    for line, row in csv_rows(chunks, COLUMNS):
        yield Item(line, None, None, row) if isinstance(row, DomainError) else of_cells(line, row)


def from_table(rows: Iterable[tuple[int, list[str]]]) -> Iterator[Item]:
    """The same of rows of cells, the first of them the header. Raises CsvHeaderInvalid."""
    header: list[str] = []
    for line, cells in rows:
        if not header:
            header = header_of(cells, COLUMNS)
        elif len(cells) > len(header):
            yield Item(line, None, None, too_wide())
        else:
            yield of_cells(line, dict(zip(header, cells, strict=False)))


def of_cells(line: int, cells: Mapping[str, str]) -> Item:
    """A row of a table: codes stand apart by blanks or semicolons, an empty cell says nothing."""
    payload: dict[str, Any] = {name: cell for name, cell in cells.items() if cell}
    for name in LISTS:
        if name in payload:
            payload[name] = payload[name].replace(";", " ").split()
    if "pack_factor" in payload:
        payload["pack_factor"] = whole(payload["pack_factor"])
    try:
        return _of_payload(line, payload)
    except PayloadInvalid as refusal:
        refusal.context["errors"] = [_in_table(each, line, cells) for each in refusal.context["errors"]]
        return Item(line, cells.get("product_id"), None, refusal)


def _in_table(fault: Fault, line: int, cells: Mapping[str, str]) -> Fault:
    """The fault by row and column: who writes a table knows no paths."""
    column = fault.path.partition(".")[0]
    cell = cells.get(column)
    return Fault(
        column, fault.code, fault.message, shortened(cell) if cell else None, row=line, column=column
    )
