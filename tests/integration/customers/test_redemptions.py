"""Points are used once, go back when nobody used them, and expire once: whatever is told in whatever order."""

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from customers.app import SERVICE
from customers.loyalty import jobs, queries, rules
from shared import migrations
from shared.clock import business_date, utc_now
from shared.consumer import apply_batch
from shared.database import Database
from tests.support import points
from tests.support.roles import behind
from tests.support.watermarks import asked_a_while_ago, level_with

SEQ = count(1)
RECEIPTS = (f"R-{number}" for number in count(1))
TODAY = business_date(utc_now())
NEXT_YEAR_BUT_ONE = datetime(TODAY.year + 2, 1, 1, 1, tzinfo=UTC)
FACTS = (
    "point_sales",
    "point_earnings",
    "point_refunds",
    "point_redemptions",
    "point_redemption_lots",
    "point_restorations",
    "point_expiries",
)


@pytest.fixture
def patient(caller):
    body = {"name": "积分人", "branch_id": "B1"}
    return caller("cs_agent").post("/patients", body).json["customer_id"]


@pytest.fixture
def told(events, patient):
    """The facts of one type that were told of the patient."""

    def of_patient(kind):
        return [fact for _, fact in events(f"customers.points.{kind}.v1") if fact["customer_id"] == patient]

    return of_patient


@pytest.fixture
def hear(database):
    def apply(*facts):
        result = apply_batch(database, SERVICE, facts)
        assert result.parked == 0
        return result

    return apply


@pytest.fixture
def earn(hear):
    def sold(customer_id, worth, day=TODAY):
        """A sale that earns `worth` points; its id."""
        seq = next(SEQ)
        hear(points.sale(seq, customer_id=customer_id, lines={"1": (worth * 100, 0)}, day=day))
        return points.an_id(f"S{seq}")

    return sold


def ask(caller, customer_id, worth, *, receipt=None, branch="B1", role="till", **identity):
    body = {
        "customer_id": customer_id,
        "branch_id": branch,
        "receipt_number": receipt or next(RECEIPTS),
        "points": worth,
    }
    return caller(role, **identity).post("/redemptions", body)


def redeem(caller, customer_id, worth, **how):
    answer = ask(caller, customer_id, worth, **how)
    assert answer.status_code == 201, answer.json
    return answer.json


def cancel(caller, redemption_id, **identity):
    return caller("till", **identity).post(f"/redemptions/{redemption_id}/cancel")


def account(caller, customer_id):
    return caller("till").get(f"/customers/{customer_id}/points").json


def pay_with(redeemed, seq=None):
    seq = seq or next(SEQ)
    value = redeemed["value"]["fen"]
    return points.sale(
        seq,
        customer_id=redeemed["customer_id"],
        lines={"1": (value, 0)},
        redeemed=(redeemed["redemption_id"], value),
    )


def give_back(sale, redeemed, worth):
    refunded = [("1", worth, 0)]
    sale_id = sale.data["sale_id"]
    return points.refund(
        next(SEQ), sale_id=sale_id, lines=refunded, restored=(redeemed["redemption_id"], worth)
    )


@pytest.mark.requirement("C38")
def test_points_pay_a_receipt_the_first_to_expire_first(caller, patient, earn, hear, told):
    young = earn(patient, 50)
    old = earn(patient, 30, day=TODAY.replace(year=TODAY.year - 1))
    redeemed = redeem(caller, patient, 40)
    assert (redeemed["points"], redeemed["value"]["fen"], redeemed["state"]) == (40, 40, "open")
    assert [(lot["sale_id"], lot["points"]) for lot in redeemed["lots"]] == [(old, 30), (young, 10)]
    [fact] = told("redeemed")
    assert fact == {
        "redemption_id": redeemed["redemption_id"],
        "customer_id": patient,
        "branch_id": "B1",
        "receipt_number": redeemed["receipt_number"],
        "points": 40,
        "value_fen": 40,
        "lots": [{"sale_id": old, "points": 30}, {"sale_id": young, "points": 10}],
    }
    hear(pay_with(redeemed))
    shown = caller("cs_agent").get(f"/redemptions/{redeemed['redemption_id']}").json
    assert shown["state"] == "used"
    answer = account(caller, patient)
    assert (answer["balance"], answer["usable"]) == (40, 40)
    assert answer["lots"] == [
        {
            "sale_id": young,
            "branch_id": "B1",
            "earned_on": str(TODAY),
            "expires_on": f"{TODAY.year + 1}-12-31",
            "points": 40,
        }
    ]
    assert [(each["kind"], each["points"]) for each in answer["entries"]] == [
        ("redeem", -40),
        ("earn", 50),
        ("earn", 30),
    ]


