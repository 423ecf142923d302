"""Thousands of receipts in one upload: the same books as one by one, safe to repeat, one bad one alone."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from finance.sales.commands import bulk
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money, ndjson


def facts(office, number):
    """All that was written about a receipt, without the ids that were made for it."""
    [(sale_id, booked_on)] = office.rows(
        "select sale_id::text, booked_on::text from receipts where receipt_number = :number", number=number
    )
    key = {"id": sale_id}
    [(event,)] = office.rows("select data from outbox where subject = :id", **key)
    for line in event["lines"]:
        del line["line_id"]
    del event["sale_id"], event["receipt_number"]
    columns = "product_id, generic_name, category, temp_class, dosage_form, specification, mah, maker, approval_number, lot, expiry, quantity, unit_price_fen, discount_fen, net_fen, tax_bp, tax_fen, cost_fen"  # fmt: skip
    return {
        "booked_on": booked_on,
        "event": event,
        "outbox": office.rows("select type, aggregate, version, day, amount_fen from outbox where subject = :id", **key),
        "sale": office.rows("select business_date, branch_id, customer_id, channel, sold_at, net_fen, tax_fen, total_fen, cost_fen, posted_by from sales where sale_id = cast(:id as uuid)", **key),
        "lines": office.rows(f"select no, {columns} from sale_lines where sale_id = cast(:id as uuid) order by no", **key),
        "tenders": office.rows("select tender, fen from tenders where sale_id = cast(:id as uuid) order by tender", **key),
        "entry": office.rows("select booked_on, stream, branch_id, kind, total_fen, reference from journal_entries where source_id = cast(:id as uuid)", **key),
        "journal": office.rows("select l.no, l.account, l.customer_id, l.debit_fen, l.credit_fen from journal_lines l join journal_entries e on e.id = l.entry_id where e.source_id = cast(:id as uuid) order by l.no", **key),
    }  # fmt: skip


@pytest.mark.requirement("F1", "F24")
def test_an_uploaded_receipt_leaves_the_same_rows_as_a_single_one(office):
    office.hear(office.permit())
    odd = {
        "customer_id": CUSTOMER,
        "lines": [
            a_line(product={"generic_name": "a\\b \\N é 阿", "specification": "0.25 g\\", "maker": "\\."}),
            a_line(tax_bp=0, cost=money(0), lot='"L,1"'),
        ],
        "tenders": [
            {"tender": "credit", "amount": money(7000)},
            {"tender": "alipay", "amount": money(800)},
        ],
    }
    office.post("/v1/sales", a_receipt("ONE", **odd))
    [result] = office.results(ndjson([a_receipt("MANY", **odd)]))
    assert result["state"] == "posted"
    assert facts(office, "ONE") == facts(office, "MANY")


def test_every_receipt_gets_its_own_result_in_order_and_a_bad_one_hurts_nobody(office):
    good = [a_receipt(f"G-{index}") for index in range(4)]
    results = office.results(
        ndjson(
            [
                good[0],
                "{broken",
                good[1],
                a_receipt("BAD-1", lines=[a_line(quantity=-1)], tenders=[]),
                good[1],
                a_receipt("G-1", channel="phone"),
                a_receipt("BAD-2", branch_id="S009"),
                a_receipt("BAD-3", lines=[a_line(expiry="2020-01-01")]),
                "",
                good[2],
                a_receipt("BAD-4", customer_id=CUSTOMER[:-1] + "7", tenders=[{"tender": "credit", "amount": money(3900)}]),
                good[3],
            ]
        ),
        branches=["S001"],
    )  # fmt: skip
    assert [(each["line"], each["receipt_number"], each["state"], each.get("code")) for each in results] == [
        (1, "G-0", "posted", None),
        (2, None, "refused", "json_malformed"),
        (3, "G-1", "posted", None),
        (4, "BAD-1", "refused", "payload_invalid"),
        (5, "G-1", "duplicate", None),
        (6, "G-1", "refused", "receipt_number_reused"),
        (7, "BAD-2", "refused", "foreign_branch"),
        (8, "BAD-3", "refused", "lot_expired"),
        (10, "G-2", "posted", None),
        (11, "BAD-4", "refused", "customer_unknown"),
        (12, "G-3", "posted", None),
    ]
    assert results[3]["errors"] == [
        {
            "path": "lines.0.quantity",
            "code": "out_of_range",
            "message": "must be from 1 to 1000000",
            "value": "-1",
        }
    ]
    assert results[4]["sale_id"] == results[2]["sale_id"]


def test_an_upload_sent_again_changes_nothing(office):
    receipts = [a_receipt(f"TWICE-{index}") for index in range(2_500)]
    count = "select (select count(*) from sales), (select count(*) from journal_lines), (select count(*) from outbox)"
    first = office.results(ndjson(receipts))
    before = office.rows(count)
    again = office.results(ndjson(receipts))
    assert {each["state"] for each in first} == {"posted"}
    assert {each["state"] for each in again} == {"duplicate"}
    assert [each["sale_id"] for each in first] == [each["sale_id"] for each in again]
    assert office.rows(count) == before


def test_every_row_of_an_upload_of_several_batches_is_of_its_own_receipt(office):
    count = bulk.BATCH_RECEIPTS_MAX + 130
    receipts = [
        a_receipt(
            f"N-{number}", lines=[a_line(cost=money(number)), a_line(lot="L2", unit_price=money(number + 90))]
        )
        for number in range(count)
    ]
    results = office.results(ndjson(receipts))
    assert [result["receipt_number"] for result in results] == [each["receipt_number"] for each in receipts]
    assert {result["state"] for result in results} == {"posted"}
    # the cost of the first line is the receipt's number: every table agrees with it
    agreeing = """
        select count(*), count(distinct e.id) from receipts r
        join sales s using (sale_id, booked_on)
        join outbox o on o.subject = s.sale_id::text and o.data->>'receipt_number' = r.receipt_number
        join journal_entries e on e.source_id = s.sale_id and e.total_fen = s.total_fen + s.cost_fen
        where s.receipt_number = r.receipt_number and r.receipt_number = 'N-' || (s.cost_fen - 2300)
        and s.cost_fen = (select sum(l.cost_fen) from sale_lines l where l.sale_id = s.sale_id)
        and s.total_fen = (select sum(l.net_fen + l.tax_fen) from sale_lines l where l.sale_id = s.sale_id)
        and s.total_fen = (select sum(t.fen) from tenders t where t.sale_id = s.sale_id)
        and e.total_fen = (select sum(j.debit_fen) from journal_lines j where j.entry_id = e.id)
        and e.total_fen = (select sum(j.credit_fen) from journal_lines j where j.entry_id = e.id)
        and s.total_fen = (o.data->>'total_fen')::bigint and s.total_fen = o.amount_fen"""
    assert office.rows(agreeing) == [(count, count)]


def test_two_uploads_of_the_same_receipts_at_once_post_each_once(office):
    receipts = [a_receipt(f"RACE-{index}", sold_at="2025-02-03T02:00:00Z") for index in range(1_500)]
    orders = [receipts, receipts[::-1]]
    with ThreadPoolExecutor(2) as senders:
        both = list(senders.map(lambda order: office.results(ndjson(order)), orders))
    statuses = sorted(each["state"] for results in both for each in results)
    assert statuses == ["duplicate"] * 1_500 + ["posted"] * 1_500
    assert office.value("select count(*) from sales where receipt_number like 'RACE-%'") == 1_500


def test_rows_of_a_csv_file_become_receipts(office):
    head = "receipt_number,branch_id,channel,sold_at,product_id,generic_name,category,temp_class,lot,expiry,quantity,unit_price_fen,discount_fen,tax_bp,cost_fen,tenders"  # fmt: skip
    row = (
        "{},S001,store,2026-03-03T02:15:00Z,P-1,阿莫西林胶囊,otc,normal,L1,2099-12-31,2,1990,80,1300,2300,{}"
    )
    text = "\n".join(
        [head, row.format("C-1", "wechat=7800"), row.format("C-1", ""), row.format("C-2", "cash=1")]
    )
    results = office.results(text.encode(), kind="text/csv")
    assert [(each["line"], each["state"], each.get("code")) for each in results] == [
        (2, "posted", None),
        (4, "refused", "tenders_differ"),
    ]
    office.sell(receipt_number="C-3", lines=[a_line(), a_line()])
    assert facts(office, "C-1") == facts(office, "C-3")


@pytest.mark.requirement("F24")
@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(("kind", "charset", "codec"), [
    ("text/csv", "GB18030", "gb18030"), ("text/csv", None, "utf-8-sig"), ("text/csv", "UTF-8", "utf-8"), ("text/csv", "GB18030", "gb18030+mark"),
    ("application/x-ndjson", "GB18030", "gb18030"), ("application/x-ndjson", None, "utf-8-sig"), ("application/x-ndjson", None, "utf-8"),
])  # fmt: skip
def test_a_drug_keeps_its_name_in_every_encoding_of_a_file(office, kind, charset, codec, is_packed):
    number = f"E-{uuid4().hex[:12]}"
    text = json.dumps(a_receipt(number), ensure_ascii=False) + "\n"
    if kind == "text/csv":
        text = (
            "receipt_number,branch_id,channel,sold_at,product_id,generic_name,category,temp_class,lot,expiry,quantity,unit_price_fen,discount_fen,tax_bp,cost_fen,tenders\r\n"
            f"{number},S001,store,2026-03-03T02:15:00Z,P-1,阿莫西林胶囊,otc,normal,L1,2099-12-31,2,1990,80,1300,2300,wechat=3900\r\n"
        )
    codec, _, mark = codec.partition("+")
    body = (("\ufeff" if mark else "") + text).encode(codec)
    headers = office.headers("till")
    if is_packed:
        body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
    declared = f"{kind}; charset={charset}" if charset else kind
    answer = office.app.test_client().post(
        "/v1/sales/bulk", data=body, content_type=declared, headers=headers
    )
    assert answer.status_code == 200, answer.data
    [result] = [json.loads(line) for line in answer.data.splitlines()]
    assert (result["receipt_number"], result["state"]) == (number, "posted"), result
    [found] = office.get(f"/v1/sales?branch_id=S001&receipt_number={number}").json["items"]
    sale = office.get(f"/v1/sales/{found['sale_id']}").json
    assert [each["generic_name"] for each in sale["lines"]] == ["阿莫西林胶囊"]


@pytest.mark.requirement("F24")
@pytest.mark.parametrize(
    ("column", "first", "second", "fits"),
    [
        ("channel", "store", "online", False),
        ("sold_at", "2026-03-03T02:15:00Z", "2026-02-03T02:15:00Z", False),
        ("late", "false", "true", False),
        ("customer_id", CUSTOMER, CUSTOMER.replace("1", "2"), False),
        ("tenders", "wechat=200", "cash=200", False),
        ("customer_id", CUSTOMER, "", True),
        ("customer_id", "", CUSTOMER, True),
    ],
)
def test_rows_of_one_receipt_do_not_contradict_each_other(office, column, first, second, fits):
    """Who bought it, where and when is what all rows say, not what the first happens to."""
    number = f"C-{uuid4().hex}"
    head = "receipt_number,branch_id,customer_id,channel,sold_at,late,product_id,generic_name,category,temp_class,lot,expiry,quantity,unit_price_fen,tax_bp,cost_fen,tenders"  # fmt: skip
    says = f"{number},S001,,store,2026-03-03T02:15:00Z,,P-1,纱布,otc,normal,L1,2099-12-31,1,100,1300,50,wechat=200"
    row = dict(zip(head.split(","), says.split(","), strict=True))
    rows = [row | {column: first}, row | {column: second}]
    text = "\n".join([head, *(",".join(each.values()) for each in rows)])
    [told] = office.results(text.encode(), kind="text/csv")
    if fits:
        assert told["state"] == "posted", told
        [sold] = office.get(f"/v1/sales?branch_id=S001&receipt_number={number}").json["items"]
        assert sold["customer_id"] == CUSTOMER
        return
    assert told["code"] == "payload_invalid"
    assert [(each["row"], each["column"], each["code"]) for each in told["errors"]] == [
        (2, column, "rows_differ")
    ]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "application/json", 415, "media_type_not_supported"),
        (b"a,b\n1,2", "text/csv", 422, "csv_header_invalid"),
        (b'"', "text/csv", 422, "csv_header_invalid"),
    ],
)
def test_an_upload_that_cannot_be_read_is_refused_whole(office, body, kind, status, code):
    answer = office.upload(body, kind=kind)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_an_empty_upload_is_refused(office):
    for kind in ("application/x-ndjson", "text/csv"):
        for body in (b"", b"\xef\xbb\xbf", b" \r\n"):
            answer = office.upload(body, kind=kind)
            assert (answer.status_code, answer.json["code"]) == (400, "body_empty")


def test_an_upload_above_the_limit_is_refused_and_frees_its_place(office):
    settings = office.app.extensions["settings"]
    object.__setattr__(settings, "bulk_body_bytes_max", 2_000)
    try:
        answers = [office.upload(b"x" * 3_000) for _ in range(3)]
    finally:
        object.__setattr__(settings, "bulk_body_bytes_max", 268_435_456)
    assert {answer.status_code for answer in answers} == {413}
    assert all(json.loads(answer.data)["code"] == "too_large" for answer in answers)
