"""Rows of a file as a type: every form of file tells the same rows, and a fault is told where its writer finds it."""

from datetime import date

import msgspec

from shared.typed_rows import Form


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    row_id: str
    pieces: int = 1
    marks: list[str] = []
    until: date | None = None


FORM = Form(Row, "row_id")
ROW = Row(row_id="a", pieces=2, marks=["x", "y"], until=date(2026, 1, 2))


def test_every_form_tells_the_same_row():
    json_line = b'{"row_id": "a", "pieces": 2, "marks": ["x", "y"], "until": "2026-01-02"}\n\n'
    table = [(1, ["row_id", "pieces", "marks", "until"]), (2, ["a", "2", "x; y", "2026-01-02"])]
    lines = [",".join(cells) for _, cells in table]
    [by_json] = FORM.from_ndjson([json_line])
    [by_csv] = FORM.from_csv(["\n".join(lines).encode()])
    [by_table] = FORM.from_table(table)
    assert [by_json.told, by_csv.told, by_table.told] == [ROW] * 3
    assert [by_json.line, by_csv.line, by_table.line] == [1, 2, 2]
    assert {by_json.key, by_csv.key, by_table.key} == {"a"}


def test_an_empty_cell_says_nothing():
    [item] = FORM.from_csv([b"row_id,pieces,marks\na,,\n"])
    assert item.told == Row(row_id="a")


def test_a_fault_of_a_table_is_told_by_row_and_column_and_of_json_by_path():
    [table] = FORM.from_csv([b"row_id,pieces\na,two\n"])
    [fault] = table.refusal.context["errors"]
    assert (table.key, fault.row, fault.column, fault.value) == ("a", 2, "pieces", "two")
    [line] = FORM.from_ndjson([b'{"row_id": "a", "pieces": "two"}'])
    [fault] = line.refusal.context["errors"]
    assert (line.key, fault.row, fault.path) == ("a", None, "pieces")


def test_a_row_that_cannot_be_read_hurts_no_other():
    items = list(FORM.from_ndjson([b'{"row_id": "a"}\n{"row_id"\n[]\n{"row_id": "b"}\n']))
    assert [each.refusal and each.refusal.code for each in items] == [
        None,
        "json_malformed",
        "json_not_an_object",
        None,
    ]