@pytest.mark.requirement("C38")
def test_points_of_a_sale_made_since_the_last_head_are_awaited(caller, patient, earn, database):
    earn(patient, 10)
    level_with(database, "finance", age_s=4)
    assert [ask(caller, patient, 11).json["code"] for _ in range(2)] == ["points_not_yet_known"] * 2
    asked_a_while_ago(database)
    assert ask(caller, patient, 11).json["code"] == "points_insufficient"
    assert ask(caller, patient, 11).json["code"] == "points_not_yet_known"
    earn(patient, 1)
    redeem(caller, patient, 11)


@pytest.mark.requirement("C38")
def test_each_refusal_of_a_redemption(caller, patient, earn, events, database):
    earn(patient, 10)
    awaited = ask(caller, patient, 11)
    assert (awaited.status_code, awaited.json["code"], awaited.json["usable"]) == (
        503,
        "points_not_yet_known",
        10,
    )
    assert awaited.headers["Retry-After"] == "2"
    level_with(database, "finance")
    refused = ask(caller, patient, 11)
    assert (refused.status_code, refused.json["code"], refused.json["usable"]) == (
        409,
        "points_insufficient",
        10,
    )
    assert ask(caller, str(uuid4()), 1).json["code"] == "customer_not_found"
    assert ask(caller, patient, 1, branch="B2", branches=["B1"]).json["code"] == "foreign_branch"
    for odd in (0, -1, 10**9 + 1, "5", None):
        assert ask(caller, patient, odd).status_code == 422
    assert ask(caller, patient, 1, receipt="有").status_code == 422
    first = redeem(caller, patient, 1, receipt="R-TWICE")
    assert ask(caller, patient, 1, receipt="R-TWICE").json["code"] == "receipt_has_redemption"
    redeem(caller, patient, 1, receipt="R-TWICE", branch="B2")
    strange = cancel(caller, uuid4())
    assert (strange.status_code, strange.json["code"]) == (404, "redemption_not_found")
    assert cancel(caller, first["redemption_id"], branches=["B2"]).json["code"] == "foreign_branch"
    before = len(events())
    assert cancel(caller, first["redemption_id"]).json["state"] == "restored"
    assert cancel(caller, first["redemption_id"]).json["code"] == "redemption_already_given_back"
    assert redeem(caller, patient, 1, receipt="R-TWICE")["state"] == "open"
    assert [kind for kind, _ in events()[before:]] == [
        "customers.points.restored.v1",
        "customers.points.redeemed.v1",
    ]


@pytest.mark.requirement("C38")
def test_institutions_and_the_forgotten_redeem_nothing(caller, patient, earn):
    body = {"kind": "pharmacy", "branch_id": "B1", "legal_name": "仁和药房", "uscc": "91110000600037341L"}
    pharmacy = caller("cs_agent").post("/institutions", body).json["customer_id"]
    assert ask(caller, pharmacy, 1).json["code"] == "not_a_patient"
    earn(patient, 10)
    assert caller("privacy_officer").post(f"/customers/{patient}/anonymise").status_code == 200
    assert ask(caller, patient, 1).json["code"] == "customer_anonymised"


@pytest.mark.requirement("C38")
def test_what_was_used_is_neither_cancelled_nor_redeemed_again(caller, patient, earn, hear):
    earn(patient, 10)
    redeemed = redeem(caller, patient, 5, receipt="R-USED")
    hear(pay_with(redeemed))
    assert cancel(caller, redeemed["redemption_id"]).json["code"] == "redemption_already_used"
    assert ask(caller, patient, 1, receipt="R-USED").json["code"] == "receipt_has_redemption"


@pytest.mark.requirement("C38")
def test_of_redemptions_at_once_no_point_is_used_twice(caller, patient, earn):
    for _ in range(4):
        earn(patient, 25)
    start = threading.Barrier(8)
    answers = []

    def till():
        start.wait()
        answers.append(ask(caller, patient, 30))

    threads = [threading.Thread(target=till) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] * 3 + [409] * 5
    assert account(caller, patient)["balance"] == 10
    used = {}
    for answer in answers:
        for lot in answer.json.get("lots", []):
            used[lot["sale_id"]] = used.get(lot["sale_id"], 0) + lot["points"]
    assert sorted(used.values()) == [15, 25, 25, 25]


