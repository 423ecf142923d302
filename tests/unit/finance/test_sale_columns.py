"""A line of a sale is spelled once: its columns are those of its table, those of a product the fields of the receipt's."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from finance.kernel.chart import Standard, chart_of
from finance.kernel.copying import Copied, Said
from finance.kernel.receipt import Product, Receipt
from finance.sales.rules.files import CSV_COLUMNS
from finance.sales.rules.pricing import book_sale, price
from finance.sales.schemas import ProductBody
from finance.sold import SALE_PART
from finance.sold.schemas import SaleLineView
from finance.sold.tables import sale_lines
from tests.support.finance_builders import CUSTOMER, a_receipt

FIELDS = [field.encode_name for field in msgspec.structs.fields(Product)]


@pytest.fixture(scope="module")
def booked():
    receipt = msgspec.convert(a_receipt("R-1", customer_id=CUSTOMER), Receipt)
    priced = price(receipt, now=datetime(2026, 3, 4, tzinfo=UTC), begins_on=date(2010, 1, 1))
    return book_sale(priced, date(2026, 3, 3), chart_of(Standard.CAS))


def test_a_product_is_its_fields_in_the_table_in_files_and_in_what_is_shown():
    columns = [column.name for column in sale_lines.columns]
    first = columns.index(FIELDS[0])
    assert columns[first : first + len(FIELDS)] == FIELDS
    assert set(FIELDS) <= CSV_COLUMNS
    assert set(ProductBody().fields) == set(FIELDS)
    assert set(FIELDS) <= set(SaleLineView().fields)


@pytest.mark.parametrize("table", SALE_PART.copied)
def test_a_copied_row_has_every_column_of_its_table(booked, table):
    columns, rows_of = SALE_PART.copied[table]
    sale = Copied(booked, 1, "2026-03-03", "S001", CUSTOMER)
    for row in rows_of(sale, Said("till-1", "2026-03-03T00:00:00Z", "")):
        assert len(row.removesuffix("\n").split("\t")) == len(columns.split(", "))


def test_a_copied_line_says_what_the_one_statement_says(booked):
    columns, rows_of = SALE_PART.copied["sale_lines"]
    sale = Copied(booked, 1, "2026-03-03", "S001", CUSTOMER)
    copied = [
        dict(zip(columns.split(", "), row.removesuffix("\n").split("\t"), strict=True))
        for row in rows_of(sale, Said("till-1", "2026-03-03T00:00:00Z", ""))
    ]
    written = msgspec.json.decode(SALE_PART.parameters_of(booked)["lines"])
    assert [{name: row[name] for name in wrote} for row, wrote in zip(copied, written, strict=True)] == [
        {name: "\\N" if value is None else str(value) for name, value in wrote.items()} for wrote in written
    ]
