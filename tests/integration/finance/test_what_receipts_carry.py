"""A receipt tells who sold which pack on which prescription; it is kept, told, shown and found, one by one and in bulk."""

import json

import pytest

from shared.clock import business_date, utc_now
from tests.support.disguises import REVIEW
from tests.support.finance_builders import a_line, a_receipt, ndjson

NOW = utc_now()
TODAY = str(business_date(NOW))


def code(number):
    return f"8{number:019}"


def carrying(number, *codes, **odd):
    line = a_line(
        product={"gtin": "6901234567892"}, trace_codes=[code(each) for each in codes], prescription=REVIEW
    )
    return a_receipt(number, **{"cashier_id": "cashier-3", "shift_id": "S001-early", "lines": [line, a_line()]} | odd)  # fmt: skip


@pytest.mark.requirement("X11")
@pytest.mark.parametrize("way", ["one", "bulk"])
def test_what_a_receipt_carries_is_kept_told_and_shown(office, way):
    first = 10 if way == "one" else 20
    receipt = carrying(f"WRC-{way}", first, first + 1)
    if way == "one":
        sale_id = office.post("/v1/sales", receipt).json["sale_id"]
        assert office.post("/v1/sales", receipt).status_code == 200
    else:
        [posted] = office.results(ndjson([receipt]))
        sale_id = posted["sale_id"]
    sale = office.get(f"/v1/sales/{sale_id}").json
    assert (sale["cashier_id"], sale["shift_id"]) == ("cashier-3", "S001-early")
    line, plain = sale["lines"]
    names = (
        "gtin",
        "trace_codes",
        "prescription_number",
        "prescription_reviewed_by",
        "prescription_reviewed_at",
    )
    assert [line[name] for name in names] == [
        "06901234567892", [code(first), code(first + 1)], "RX-1", "pharmacist-7", "2026-03-03T02:10:00+00:00"
    ]  # fmt: skip
    assert [plain[name] for name in names] == [None] * 5
    [event] = office.rows("select data from outbox where subject = :id", id=sale_id)[0]
    assert (event["cashier_id"], event["shift_id"]) == ("cashier-3", "S001-early")
    told, of_plain = event["lines"]
    assert told["prescription"] == {"reviewed_by": "pharmacist-7", "reviewed_at": "2026-03-03T02:10:00+00:00"}
    assert (told["gtin"], told["trace_codes"]) == ("06901234567892", line["trace_codes"])
    assert not {"gtin", "trace_codes", "prescription"} & set(of_plain)
    assert "RX-1" not in json.dumps(event)
    found = office.get(f"/v1/sale-lines?trace_code={code(first + 1)}").json["items"]
    assert [each["line_id"] for each in found] == [line["line_id"]]


def test_a_wrong_code_is_refused_with_its_place(office):
    answer = office.post("/v1/sales", carrying("WRC-bad", 30, 30))
    assert (answer.status_code, answer.json["code"]) == (422, "sale_trace_codes_invalid")
    assert [each["path"] for each in answer.json["errors"]] == ["lines.0.trace_codes.1"]


def test_a_pack_sold_twice_is_listed_until_one_of_its_sales_comes_back(office):
    def sell(number, branch="S001", **odd):
        receipt = carrying(number, 40, branch_id=branch, sold_at=NOW.isoformat(), **odd)
        answer = office.post("/v1/sales", receipt, branches=("*",))
        assert answer.status_code == 201, answer.text
        return answer.json["sale_id"]

    def listed(role="qa", branch=""):
        path = f"/v1/repeated-trace-codes?from={TODAY}&until={TODAY}{branch}"
        answer = office.get(path, role=role)
        assert answer.status_code == 200, answer.text
        return [
            (each["receipt_number"], each["before_receipt_number"], each["trace_code"])
            for each in answer.json["items"]
        ]

    def void(sale_id):
        answer = office.post(
            f"/v1/sales/{sale_id}/void", {"reason": "r"}, role="store_manager", branches=("*",)
        )
        assert answer.status_code == 200, answer.text

    first = sell("WRC-1")
    assert listed() == []
    second = sell("WRC-2", "S002")
    assert listed() == [("WRC-2", "WRC-1", code(40))]
    assert listed(branch="&branch_id=S001") == []
    void(second)
    assert listed() == []
    void(first)
    sell("WRC-3")
    assert listed() == []


def test_a_list_of_packs_sold_twice_is_of_few_days(office):
    for first, until in (("2026-01-01", "2026-02-01"), ("2026-02-02", "2026-02-01")):
        assert (
            office.get(f"/v1/repeated-trace-codes?from={first}&until={until}", role="qa").status_code == 422
        )
