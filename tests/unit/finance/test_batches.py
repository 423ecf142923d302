"""An upload in batches: bounded, in order, nothing twice, whether the next one is read ahead or not."""

import pytest
from msgspec.structs import replace

from finance.sales.commands.bulk import BATCH_LINES_MAX, BATCH_RECEIPTS_MAX, Batches
from finance.sales.rules.files import Item, from_ndjson
from tests.support.finance_builders import a_line, a_receipt, ndjson

pytestmark = pytest.mark.unit


def items(*receipts):
    return list(from_ndjson([ndjson(receipts)]))


def numbers(batches):
    return [[item.number for item in batch] for batch in batches]


def test_batches_hold_every_item_once_and_in_order_however_often_one_reads_ahead():
    [one] = items(a_receipt("R"))
    many = [Item(line, None, None, one.refusal) for line in range(2 * BATCH_RECEIPTS_MAX + 1)]
    batches, found = Batches(iter(many)), []
    for batch in batches:
        batches.read_ahead()
        batches.read_ahead()
        found.append(batch)
    assert [len(batch) for batch in found] == [BATCH_RECEIPTS_MAX, BATCH_RECEIPTS_MAX, 1]
    assert [item for batch in found for item in batch] == many
    assert list(Batches(iter(many))) == found


def test_reading_ahead_reads_one_batch_and_no_more():
    read = []

    def source():
        for item in items(a_receipt("A"), a_receipt("A"), a_receipt("A"), a_receipt("B")):
            read.append(item)
            yield item

    batches = Batches(source())
    for _ in range(3):
        batches.read_ahead()
    assert len(read) == 2  # the second begins the next batch
    assert numbers(batches) == [["A"], ["A"], ["A", "B"]]


def test_a_batch_begins_no_receipt_beyond_its_lines():
    long = a_receipt("LONG", lines=[a_line() for _ in range(200)])
    [item] = items(long)
    batches = Batches(Item(line, str(line), receipt_of(item, line), None) for line in range(200))
    assert {len(batch) for batch in batches} == {BATCH_LINES_MAX // 200}


def receipt_of(item, line):
    return replace(item.receipt, receipt_number=f"R{line}")