@pytest.mark.requirement("C38")
def test_of_redemptions_of_one_receipt_at_once_one_is_made(caller, patient, earn):
    earn(patient, 100)
    start = threading.Barrier(4)
    answers = []

    def till():
        start.wait()
        answers.append(ask(caller, patient, 10, receipt="R-RACE"))

    threads = [threading.Thread(target=till) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.json.get("code", "") for answer in answers) == ["", *["receipt_has_redemption"] * 3]
    assert account(caller, patient)["balance"] == 90


@pytest.mark.requirement("C38")
def test_points_nobody_used_go_back_in_time_and_finance_has_the_last_word(
    caller, patient, earn, hear, as_system, told, database
):
    earn(patient, 50)
    redeemed = redeem(caller, patient, 40)
    as_system(jobs.restore_points, utc_now() + timedelta(hours=71))
    assert account(caller, patient)["usable"] == 10
    as_system(jobs.restore_points, utc_now() + timedelta(hours=73))
    [fact] = told("restored")
    assert (fact["redemption_id"], fact["points"], fact["cause"]) == (
        redeemed["redemption_id"],
        40,
        "not_used",
    )
    assert account(caller, patient)["usable"] == 50
    redeem(caller, patient, 50)
    assert told("taken_again") == []
    sale = pay_with(redeemed)
    hear(sale, give_back(sale, redeemed, 0))  # it was on its way when we gave the points back
    [again] = told("taken_again")
    assert (again["redemption_id"], again["points"]) == (redeemed["redemption_id"], 40)
    answer = account(caller, patient)
    assert (answer["balance"], answer["usable"]) == (-40, 0)
    assert sum(each["points"] for each in answer["entries"]) == -40
    level_with(database, "finance")
    assert ask(caller, patient, 1).json["code"] == "points_insufficient"
    earn(patient, 45)
    assert account(caller, patient)["usable"] == 5


@pytest.mark.requirement("C38")
def test_points_of_returned_goods_come_back_to_the_lots_they_came_from(caller, patient, earn, hear):
    first, second = earn(patient, 20, day=TODAY.replace(year=TODAY.year - 1)), earn(patient, 20)
    redeemed = redeem(caller, patient, 30)
    sale = pay_with(redeemed)
    hear(give_back(sale, redeemed, 12))  # the refund is heard before its sale
    hear(sale)
    lots = {lot["sale_id"]: lot["points"] for lot in account(caller, patient)["lots"]}
    assert lots == {first: 2, second: 20}
    hear(give_back(sale, redeemed, 18))
    answer = account(caller, patient)
    assert {lot["sale_id"]: lot["points"] for lot in answer["lots"]} == {first: 20, second: 20}
    assert sum(each["points"] for each in answer["entries"]) == answer["balance"] == 40
    with pytest.raises(AssertionError):
        hear(give_back(sale, redeemed, 1))


@pytest.mark.requirement("C38")
def test_points_expire_after_their_last_day_and_refunds_take_nothing_more(
    caller, patient, earn, hear, as_system, told
):
    used, kept = earn(patient, 30), earn(patient, 20)
    redeem(caller, patient, 10)
    as_system(jobs.expire_points, NEXT_YEAR_BUT_ONE - timedelta(days=1))
    assert told("expired") == []
    as_system(jobs.expire_points, NEXT_YEAR_BUT_ONE)
    as_system(jobs.expire_points, NEXT_YEAR_BUT_ONE)
    [fact] = told("expired")
    assert {key: fact[key] for key in ("customer_id", "points", "expired_on")} == {
        "customer_id": patient,
        "points": 40,
        "expired_on": f"{TODAY.year + 2}-01-01",
    }
    left = {used: 30, kept: 20}
    left[min(used, kept)] -= 10  # they expire on one day: the smaller id is used first
    assert {lot["sale_id"]: (lot["branch_id"], lot["points"]) for lot in fact["lots"]} == {
        sale_id: ("B1", count) for sale_id, count in left.items()
    }
    hear(points.refund(next(SEQ), sale_id=used, lines=[("1", 3000, 0)]))
    hear(points.refund(next(SEQ), sale_id=kept, lines=[("1", 2000, 0)]))
    assert [fact["points"] for fact in told("taken_back")] == ([10, 0] if used < kept else [0, 10])
    answer = account(caller, patient)
    assert answer["balance"] == -10 == sum(each["points"] for each in answer["entries"])


