"""A receipt that points pay: the right redemption, once, booked at what the points were worth, and given back."""

import json
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from finance.points import queries
from shared.clock import business_date, month_of, new_id, utc_now
from tests.support.finance_builders import Office, a_line, a_receipt, money, ndjson
from tests.support.redeeming import earned, expired, paid_with, redeemed, restored, taken
from tests.support.refunding import approve, parts_of, pay, pay_all, refund, told
from tests.support.roles import behind

MARCH = "2026-03"


@pytest.fixture(scope="module", autouse=True)
def opened(office):
    office.sell()


def post(office, receipt, **how):
    return office.post("/v1/sales", receipt, **how)


def code_of(office, receipt, **how):
    answer = post(office, receipt, **how)
    return answer.status_code, answer.json.get("code")


def lot(office, worth, **odd):
    """Points that a sale earned, told to finance: what a redemption takes them from."""
    sale = str(uuid4())
    office.hear(earned(office, sale, worth, **odd))
    return sale


def ready(office, worth=300, **odd):
    """A redemption that finance knows."""
    redemption = redeemed(office, (lot(office, worth), worth), **odd)
    office.hear(redemption)
    return redemption


def require_tied(office):
    with office.database.read() as conn:
        queries.require_tied(conn, month_of(business_date(utc_now())))


def liability(office):
    return office.value(
        "select coalesce(sum(credit_fen - debit_fen), 0)::bigint from journal_lines where account = '2204'"
    )


def facts_of(office, sale_id, event_type):
    rows = office.rows(
        "select data from outbox where type = :type and data ->> 'sale_id' = :sale_id order by id",
        type=event_type,
        sale_id=str(sale_id),
    )
    return [data for (data,) in rows]


@pytest.mark.requirement("C38", "F1", "F15")
def test_points_keep_their_promise_and_the_sale_is_told_who_paid(office):
    before, books = liability(office), office.balances(MARCH)
    first, second = lot(office, 100), lot(office, 250)
    redemption = redeemed(office, (first, 100), (second, 200), value=450)
    office.hear(redemption)
    assert liability(office) == before + 350
    receipt = paid_with(redemption, cash=680)
    answer = post(office, receipt)
    assert answer.status_code == 201, answer.json
    sale = answer.json
    assert sale["total"]["fen"] == 1130
    after = office.balances(MARCH)
    assert liability(office) == before + 50
    assert after["1001"] - books.get("1001", 0) == 680
    # 1000 of goods less the 150 fen that 300 points were worth more than promised; 350 were deferred when earned.
    assert -(after["6001"] - books["6001"]) == 1000 - 150 - 350
    [fact] = facts_of(office, sale["sale_id"], "finance.sale.posted.v1")
    redemption_id = redemption.data["redemption_id"]
    assert fact["tenders"] == [
        {"tender": "points", "fen": 450, "redemption_id": redemption_id},
        {"tender": "cash", "fen": 680},
    ]
    shown = office.get(f"/v1/sales/{sale['sale_id']}").json["tenders"]
    assert {each["tender"]: each["redemption_id"] for each in shown} == {
        "points": redemption_id,
        "cash": None,
    }
    again = post(office, receipt)
    assert (again.status_code, again.json["sale_id"]) == (200, sale["sale_id"])
    assert code_of(office, {**receipt, "sold_at": "2026-03-03T03:15:00Z"}) == (409, "receipt_number_reused")
    require_tied(office)


@pytest.mark.requirement("C38")
def test_each_refusal_of_a_receipt_that_points_pay(office):
    redemption = ready(office)
    fits = paid_with(redemption)
    strange = paid_with(redemption, customer_id=str(uuid4()))
    assert code_of(office, strange) == (409, "redemption_of_another_receipt")
    assert code_of(office, {**fits, "receipt_number": "P-OTHER"}) == (409, "redemption_of_another_receipt")
    assert code_of(office, {**fits, "branch_id": "S002"}) == (409, "redemption_of_another_receipt")
    assert code_of(office, {**fits, "customer_id": None}) == (422, "points_need_customer")
    [by_points] = fits["tenders"]
    less = [{**by_points, "amount": money(299)}, {"tender": "cash", "amount": money(1)}]
    assert code_of(office, {**fits, "tenders": less}) == (409, "redemption_amount_differs")
    bare = {key: value for key, value in by_points.items() if key != "redemption_id"}
    assert code_of(office, {**fits, "tenders": [bare]}) == (422, "redemption_missing")
    assert code_of(office, {**fits, "tenders": [{**by_points, "tender": "card"}]}) == (
        422,
        "redemption_misplaced",
    )
    assert code_of(office, {**fits, "tenders": [{**by_points, "redemption_id": "x"}]}) == (
        422,
        "payload_invalid",
    )
    for category in ("rx", "otc", "otc_a"):
        assert code_of(office, paid_with(redemption, category=category)) == (
            409,
            "points_not_for_these_goods",
        )
    assert post(office, fits).status_code == 201


