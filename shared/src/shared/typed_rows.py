"""Rows of a file as one msgspec type, NDJSON or a table: each line or row is one, or why there is none.

In a table an empty cell says nothing, whole numbers are digits, and the elements of a list stand apart by blanks or
semicolons. What is wrong of a table's row is told by row and column, of JSON by path.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct, inspect

from shared.arguments import ALL_FAULTS, PayloadInvalid, not_an_object
from shared.errors import DomainError
from shared.explain_typed import faults_of_type, type_of
from shared.faults import ERRORS_SHOWN_MAX, Fault, shortened
from shared.rows import csv_rows, header_of, lines_of, placed, too_long, too_wide, whole
from shared.strict_json import is_unambiguous, parse

T = TypeVar("T", bound=Struct)


class Item(NamedTuple, Generic[T]):
    """A row of a file, or why there is none. `line` is its line in the file, from 1; `key` what it is about, if it says."""

    line: int
    key: str | None
    told: T | None
    refusal: DomainError | None


class Form(Generic[T]):
    """How rows of one type are read; `key` is the field that says what a row is about."""

    def __init__(self, kind: type[T], key: str) -> None:
        fields = msgspec.structs.fields(kind)
        self.key = key
        self.columns = tuple(each.name for each in fields)
        self._kind = kind
        self._lists = [each.name for each in fields if _is(each.type, inspect.ListType)]
        self._numbers = [each.name for each in fields if _is(each.type, inspect.IntType)]
        self._decode = msgspec.json.Decoder(kind).decode

    def from_ndjson(self, chunks: Iterable[bytes]) -> Iterator[Item[T]]:
        """One a line; blank lines are passed over."""
        for line, raw in lines_of(chunks):
            if raw is None:
                yield Item(line, None, None, too_long())
            elif raw and not raw.isspace():
                yield self._of_json(line, raw)

    def from_csv(self, chunks: Iterable[bytes]) -> Iterator[Item[T]]:
        """One a row. Raises CsvHeaderInvalid."""
        for line, row in csv_rows(chunks, self.columns):
            yield Item(line, None, None, row) if isinstance(row, DomainError) else self.of_cells(line, row)

    def from_table(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[Item[T]]:
        """The same of rows of cells, the first of them the header. Raises CsvHeaderInvalid."""
        header: list[str] = []
        for line, cells in rows:
            if not header:
                header = header_of(cells, self.columns)
            elif len(cells) > len(header):
                yield Item(line, None, None, too_wide())
            else:
                yield self.of_cells(line, dict(zip(header, cells, strict=False)))

    def of_payload(self, payload: Any) -> T:
        """Raises PayloadInvalid, every fault listed, and JsonNotAnObject."""
        if not isinstance(payload, dict):
            raise not_an_object()
        try:
            return msgspec.convert(payload, self._kind)
        except (msgspec.ValidationError, UnicodeEncodeError):  # not text: surrogates here
            faults = list(islice(faults_of_type(self._kind, payload), ERRORS_SHOWN_MAX))
            raise PayloadInvalid(ALL_FAULTS, errors=faults) from None

    def of_cells(self, line: int, cells: Mapping[str, str]) -> Item[T]:
        """A row of a table."""
        payload: dict[str, Any] = {name: cell for name, cell in cells.items() if cell}
        for name in payload.keys() & self._lists:
            payload[name] = payload[name].replace(";", " ").split()
        for name in payload.keys() & self._numbers:
            payload[name] = whole(payload[name])
        try:
            return self._item(line, payload)
        except PayloadInvalid as refusal:
            refusal.context["errors"] = [_in_table(each, line, cells) for each in refusal.context["errors"]]
            return Item(line, cells.get(self.key), None, refusal)

    def _of_json(self, line: int, raw: bytes) -> Item[T]:
        try:
            if is_unambiguous(raw):
                told = self._decode(raw)
                return Item(line, getattr(told, self.key), told, None)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # read exactly below
        try:
            payload = parse(raw).value
        except DomainError as refusal:
            return Item(line, None, None, placed(refusal, line))
        try:
            return self._item(line, payload)
        except DomainError as refusal:
            said = payload.get(self.key) if isinstance(payload, dict) else None
            return Item(line, said if isinstance(said, str) else None, None, refusal)

    def _item(self, line: int, payload: Any) -> Item[T]:
        told = self.of_payload(payload)
        return Item(line, getattr(told, self.key), told, None)


def _is(kind: Any, wanted: type[inspect.Type]) -> bool:
    found = type_of(kind)
    while isinstance(found, inspect.Metadata):
        found = found.type
    if isinstance(found, inspect.UnionType):
        return any(isinstance(each, wanted) for each in found.types)
    return isinstance(found, wanted)


def _in_table(fault: Fault, line: int, cells: Mapping[str, str]) -> Fault:
    """The fault by row and column: who writes a table knows no paths."""
    column = fault.path.partition(".")[0]
    cell = cells.get(column)
    return Fault(
        column, fault.code, fault.message, shortened(cell) if cell else None, row=line, column=column
    )
