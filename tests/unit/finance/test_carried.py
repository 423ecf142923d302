"""What a receipt may carry, and that receipts of before are known again."""

import hashlib
import json
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.kernel.codes import GtinInvalid
from finance.kernel.receipt import Receipt
from finance.sales.rules.carried import PrescriptionReviewUnfit, SaleTraceCodesInvalid
from finance.sales.rules.files import from_csv, from_ndjson
from finance.sales.rules.pricing import price
from tests.support.disguises import REVIEW
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, ndjson

NOW = datetime(2026, 3, 20, tzinfo=UTC)
DAY = date(2026, 3, 3)
CODES = [f"8{number:019}" for number in range(3)]


def priced(**odd):
    return price(msgspec.convert(a_receipt("R-1", **odd), Receipt), now=NOW, begins_on=date(2010, 1, 1))


def test_a_gtin_is_kept_with_14_digits_and_an_instant_in_utc_however_they_are_spelled():
    short = priced(lines=[a_line(product={"gtin": "6901234567892"}, prescription=REVIEW)])
    long = priced(
        lines=[
            a_line(
                product={"gtin": "06901234567892"},
                prescription=REVIEW | {"reviewed_at": "2026-03-03T02:10:00Z"},
            )
        ]
    )
    [line] = short.receipt.lines
    assert line.product.gtin == "06901234567892"
    assert str(line.prescription.reviewed_at) == "2026-03-03 02:10:00+00:00"
    assert short.content_hash == long.content_hash


@pytest.mark.parametrize(
    ("line", "refusal", "path"),
    [
        ({"product": {"gtin": "6901234567893"}}, GtinInvalid, "lines.0.product.gtin"),
        ({"trace_codes": CODES}, SaleTraceCodesInvalid, "lines.0.trace_codes"),
        ({"trace_codes": CODES[:1] * 2}, SaleTraceCodesInvalid, "lines.0.trace_codes.1"),
        *(
            ({"prescription": REVIEW | {"reviewed_at": at}}, PrescriptionReviewUnfit, "lines.0.prescription.reviewed_at")
            for at in ("2026-03-03T02:15:01Z", "2025-03-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59")
        ),
    ],
)  # fmt: skip
def test_what_a_line_carries_wrongly_is_refused_with_its_place(line, refusal, path):
    with pytest.raises(refusal) as refused:
        priced(lines=[a_line(**line)])
    assert [each["path"] for each in refused.value.context["errors"]] == [path]


def test_a_trace_code_stands_on_one_line_of_a_receipt():
    with pytest.raises(SaleTraceCodesInvalid):
        priced(lines=[a_line(trace_codes=CODES[:1]), a_line(trace_codes=CODES[:1])])
    assert priced(lines=[a_line(trace_codes=CODES[:1]), a_line(trace_codes=CODES[1:])]).total_fen == 7800


@pytest.mark.parametrize("code", ["1" + "0" * 19, "8" * 19, "8" * 21, "8" * 19 + "x", ""])
def test_a_trace_code_has_20_digits_and_begins_with_8(code):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(a_receipt(lines=[a_line(trace_codes=[code])]), Receipt)


@pytest.mark.parametrize("cashier", ["王芳", "", " x", "x" * 129])
def test_a_cashier_is_an_id_and_no_name(cashier):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(a_receipt(cashier_id=cashier), Receipt)


# --- receipts of before ----------------------------------------------------------------------------------


@given(st.sampled_from([None, CUSTOMER]), st.sampled_from([{}, {"maker": 'M","gtin":null}'}]))
def test_a_receipt_that_carries_nothing_has_the_hash_that_it_had_before_receipts_carried_anything(
    customer, product
):
    done = priced(customer_id=customer, lines=[a_line(product=product)] * 2)
    said = json.loads(msgspec.json.encode(done.receipt))
    said.pop("cashier_id"), said.pop("shift_id")
    for line in said["lines"]:
        line.pop("trace_codes"), line.pop("prescription"), line["product"].pop("gtin")
        line["product"] = {"id": line["product"].pop("product_id"), **line["product"]}
    told = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    assert done.content_hash == hashlib.sha256(told).digest()


@pytest.mark.parametrize(
    "odd",
    [
        {"cashier_id": "c-1"},
        {"shift_id": "2026-03-03-A"},
        *({"lines": [a_line(**each)]} for each in (
            {"product": {"gtin": "6901234567892"}}, {"trace_codes": CODES[:1]}, {"prescription": REVIEW})),
    ],
)  # fmt: skip
def test_a_receipt_that_carries_something_else_is_another_receipt(odd):
    assert priced(**odd).content_hash != priced().content_hash


def test_rows_of_a_table_carry_what_json_carries():
    head = (
        "receipt_number,branch_id,channel,sold_at,cashier_id,shift_id,product_id,generic_name,category,temp_class,gtin,lot,expiry,"
        "quantity,unit_price_fen,discount_fen,tax_bp,cost_fen,trace_codes,prescription_number,prescription_reviewed_by,"
        "prescription_reviewed_at,tenders\n"
    )
    row = (
        "R-1,S001,store,2026-03-03T02:15:00Z,c-1,A,P-1,阿莫西林胶囊,otc,normal,6901234567892,L1,2099-12-31,2,1990,80,1300,2300,"
        f"{CODES[0]};{CODES[1]},RX-1,pharmacist-7,2026-03-03T10:10:00+08:00,wechat=3900\n"
    )
    line = a_line(product={"gtin": "6901234567892"}, trace_codes=CODES[:2], prescription=REVIEW)
    [of_table] = from_csv([(head + row).encode()])
    [of_json] = from_ndjson([ndjson([a_receipt("R-1", lines=[line], cashier_id="c-1", shift_id="A")])])
    assert of_table.receipt == of_json.receipt

    [bad] = from_csv([(head + row.replace("RX-1", "").replace(CODES[1], "7")).encode()])
    assert [(each.row, each.column) for each in bad.refusal.context["errors"]] == [
        (2, "trace_codes"),
        (2, "prescription_number"),
    ]
