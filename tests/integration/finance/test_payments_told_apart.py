"""Payments of a receipt are told apart by what their channels call them: once each, several of one kind, matched by it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.clock import utc_now
from tests.support.banking import Bank, sold
from tests.support.finance_builders import a_receipt, money, ndjson


def paid(number, *parts, **odd):
    """A receipt over 39.00 paid by these parts: tender, fen, the channel's id."""
    tenders = [
        {"tender": tender, "amount": money(fen), **({"channel_transaction_id": name} if name else {})}
        for tender, fen, name in parts
    ]
    return a_receipt(number, tenders=tenders, **odd)


@pytest.mark.requirement("F1", "F15")
@pytest.mark.parametrize("way", ["one", "bulk"])
def test_several_payments_of_one_kind_are_kept_told_shown_and_counted(office, way):
    day = "2026-03-05" if way == "one" else "2026-03-06"
    parts = [
        ("card", 1000, f"C-{way}-1"),
        ("card", 900, f"C-{way}-2"),
        ("medical_insurance_pooled", 1500, f"M-{way}"),
        ("medical_insurance_personal", 500, None),
    ]
    receipt = paid(f"PTA-{way}", *parts, sold_at=f"{day}T02:15:00Z")
    if way == "one":
        sale_id = office.post("/v1/sales", receipt).json["sale_id"]
    else:
        [posted] = office.results(ndjson([receipt]))
        sale_id = posted["sale_id"]
    shown = office.get(f"/v1/sales/{sale_id}").json["tenders"]
    assert sorted(
        (each["tender"], each["amount"]["fen"], each["channel_transaction_id"]) for each in shown
    ) == (sorted(parts, key=lambda each: each[:2]))
    [event] = office.rows("select data from outbox where subject = :id", id=sale_id)[0]
    assert [
        (each["tender"], each["fen"], each.get("channel_transaction_id")) for each in event["tenders"]
    ] == parts
    accounts = dict(
        office.rows(
            "select l.account, sum(l.debit_fen)::bigint from journal_entries e join journal_lines l on l.entry_id = e.id"
            " where e.source_id = cast(:id as uuid) and l.account like '1012%' group by l.account",
            id=sale_id,
        )
    )
    assert accounts == {"1012.03": 1900, "1012.06": 1500, "1012.07": 500}
    totals = office.get(f"/v1/sales-totals?branch_id=S001&from={day}&until={day}").json["items"]
    assert [(each["tender"], each["receipts"], each["amount"]["fen"]) for each in totals] == [
        ("card", 1, 1900),
        ("medical_insurance_personal", 1, 500),
        ("medical_insurance_pooled", 1, 1500),
    ]


def test_an_id_pays_one_receipt_of_a_branch_and_the_refusal_names_the_first(office):
    assert office.post("/v1/sales", paid("PTA-1", ("wechat", 3900, "W-1"))).status_code == 201
    again = office.post("/v1/sales", paid("PTA-1", ("wechat", 3900, "W-1")))
    assert again.status_code == 200
    other = office.post("/v1/sales", paid("PTA-2", ("wechat", 1900, "W-1"), ("wechat", 2000, "W-2")))
    assert (other.status_code, other.json["code"], other.json["receipt_number"]) == (
        409,
        "channel_transaction_reused",
        "PTA-1",
    )
    assert office.post("/v1/sales", paid("PTA-2", ("wechat", 3900, "W-2"))).status_code == 201
    for odd in (
        {"parts": [("alipay", 3900, "W-1")]},
        {"branch_id": "S002", "parts": [("wechat", 3900, "W-1")]},
    ):
        parts = odd.pop("parts")
        assert office.post("/v1/sales", paid(None, *parts, **odd)).status_code == 201


def test_an_upload_refuses_an_id_that_paid_before_in_it_or_outside_it(office):
    assert office.post("/v1/sales", paid("PTA-10", ("card", 3900, "B-1"))).status_code == 201
    lines = [
        paid("PTA-11", ("card", 3900, "B-1")),
        paid("PTA-12", ("card", 3900, "B-2")),
        paid("PTA-13", ("card", 3900, "B-2")),
        paid("PTA-14", ("card", 3900, "B-3")),
    ]
    told = [
        (each["state"], each.get("receipt_number"), each.get("code"))
        for each in office.results(ndjson(lines))
    ]
    assert [each[0] for each in told] == ["refused", "posted", "refused", "posted"]
    assert told[0][2] == told[2][2] == "channel_transaction_reused"


def test_of_many_receipts_at_once_one_is_paid_by_an_id(office):
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda n: office.post("/v1/sales", paid(f"PTA-2{n}", ("card", 3900, "R-1"))), range(6))
        )
    assert sorted(each.status_code for each in answers) == [201] + [409] * 5


@pytest.mark.requirement("F22")
def test_a_refund_goes_back_to_each_kind_in_the_sum_of_its_payments(office):
    parts = ("card", 1000, "F-1"), ("card", 900, "F-2"), ("cash", 2000, None)
    sale = office.post("/v1/sales", paid("PTA-30", *parts, sold_at=utc_now().isoformat())).json
    answer = office.post(f"/v1/sales/{sale['sale_id']}/void", {"reason": "r"}, role="store_manager")
    assert answer.status_code == 200, answer.text
    refund = answer.json
    assert sorted((each["tender"], each["amount"]["fen"]) for each in refund["parts"]) == [
        ("card", 1900),
        ("cash", 2000),
    ]


@pytest.mark.requirement("F3", "F16")
def test_one_amount_twice_on_one_day_is_matched_by_the_channels_id(office):
    bank = Bank(office)
    for name, branch in (("4200001", "S007"), ("4200002", "S007"), ("4200003", "S008")):
        sold(office, 10_000, "2026-03-09", branch=branch, channel_transaction_id=name)
    bank.load(
        [
            ("2026-03-10", "99.40", "", "结算 4200003", "财付通支付"),
            ("2026-03-10", "99.40", "", "结算 4200002", "财付通支付"),
            ("2026-03-11", "99.50", "", "结算 4200002", "财付通支付"),
        ]
    )
    first, second, third = sorted(
        bank.lines("bank-match-proposals"), key=lambda line: (line["amount"]["fen"], line["summary"][::-1])
    )
    for line, name, branch in ((first, "4200002", "S007"), (second, "4200003", "S008")):
        [best, *_] = line["proposals"]
        assert (best["rule"], best["fee"]) == ("channel", money(60))
        assert [(each["branch_id"], each["channel_transaction_id"]) for each in best["batches"]] == [
            (branch, name)
        ]
        assert bank.accept(line).status_code == 201
    settled = office.rows("select branch_id, channel_transaction_id, fen from bank_settled order by 1")
    assert settled == [("S007", "4200002", 10_000), ("S008", "4200003", 10_000)]
    [again] = bank.lines("bank-match-proposals")
    assert [each["rule"] for each in again["proposals"]] == ["settlement"]
    batch = {"branch_id": "S007", "day": "2026-03-09", "channel_transaction_id": "4200002"}
    answer = bank.confirm(third, "settlement", clearing="wechat", batches=[batch])
    assert (answer.status_code, answer.json["code"]) == (409, "bank_item_not_open")
    assert bank.accept(again).status_code == 201
    assert (bank.balance("1012.01", "S007"), bank.balance("1012.01", "S008")) == (0, 0)
