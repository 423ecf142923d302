"""A spreadsheet read by its own format, without the library that wrote it."""

import io
import zipfile
from xml.etree import ElementTree as ET

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet_rows(content):
    """Rows of the first sheet as {column letter: text}."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        root = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
        shared = []
        if "xl/sharedStrings.xml" in book.namelist():
            items = ET.fromstring(book.read("xl/sharedStrings.xml")).iter(f"{SHEET}si")
            shared = [_text(item) for item in items]
    return [
        {cell.get("r").rstrip("0123456789"): _value(cell, shared) for cell in row.iter(f"{SHEET}c")}
        for row in root.iter(f"{SHEET}row")
    ]


def _value(cell, shared):
    if cell.get("t") == "inlineStr":
        return _text(cell)
    value = cell.findtext(f"{SHEET}v")
    return shared[int(value)] if cell.get("t") == "s" else value


def _text(element):
    return "".join(part.text or "" for part in element.iter(f"{SHEET}t"))