@pytest.mark.requirement("C38")
def test_a_redemption_that_is_not_here_is_awaited_and_then_refused(office):
    def heard(contiguous, head, checked_at):
        with office.database.begin() as conn:
            conn.exec_driver_sql(
                "insert into source_state (source, contiguous_seq, head_seq, checked_at)"
                " values ('customers', %(at)s, %(head)s, %(checked)s) on conflict (source) do update"
                " set contiguous_seq = %(at)s, head_seq = %(head)s, checked_at = %(checked)s",
                {"at": contiguous, "head": head, "checked": checked_at},
            )

    redemption = redeemed(office, (str(uuid4()), 30))
    receipt = paid_with(redemption)
    heard(1_000, 1_001, utc_now() + timedelta(hours=1))
    answer = post(office, receipt)
    assert (answer.status_code, answer.json["code"]) == (503, "redemption_not_yet_known")
    assert int(answer.headers["Retry-After"]) > 0
    heard(1_000, 1_000, utc_now())  # we asked before customers could have told us
    assert code_of(office, receipt) == (503, "redemption_not_yet_known")
    heard(1_000, 1_000, utc_now() + timedelta(hours=1))
    assert code_of(office, receipt) == (409, "redemption_unknown")
    for nobodys in (str(uuid4()), "ffffffff-ffff-7fff-bfff-ffffffffffff", str(new_id())):
        odd = json.loads(json.dumps(receipt).replace(redemption.data["redemption_id"], nobodys))
        assert code_of(office, odd) == (409, "redemption_unknown")
    office.hear(redemption)  # but not of the sale that earned its points
    assert code_of(office, receipt) == (503, "redemption_not_yet_known")
    office.hear(earned(office, redemption.data["lots"][0]["sale_id"], 30))
    assert post(office, receipt).status_code == 201


@pytest.mark.requirement("C38")
def test_what_went_back_pays_nothing_and_what_paid_stays_used(office):
    unused, used = ready(office), ready(office)
    before = liability(office)
    office.hear(restored(office, unused))
    assert code_of(office, paid_with(unused)) == (409, "redemption_restored")
    assert post(office, paid_with(used)).status_code == 201
    office.hear(restored(office, used), restored(office, used))
    assert post(office, paid_with(used)).status_code == 200
    assert liability(office) == before - 300
    require_tied(office)