@pytest.mark.requirement("C38")
def test_points_that_come_back_after_their_day_expire_at_once(caller, patient, earn, hear, as_system, told):
    earn(patient, 30)
    used, unused = redeem(caller, patient, 20), redeem(caller, patient, 10)
    sale = pay_with(used)
    hear(sale)
    as_system(jobs.expire_points, NEXT_YEAR_BUT_ONE)
    assert told("expired") == []
    hear(give_back(sale, used, 5))
    as_system(jobs.restore_points, NEXT_YEAR_BUT_ONE)
    as_system(jobs.expire_points, NEXT_YEAR_BUT_ONE)
    [fact] = told("expired")
    assert fact["points"] == 15
    assert account(caller, patient)["balance"] == 0
    assert cancel(caller, unused["redemption_id"]).status_code == 409


@pytest.mark.requirement("C38")
def test_expiry_and_a_refund_at_once_take_a_point_once(caller, patient, earn, database, as_system, told):
    sales = [earn(patient, 10) for _ in range(20)]
    start = threading.Barrier(2)
    refunds = [points.refund(next(SEQ), sale_id=each, lines=[("1", 1000, 0)]) for each in sales]

    def take_back():
        start.wait()
        for refund in refunds:
            apply_batch(database, SERVICE, [refund])

    thread = threading.Thread(target=take_back)
    thread.start()
    start.wait()
    as_system(jobs.expire_points, NEXT_YEAR_BUT_ONE)
    thread.join()
    gone = [fact["points"] for fact in told("taken_back") + told("expired")]
    assert (sum(gone), account(caller, patient)["balance"]) == (200, 0)


def contents(database, customer_id):
    with database.read() as conn:
        rows = {
            table: sorted(conn.execute(text(f"select t::text from {table} t")).scalars()) for table in FACTS
        }
        return rows, queries.point_lots(conn, customer_id)


@pytest.mark.requirement("C38")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_point_told_of_is_a_point_of_the_balance(
    caller, patient, earn, hear, as_system, told, database, data
):
    """Sales, redemptions, refunds, give-backs and expiry at random; facts of finance come late, twice, in any order."""
    with behind(database) as conn:
        conn.execute(
            text(f"truncate {', '.join(FACTS)}, point_accounts, point_checks, inbox, source_state, outbox")
        )
    redeemed, waiting, sales = [], [], []
    now = utc_now()
    for step in data.draw(st.lists(st.sampled_from("eeerrrucxfb"), min_size=4, max_size=14)):
        if step == "e":
            worth = data.draw(st.integers(1, 60))
            day = TODAY.replace(year=TODAY.year - data.draw(st.integers(0, 1)))
            sales.append((earn(patient, worth, day=day), worth))
        elif step == "r":
            usable = account(caller, patient)["usable"]
            if usable:
                redeemed.append(redeem(caller, patient, data.draw(st.integers(1, usable))))
        elif step == "u" and redeemed:
            one = redeemed.pop()
            sale = pay_with(one)
            waiting.append(sale)
            if data.draw(st.booleans()):
                waiting.append(give_back(sale, one, data.draw(st.integers(0, one["points"]))))
        elif step == "c" and redeemed:
            cancel(caller, data.draw(st.sampled_from(redeemed))["redemption_id"])
        elif step == "b":
            as_system(jobs.restore_points, now + timedelta(hours=80))
        elif step == "x":
            years = data.draw(st.integers(1, 2))
            as_system(jobs.expire_points, datetime(TODAY.year + years, 1, 2, tzinfo=UTC))
        elif step == "f" and sales:
            sale_id, worth = data.draw(st.sampled_from(sales))
            part = data.draw(st.integers(0, worth * 100))
            waiting.append(points.refund(next(SEQ), sale_id=sale_id, lines=[("1", part, 0)]))
    # One order of what finance says, and all of it again in another: the same.
    hear(*data.draw(st.permutations(waiting)))
    before = contents(database, patient)
    hear(*data.draw(st.permutations(waiting)))
    rows, lots = contents(database, patient)
    assert (rows, lots) == before
    shown = account(caller, patient)
    history = caller("till").get(f"/customers/{patient}/points", limit=200).json["entries"]
    assert shown["balance"] == rules.balance(lots) == sum(each["points"] for each in history)
    assert all(lot.earned >= lot.taken_back + lot.expired for lot in lots)
    for name, expected in (
        ("earned", sum(lot.earned for lot in lots)),
        ("taken_back", sum(lot.taken_back for lot in lots)),
        ("expired", sum(lot.expired for lot in lots)),
    ):
        assert sum(fact["points"] for fact in told(name)) == expected, name


