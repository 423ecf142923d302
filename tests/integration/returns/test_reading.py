"""What people look up: pages of notices, the original order, the rules beforehand."""

import pytest


def test_pages_follow_one_another_without_gap_or_repeat(counter):
    sale = counter.sell(branch_id="S010")
    made = [
        counter.post("", body_of(sale), role="till", branches=("S010",)).json["return_id"] for _ in range(5)
    ]
    seen, cursor = [], None
    while True:
        query = {"limit": 2, "branch_id": "S010"} | ({"cursor": cursor} if cursor else {})
        page = counter.get("", branches=("S010",), **query).json
        seen += [item["return_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def body_of(sale):
    return {
        "branch_id": sale["branch_id"],
        "kind": "b2b",
        "sale_id": sale["sale_id"],
        "reason": "recall",
        "package": {"unopened": True, "intact": True},
        "lines": [{"sale_line_id": sale["lines"][0]["line_id"], "lot": "L1", "quantity": 1}],
    }


def test_lists_are_filtered(counter):
    sale = counter.sell()
    kept = counter.request(sale).json
    counter.request(sale, [99])
    for query in (
        {"sale_id": sale["sale_id"], "state": "requested"},
        {"number": kept["number"]},
        {"sale_id": sale["sale_id"], "reason": "slow_moving", "state": "requested"},
    ):
        assert [item["return_id"] for item in counter.get("", **query).json["items"]] == [kept["return_id"]]
    assert counter.get("", state="lost").status_code == 422


@pytest.mark.requirement("R3")
def test_the_original_order_shows_what_may_still_come_back(counter):
    sale = counter.sell()
    counter.request(sale, [4])
    [line] = counter.ask("sold-lines", branch_id="S001", receipt_number=sale["receipt_number"]).json["items"]
    assert (line["quantity"], line["returnable"], line["net"]) == (10, 6, {"fen": 1000, "currency": "CNY"})


@pytest.mark.requirement("R14", "R25")
def test_eligibility_can_be_asked_beforehand(counter):
    told = counter.ask("return-eligibilities", kind="retail", reason="slow_moving").json
    assert (told["eligible"], told["faults"]) == (False, ["reason_not_accepted"])
    assert (
        counter.ask("return-eligibilities", kind="b2b", reason="recall", in_date="false").json["eligible"]
        is True
    )


@pytest.mark.requirement("R10")
def test_the_sampling_plan_can_be_asked_beforehand(counter):
    assert counter.ask("sampling-plans", cases=51).json == {"cases": 8, "packs_per_case": 6}
    assert counter.ask("sampling-plans", cases=51, is_intact="false").json["packs_per_case"] is None


def test_the_tree_of_reasons_is_told(counter):
    codes = [item["code"] for item in counter.ask("return-reasons").json["items"]]
    assert codes[0] == "quality_defect"
    assert len(codes) == 11