@pytest.mark.requirement("C38")
def test_of_sales_at_once_one_uses_the_points(office):
    """The same receipt from eight tills is one sale; another content under its number is refused."""
    redemption = ready(office)
    start = threading.Barrier(8)
    answers = []

    def till(cash):
        start.wait()
        answers.append(post(office, paid_with(redemption, cash=cash)))

    threads = [threading.Thread(target=till, args=(cash,)) for cash in (0, 0, 0, 0, 5, 5, 5, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 200, 200, 201, 409, 409, 409, 409]
    uses = office.value(
        "select count(*) from points_uses where redemption_id = cast(:id as uuid)",
        id=redemption.data["redemption_id"],
    )
    assert uses == 1
    require_tied(office)


def test_uploads_refuse_points(office):
    redemption = ready(office)
    receipt = paid_with(redemption)
    [refused] = office.results(ndjson([receipt]))
    assert (refused["state"], refused["code"]) == ("refused", "points_not_in_bulk")
    assert post(office, receipt).status_code == 201
    [known] = office.results(ndjson([receipt]))
    assert known["state"] == "duplicate"
    header = "receipt_number,branch_id,customer_id,channel,sold_at,product_id,generic_name,category,temp_class,lot,expiry,quantity,unit_price_fen,tax_bp,cost_fen,tenders"
    row = "R-CSV,S001,0199b1c0-0000-7000-8000-000000000001,store,2026-03-03T02:15:00Z,P-1,N,device,normal,L1,2099-12-31,1,5,1300,1,points=5"
    [refused] = office.results(f"{header}\n{row}\n".encode(), kind="text/csv")
    assert (refused["state"], refused["code"]) == ("refused", "redemption_missing")


def three_pieces(redemption, cash):
    """Three pieces of goods, paid with points and cash."""
    fen = redemption.data["value_fen"] + cash
    goods = a_line(
        product={"category": "device"},
        quantity=3,
        unit_price=money(fen // 3),
        discount=money(0),
        tax_bp=0,
        cost=money(3),
    )
    return paid_with(redemption, cash=cash, lines=[goods])


def bring_back(office, sale, fen, pieces=1):
    return told(office, office.settled(sale, [(0, pieces, "restock", fen, 0, pieces)]))[0]


@pytest.mark.requirement("F22", "C38")
def test_a_refund_gives_whole_points_back_to_the_last_consumed(office):
    before = liability(office)
    first, second = lot(office, 40), lot(office, 60)
    redemption = redeemed(office, (first, 40), (second, 60), value=200)
    office.hear(redemption)
    sale = post(office, three_pieces(redemption, 103)).json
    assert liability(office) == before
    given = []
    for fen in (101, 101, 101):
        refund_id = bring_back(office, sale, fen)
        approve(office, refund_id)
        assert pay(office, refund_id).status_code == 200
        require_tied(office)
        shown = refund(office, refund_id)
        drawer = parts_of(shown, cash=True)
        if drawer:
            assert pay(office, refund_id, role="cashier").status_code == 200
        assert refund(office, refund_id)["state"] == "paid"
        [*_, fact] = facts_of(office, sale["sale_id"], "finance.refund.paid.v1")
        [row] = [each for each in fact["tenders"] if each["tender"] == "points"]
        assert row["redemption_id"] == redemption.data["redemption_id"]
        assert sum(each["fen"] for each in fact["tenders"]) == 101
        given.append((row["fen"], row["points"]))
        assert liability(office) == before + sum(points for _, points in given)
    assert [sum(each) for each in zip(*given, strict=True)] == [200, 100]
    lots = office.rows(
        "select points, given_back from points_redemption_lots where redemption_id = cast(:id as uuid)",
        id=redemption.data["redemption_id"],
    )
    assert lots == [(40, 40), (60, 60)]
    office.hear(expired(office, (first, 40)), taken(office, second, 60))
    assert liability(office) == before
    require_tied(office)


@pytest.mark.requirement("F22")
def test_refunds_of_one_sale_at_once_give_back_no_point_twice(office):
    redemption = ready(office, 100)
    sale = post(office, three_pieces(redemption, 200)).json
    refunds = [bring_back(office, sale, 100) for _ in range(3)]
    approve(office, *refunds)
    start = threading.Barrier(3)
    answers = []

    def desk(refund_id):
        start.wait()
        answers.append(pay(office, refund_id, [{"tender": "points", "reference": None}]))

    threads = [threading.Thread(target=desk, args=(refund_id,)) for refund_id in refunds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    [(given, in_lots)] = office.rows(
        "select sum(g.points)::bigint, (select sum(given_back)::bigint from points_redemption_lots l"
        " where l.redemption_id = g.redemption_id) from points_given_back g"
        " where redemption_id = cast(:id as uuid) group by redemption_id",
        id=redemption.data["redemption_id"],
    )
    assert (given, in_lots) == (100, 100)
    require_tied(office)


def test_the_desk_pays_lists_with_points(office):
    sales = [post(office, three_pieces(ready(office, 99), 0)).json for _ in range(3)]
    refunds = [bring_back(office, sale, 33) for sale in sales]
    pay_all(office, *refunds)
    assert {refund(office, each)["state"] for each in refunds} == {"paid"}
    require_tied(office)


@pytest.mark.requirement("F1")
def test_the_standard_for_small_enterprises_takes_points_off_the_revenue(migrated_database, tmp_path):
    small = Office(migrated_database("finance"), tmp_path)
    with behind(small.database) as conn:
        conn.exec_driver_sql("update books set standard = 'small'")
    small.sell()
    before = small.balances(MARCH)["5001"]
    redemption = ready(small, 90)
    sale = post(small, three_pieces(redemption, 30)).json
    assert before - small.balances(MARCH)["5001"] == 30
    [refund_id] = told(small, small.settled(sale, [(0, 3, "restock", 120, 0, 3)]))
    approve(small, refund_id)
    assert pay(small, refund_id, [{"tender": "points", "reference": None}]).status_code == 200
    assert small.value("select count(*) from journal_lines where account like '2204%'") == 0
    require_tied(small)
    small.close()


def test_a_receipt_without_points_names_no_redemption(office):
    sale = office.sell(**{key: value for key, value in a_receipt().items() if key != "receipt_number"})
    [fact] = facts_of(office, sale["sale_id"], "finance.sale.posted.v1")
    assert fact["tenders"] == [{"tender": "wechat", "fen": 3900}]