def parked_for(database):
    with database.begin() as conn:
        return set(conn.execute(text("select reason_code from parked_events")).scalars())


def test_a_redemption_finance_alone_knows_is_parked(database, patient):
    strange = {
        "redemption_id": str(UUID(int=7)),
        "customer_id": patient,
        "value": {"fen": 5},
    }
    assert apply_batch(database, SERVICE, [pay_with(strange)]).parked == 1
    assert parked_for(database) == {"redemption_unheard_of"}


def test_a_redemption_is_not_used_by_two_sales(caller, database, patient, earn, hear):
    earn(patient, 10)
    redeemed = redeem(caller, patient, 5)
    hear(pay_with(redeemed))
    assert apply_batch(database, SERVICE, [pay_with(redeemed)]).parked == 1
    assert parked_for(database) == {"redemption_unheard_of"}


def test_the_history_is_paged_over_facts_of_both_sides(caller, patient, earn, hear):
    for _ in range(3):
        earn(patient, 10, day=date(2026, 1, 5))
        hear(pay_with(redeem(caller, patient, 4)))
    seen, cursor = [], None
    while True:
        page = caller("till").get(
            f"/customers/{patient}/points", limit=2, **({"cursor": cursor} if cursor else {})
        )
        seen += [
            (each["kind"], each["sale_id"], each["redemption_id"], each["points"])
            for each in page.json["entries"]
        ]
        cursor = page.json["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6
    assert sum(points for *_, points in seen) == 18


def test_a_redemption_is_found_by_customer_receipt_branch_day_and_state(caller, patient, earn):
    earn(patient, 10)
    gone = redeem(caller, patient, 2, receipt="R-FIND-1")
    cancel(caller, gone["redemption_id"])
    held = redeem(caller, patient, 3, receipt="R-FIND-2", branch="B2")

    def found(**wanted):
        page = caller("till").get("/redemptions", customer_id=patient, **wanted).json
        return {each["redemption_id"] for each in page["items"]}

    both = {gone["redemption_id"], held["redemption_id"]}
    assert found() == found(**{"from": str(TODAY), "until": str(TODAY)}) == both
    assert found(state="open") == found(receipt_number="R-FIND-2") == {held["redemption_id"]}
    assert found(branch_id="B1") == found(state="restored") == {gone["redemption_id"]}
    assert found(until=str(TODAY - timedelta(days=1))) == set()
    first = caller("till").get("/redemptions", customer_id=patient, limit=1).json
    rest = caller("till").get("/redemptions", customer_id=patient, cursor=first["next_cursor"]).json
    assert {each["redemption_id"] for each in first["items"] + rest["items"]} == both
    elsewhere = caller("till", branches=["B3"]).get("/redemptions", customer_id=patient)
    assert elsewhere.json["items"] == []


def test_points_earned_before_any_expired_get_the_last_day_the_rule_gives_them(postgres):
    url = postgres.create_database()
    command.upgrade(migrations.config(SERVICE, url), "0003")
    database = Database(url)
    with database.begin() as conn:
        conn.execute(
            text(
                "insert into point_sales (sale_id, customer_id, branch_id, version) values ('S', 'C', 'B1', 1),"
                " ('refunded first', null, null, 0)"
            )
        )
        conn.execute(
            text(
                "insert into point_earnings (sale_id, sale_line_id, customer_id, branch_id, day, source_seq,"
                " cause_event_id, gross_fen, basis_fen, points)"
                " values ('S', '1', 'C', 'B1', :day, 1, :cause, 100, 100, 1)"
            ),
            {"day": points.DAY, "cause": UUID(int=1)},
        )
    migrations.upgrade(SERVICE, url)
    with database.read() as conn:
        [lot] = queries.point_lots(conn, "C")
        looked_at = conn.execute(
            text('select sale_id, look_on from point_sales order by sale_id collate "C"')
        ).all()
    assert lot.expires_on == rules.points_expire_on(points.DAY)
    assert looked_at == [("S", lot.expires_on + timedelta(days=1)), ("refunded first", None)]
    database.dispose()
    postgres.drop_database(url)
