"""What people do with a refund that is owed: approve, hold, pay, fail, in the right order and by the right persons."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.clock import business_date, utc_now
from tests.support import refunding
from tests.support.finance_builders import Office, a_line, money
from tests.support.roles import behind

TODAY = business_date(utc_now())
HALF = (0, 1, "restock", 1725, 225, 1150)
REST = (0, 1, "destroy", 1726, 224, 1150)
LINE = a_line(expiry="2099-12-31")
CH = "CH-1"


@pytest.fixture(scope="module", autouse=True)
def safe(office):
    body = {"branch_id": "S001", "kind": "bank_withdrawal", "amount": money(1_000_000)}
    assert office.post("/v1/safe-movements", body, role="cashier").status_code == 201


def owed(office, *tenders, taken=HALF, settled_on=TODAY):
    """The refund of half a sale paid in these tenders, verified."""
    names = tenders or ("wechat",)
    parts = [3900 // len(names)] * len(names)
    parts[0] += 3900 - sum(parts)
    sale = office.sell(
        sold_at=utc_now().isoformat(),
        lines=[LINE],
        tenders=[{"tender": name, "amount": money(fen)} for name, fen in zip(names, parts, strict=True)],
    )
    [refund_id] = refunding.told(office, office.settled(sale, [taken], settled_on=str(settled_on)))
    return refund_id


def code(answer):
    return answer.status_code, answer.json.get("code")


def step(office, refund_id, name, body=None, *, role="finance_auditor", **identity):
    given = {"decision": "approved"} if name == "decisions" else {}
    return office.post(f"/v1/refunds/{refund_id}/{name}", given | (body or {}), role=role, **identity)


def wechat(reference=None):
    return [{"tender": "wechat", "reference": reference or f"CH-{uuid4().hex}"}]


@pytest.mark.requirement("F22")
def test_nobody_pays_what_nobody_approved(office):
    refund_id = owed(office)
    assert code(refunding.pay(office, refund_id, wechat())) == (409, "refund_step_not_awaited")
    refunding.approve(office, refund_id)
    assert code(step(office, refund_id, "decisions")) == (409, "refund_step_not_awaited")
    assert refunding.pay(office, refund_id, wechat()).json["state"] == "paid"
    assert code(refunding.pay(office, refund_id, wechat())) == (409, "refund_step_not_awaited")
    assert code(step(office, refund_id, "hold", {"reason": "late"})) == (409, "refund_step_not_awaited")


@pytest.mark.requirement("F22", "X1")
def test_who_approved_a_refund_does_not_pay_it(office):
    refund_id = owed(office)
    assert step(office, refund_id, "decisions", role="accountant", person="ann").status_code == 200
    for role in ("accountant", "finance_head"):
        again = refunding.pay(office, refund_id, wechat(), role=role, person="ann")
        assert code(again) == (403, "approval_same_person")
    assert refunding.pay(office, refund_id, wechat(), person="bob").status_code == 200


@pytest.mark.requirement("F22")
def test_each_part_is_paid_by_its_post_and_with_its_reference(office):
    refund_id = owed(office, "wechat", "cash", "card")
    refunding.approve(office, refund_id)
    for parts, role, status in [
        ([{"tender": "cash"}], "accountant", (403, "approval_role_not_awaited")),
        (wechat(), "cashier", (403, "approval_role_not_awaited")),
        ([{"tender": "wechat"}], "accountant", (422, "refund_reference_unfit")),
        ([{"tender": "cash", "reference": CH}], "cashier", (422, "refund_reference_unfit")),
        ([{"tender": "alipay", "reference": CH}], "accountant", (422, "refund_part_unknown")),
    ]:
        assert code(refunding.pay(office, refund_id, parts, role=role)) == status
    paid = refunding.pay(office, refund_id, role="cashier").json
    assert (paid["state"], paid["unpaid"]) == ("paying", money(1300))
    assert code(refunding.pay(office, refund_id, [{"tender": "cash"}], role="cashier")) == (
        409,
        "refund_part_paid",
    )
    assert refunding.pay(office, refund_id).json["state"] == "paid"
    assert office.get("/v1/refund-liabilities").json["agrees"]


@pytest.mark.requirement("F22")
def test_a_channels_reference_stands_on_one_refund_alone(office):
    first, second = owed(office), owed(office)
    refunding.approve(office, first, second)
    assert refunding.pay(office, first, wechat("WX-77")).status_code == 200
    assert code(refunding.pay(office, second, wechat("WX-77"))) == (409, "refund_reference_used")
    assert refunding.refund(office, second)["state"] == "approved"


@pytest.mark.requirement("F22")
def test_a_payment_is_dated_from_the_debt_until_today_and_cash_today(office):
    refund_id = owed(office, "wechat", "cash", settled_on=TODAY - timedelta(days=1))
    refunding.approve(office, refund_id)
    for day, parts, role in [
        (TODAY - timedelta(days=2), wechat(), "accountant"),
        (TODAY + timedelta(days=1), wechat(), "accountant"),
        (TODAY - timedelta(days=1), [{"tender": "cash"}], "cashier"),
    ]:
        answer = refunding.pay(office, refund_id, parts, role=role, paid_on=day)
        assert code(answer) == (422, "refund_day_unfit")
    paid = refunding.pay(office, refund_id, wechat(), paid_on=TODAY - timedelta(days=1)).json
    assert [part["paid_on"] for part in paid["parts"]] == [None, str(TODAY - timedelta(days=1))]


@pytest.mark.requirement("F22")
def test_a_refund_is_paid_on_the_day_of_its_last_part_in_whichever_order_they_are_told(office):
    refund_id = owed(office, "wechat", "cash", settled_on=TODAY - timedelta(days=1))
    refunding.approve(office, refund_id)
    assert refunding.pay(office, refund_id, role="cashier").status_code == 200
    paid = refunding.pay(office, refund_id, wechat(), paid_on=TODAY - timedelta(days=1)).json
    assert (paid["state"], paid["paid_on"]) == ("paid", str(TODAY))
    yesterday = office.get(f"/v1/refund-liabilities?as_of={TODAY - timedelta(days=1)}").json
    assert yesterday["agrees"]


@pytest.mark.requirement("F22")
def test_a_held_refund_stays_owed_and_is_approved_anew_after_its_release(office):
    refund_id = owed(office)
    refunding.approve(office, refund_id)
    held = step(office, refund_id, "hold", {"reason": "the same face twice"})
    assert (held.json["state"], held.json["held_reason"]) == ("held", "the same face twice")
    assert code(refunding.pay(office, refund_id, wechat())) == (409, "refund_step_not_awaited")
    states = {each["state"]: each for each in office.get("/v1/refund-liabilities").json["states"]}
    assert states["held"]["unpaid"]["fen"] == 1950
    assert code(step(office, refund_id, "release", role="accountant"))[0] == 403
    released = step(office, refund_id, "release", role="finance_head")
    assert (released.json["state"], released.json["held_reason"]) == ("verified", None)
    refunding.pay_all(office, refund_id)
    steps = [each["step"] for each in refunding.refund(office, refund_id)["steps"]]
    assert steps == ["verified", "approved", "held", "released", "approved", "paid"]


@pytest.mark.requirement("F22")
def test_what_a_channel_refused_is_approved_again_and_may_go_by_bank(office):
    refund_id = owed(office, "wechat", "alipay")
    refunding.approve(office, refund_id)
    refused = {"tender": "wechat", "reason": "account_closed"}
    for body, role, wanted in [
        ({"tender": "wechat", "reason": "bad_mood"}, "accountant", "refund_failure_reason_unknown"),
        ({"tender": "card", "reason": "account_closed"}, "accountant", "refund_part_unknown"),
        (refused, "cashier", "approval_role_not_awaited"),
    ]:
        assert code(step(office, refund_id, "fail", body, role=role))[1] == wanted
    failed = step(office, refund_id, "fail", refused, role="accountant")
    assert failed.json["state"] == "failed"
    [(event, amount)] = office.rows(
        "select data, amount_fen from outbox where type = 'finance.refund.failed.v1' and subject = :id",
        id=refund_id,
    )
    assert (event["tender"], event["reason"], amount) == ("wechat", "account_closed", 975)
    assert code(refunding.pay(office, refund_id)) == (409, "refund_step_not_awaited")
    by_alipay = step(office, refund_id, "decisions", {"by_bank": ["alipay"]})
    assert code(by_alipay) == (422, "refund_bank_unfit")
    tried = step(office, refund_id, "decisions", role="accountant")
    assert code(tried) == (403, "approval_same_person")  # who tried to pay does not approve
    approved = step(office, refund_id, "decisions", {"by_bank": ["wechat"]})
    assert {part["tender"]: part["means"] for part in approved.json["parts"]} == {
        "alipay": "alipay",
        "wechat": "bank",
    }
    assert refunding.pay(office, refund_id).json["state"] == "paid"
    lines = office.rows(
        "select l.account, l.credit_fen from refund_payments p join journal_entries e on e.source_id = p.payment_id"
        " join journal_lines l on l.entry_id = e.id where p.refund_id = cast(:id as uuid) and l.credit_fen > 0",
        id=refund_id,
    )
    assert sorted(lines) == [("1002", 975), ("1012.02", 975)]


@pytest.mark.requirement("F22")
def test_what_is_paid_cannot_fail_and_what_changed_since_its_approval_is_not_paid(office):
    refund_id = owed(office, "wechat", "alipay")
    refunding.approve(office, refund_id)
    assert refunding.pay(office, refund_id, wechat()).json["state"] == "paying"
    late = step(
        office, refund_id, "fail", {"tender": "wechat", "reason": "account_closed"}, role="accountant"
    )
    assert code(late) == (409, "refund_part_paid")
    with office.database.begin() as conn:
        conn.exec_driver_sql("update refund_tenders set means = 'bank' where refund_id = %s", (refund_id,))
    assert code(refunding.pay(office, refund_id)) == (409, "refund_changed_since_approval")


@pytest.mark.requirement("F22")
def test_lists_are_approved_and_paid_at_once_and_say_what_was_refused(office):
    refunds = [owed(office, tender) for tender in ("wechat", "card", "cash")]
    refunding.approve(office, refunds[0])
    answer = office.post(
        "/v1/refunds/decisions/bulk", {"decision": "approved", "refund_ids": refunds}, role="finance_head"
    )
    codes = {each["refund_id"]: each["code"] for each in answer.json["items"]}
    assert codes == dict(zip(refunds, ["refund_step_not_awaited", None, None], strict=True))
    wanted = [
        {"refund_id": each, "parts": [{"tender": tender, "reference": refunding.reference_for(tender)}]}
        for each, tender in zip(refunds, ("wechat", "card", "cash"), strict=True)
    ]
    answer = office.post("/v1/refunds/pay/bulk", {"payments": wanted}, role="accountant")
    codes = {each["refund_id"]: each["code"] for each in answer.json["items"]}
    assert codes == dict(zip(refunds, [None, None, "approval_role_not_awaited"], strict=True))
    strange = {"decision": "approved", "refund_ids": [refunds[2], str(uuid4())]}
    assert code(office.post("/v1/refunds/decisions/bulk", strange, role="finance_head")) == (
        404,
        "refund_unknown",
    )


@pytest.mark.requirement("F22")
def test_a_refund_is_due_seven_days_after_the_goods_came_back(office):
    day = TODAY - timedelta(days=8)
    refund_id = owed(office, settled_on=TODAY)
    shown = refunding.refund(office, refund_id)
    assert (shown["due_on"], shown["overdue"], shown["days_left"]) == (str(TODAY + timedelta(7)), False, 7)
    data = {"return_id": shown["return_id"], "branch_id": "S001", "lines": []}
    for told_on in (TODAY, day, TODAY):  # whatever the order, the first day counts
        told = office.envelope("returns.return.received.v1", data)
        assert office.hear(replace(told, day=told_on)).parked == 0
    shown = refunding.refund(office, refund_id)
    assert (shown["goods_back_on"], shown["due_on"]) == (str(day), str(day + timedelta(7)))
    assert (shown["overdue"], shown["days_left"]) == (True, -1)
    late = office.get("/v1/refunds?overdue=true").json["items"]
    assert [each["refund_id"] for each in late] == [refund_id]
    state = next(
        each for each in office.get("/v1/refund-liabilities").json["states"] if each["state"] == "verified"
    )
    assert (state["overdue"], state["overdue_amount"], state["oldest_on"]) == (1, money(1950), str(day))


@pytest.mark.requirement("F22")
def test_goods_worth_nothing_are_done_at_once(office):
    sale = office.sell(sold_at=utc_now().isoformat(), lines=[LINE])
    told = office.settled(sale, [(0, 1, "restock", 0, 0, 10)], settled_on=str(TODAY))
    [refund_id] = refunding.told(office, told)
    shown = refunding.refund(office, refund_id)
    assert (shown["state"], shown["parts"], shown["total"]) == ("paid", [], money(0))
    assert office.value(
        "select count(*) from outbox where type = 'finance.refund.paid.v1' and subject = :id", id=refund_id
    )


@pytest.mark.requirement("F22")
def test_parallel_payments_of_one_refund_pay_it_once(office):
    for number in range(5):
        refund_id = owed(office, "wechat", "cash")
        refunding.approve(office, refund_id)
        with ThreadPoolExecutor(4) as people:
            desk = people.map(
                lambda n, r=refund_id: refunding.pay(office, r, wechat(), person=f"p{n}"), range(3)
            )
            counter = people.submit(refunding.pay, office, refund_id, role="cashier")
            answers = [*desk, counter.result()]
        assert sorted(each.status_code for each in answers) == [200, 200, 409, 409], number
        rows = office.rows(
            "select tender, fen from refund_payments where refund_id = cast(:id as uuid) order by 1",
            id=refund_id,
        )
        assert rows == [("cash", 975), ("wechat", 975)]
        assert refunding.refund(office, refund_id)["state"] == "paid"
    assert office.get("/v1/refund-liabilities").json["agrees"]


@pytest.mark.requirement("F22")
def test_parallel_lists_over_the_same_refunds_end_without_a_deadlock(office):
    customer = "0199b1c0-0000-7000-8000-000000000001"
    office.hear(office.permit())
    refunds = []
    for _ in range(6):
        sale = office.sell(
            sold_at=utc_now().isoformat(),
            customer_id=customer,
            lines=[LINE],
            tenders=[{"tender": "credit", "amount": money(3900)}],
        )
        refunds += refunding.told(office, office.settled(sale, [HALF], settled_on=str(TODAY)))
    refunding.approve(office, *refunds)
    orders = [refunds, refunds[::-1], refunds[3:] + refunds[:3]]

    def pay(order):
        body = {"payments": [{"refund_id": each, "parts": [{"tender": "credit"}]} for each in order]}
        return office.post("/v1/refunds/pay/bulk", body, role="accountant")

    with ThreadPoolExecutor(3) as people:
        answers = list(people.map(pay, orders))
    assert [each.status_code for each in answers] == [200] * 3
    done = [each["refund_id"] for answer in answers for each in answer.json["items"] if each["code"] is None]
    assert sorted(done) == sorted(refunds)
    assert office.get("/v1/receivable-proofs").json["agrees"]
    open_fen = {
        each["open"]["fen"]
        for each in office.get(f"/v1/receivable-items?customer_id={customer}").json["items"]
    }
    assert open_fen <= {0, 1950}


@pytest.mark.requirement("F22")
def test_parallel_refunds_of_one_sale_never_exceed_it(office):
    parts = [HALF, REST, (0, 1, "restock", 1725, 225, 1150)]
    for order in itertools.islice(itertools.permutations(parts), 4):
        sale = office.sell(sold_at=utc_now().isoformat(), lines=[LINE])
        told = [office.settled(sale, [part], settled_on=str(TODAY)) for part in order]
        with ThreadPoolExecutor(3) as consumers:
            assert sum(each.parked for each in consumers.map(office.hear, told)) == 1
        refunds = office.get(f"/v1/refunds?sale_id={sale['sale_id']}").json["items"]
        refunding.pay_all(office, *(each["refund_id"] for each in refunds))
        back = office.value(
            "select sum(fen) from refund_payments join refunds using (refund_id) where sale_id = cast(:id as uuid)",
            id=sale["sale_id"],
        )
        assert back <= 3900


@pytest.mark.requirement("F22")
def test_the_customer_gets_a_notice_without_names(office):
    refund_id = owed(office, "wechat", "cash")
    notice = office.get(f"/v1/refund-notices/{refund_id}", role="cs_agent").json
    assert (notice["state"], notice["total"], notice["words"]) == ("open", money(1950), "壹拾玖元伍角整")
    refunding.pay_all(office, refund_id)
    notice = office.get(f"/v1/refund-notices/{refund_id}", role="cs_agent").json
    assert (notice["state"], notice["paid_on"]) == ("paid", str(TODAY))
    assert [part["amount"]["fen"] for part in notice["parts"]] == [975, 975]
    said = refunding.paper(office.get(f"/v1/refund-notices/{refund_id}/pdf", role="cs_agent"))
    for words in (
        "退款通知",
        "微信支付",
        "9.75",
        "壹拾玖元伍角整",
        str(TODAY),
        "示例药房连锁有限公司",
        "（盖章）",
    ):
        assert words in said


@pytest.mark.requirement("F22")
def test_a_month_closes_with_refunds_owed_and_not_when_books_and_refunds_differ(migrated_database, tmp_path):
    office = Office(migrated_database("finance"), tmp_path)
    sale = office.sell(sold_at="2026-01-10T02:00:00Z", lines=[LINE])
    refunding.told(office, office.settled(sale, [HALF], settled_on="2026-01-12"))
    office.seal()
    with behind(office.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql("update refunds set total_fen = total_fen + 1")
    assert code(office.post("/v1/periods/2026-01/close", role="finance_head")) == (
        409,
        "refunds_differ_from_ledger",
    )
    with behind(office.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql("update refunds set total_fen = total_fen - 1")
    assert office.post("/v1/periods/2026-01/close", role="finance_head").status_code == 200
    assert office.get("/v1/refund-liabilities?as_of=2026-01-31").json["ledger"] == money(1950)
    office.close()


@pytest.mark.parametrize("path", ["refunds/{}", "refund-notices/{}", "refund-notices/{}/pdf"])
def test_what_is_unknown_is_not_found(office, path):
    assert code(office.get(f"/v1/{path.format(uuid4())}")) == (404, "refund_unknown")
