"""One lot of a product has one expiry: what was told first holds, at every door, until quality assurance decides."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest

from finance.lots.store import OPEN_OF_BRANCH_MAX
from shared.clock import business_date, utc_now
from tests.support.eventually import eventually
from tests.support.expenses_builders import a_goods_line, a_goods_receipt
from tests.support.finance_builders import a_line, a_receipt, money, ndjson, refused
from tests.support.ordering import SalesDesk, a_parcel, a_product, an_order_line

TODAY = business_date(utc_now())
FIRST, OTHER = str(TODAY + timedelta(days=40)), str(TODAY + timedelta(days=770))


@pytest.fixture(scope="module")
def desk(office):
    return SalesDesk(office)


_WAITING = (
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
)


def of_lot(product, *lots, **odd):
    """A receipt of one pack of each (lot, expiry)."""
    lines = [
        a_line(product={"product_id": product}, lot=lot, expiry=expiry, quantity=1, discount=money(0))
        for lot, expiry in lots
    ]
    return a_receipt(lines=lines, sold_at=odd.pop("sold_at", utc_now().isoformat()), **odd)


def contradicts(answer):
    return refused(answer, 409, "lot_expiry_contradicts")


def told_qa(office, product, **args):
    wanted = "".join(f"&{name}={value}" for name, value in args.items())
    answer = office.get(f"/v1/lot-contradictions?product_id={product}{wanted}", role="qa")
    assert answer.status_code == 200, answer.text
    return answer.json["items"]


def decided(office, product, lot, expiry, **who):
    body = {"product_id": product, "lot": lot, "expiry": expiry, "reason": "看过实物包装"}
    return office.post("/v1/lot-expiry-decisions", body, role=who.pop("role", "qa"), **who)


def spellings(lot):
    wide = "".join(chr(ord(each) + 0xFEE0) for each in lot)
    return [lot.lower(), wide, f" {lot} ", f"{lot[:2]} {lot[2:]}", lot.replace("-", "\u2013"), lot]


@pytest.mark.requirement("F27")
def test_another_expiry_of_a_sold_lot_is_refused_however_the_lot_is_spelled(office):
    """LE-9 was sold as expiring 2026-10-31, and le-9 as expiring 2028-10-31 passed."""
    product = a_product()
    sold = {"sold_at": "2026-03-03T02:15:00Z"}
    office.sell(**of_lot(product, ("LE-9", "2026-10-31"), receipt_number=f"R-{product}", **sold))
    for lot in spellings("LE-9"):
        receipt = of_lot(product, ("OK", FIRST), (lot, "2028-10-31"))
        answer = contradicts(office.post("/v1/sales", receipt))
        assert answer["lots"] == [
            {
                "product_id": product,
                "lot": lot,
                "expiry": "2028-10-31",
                "held_expiry": "2026-10-31",
                "held_since": str(TODAY),
                "held_by": "sale",
                "branch_id": "S001",
                "reference": f"R-{product}",
            }
        ]
        assert answer["errors"][0]["path"] == "lines.1.expiry"
        number = receipt["receipt_number"]
        assert office.value("select count(*) from receipts where receipt_number = :n", n=number) == 0
    [row] = told_qa(office, product)
    assert (row["told_expiry"], row["held_expiry"], row["times"]) == ("2028-10-31", "2026-10-31", 6)
    assert (row["branch_id"], row["source"], row["last_told_by"]) == ("S001", "sale", "the-till")
    assert row["reference"] == number
    # nothing was told of what stood beside it, and the lot goes on with its own date, in any spelling
    known = office.get(f"/v1/lot-expiries?product_id={product}", role="qa").json["items"]
    assert [(each["lot"], each["expiry"]) for each in known] == [("LE-9", "2026-10-31")]
    for lot in spellings("LE-9"):
        office.sell(**of_lot(product, (lot, "2026-10-31"), **sold))
    office.sell(**of_lot(a_product(), ("LE-9", "2028-10-31")))  # the same number of another product


def test_a_refusal_says_both_dates_and_where_the_first_comes_from_in_both_languages(office):
    product = a_product()
    office.sell(**of_lot(product, ("A-1", FIRST)))
    wrong, headers = of_lot(product, ("a-1", OTHER)), office.headers("till")
    said = {}
    for language in ("en", "zh-CN"):
        more = {"Idempotency-Key": uuid4().hex, "Accept-Language": language}
        said[language] = (
            office.app.test_client().post("/v1/sales", json=wrong, headers=headers | more).json["detail"]
        )
    assert said["en"] == (
        f"lot a-1 of product {product} expires on {FIRST} by a sale of {TODAY}; {OTHER} contradicts it and was"
        " told to quality assurance"
    )
    assert said["zh-CN"] == (
        f"商品 {product} 批号 a-1 的有效期至为 {FIRST}（依据：{TODAY} 的销售）；{OTHER} 与之不符，已告知质量管理部门"
    )


def test_one_receipt_does_not_contradict_itself(office):
    product = a_product()
    contradicts(office.post("/v1/sales", of_lot(product, ("X-1", FIRST), ("x-1", OTHER))))
    assert office.value("select count(*) from lot_expiries where product_id = :p", p=product) == 0
    [row] = told_qa(office, product)
    assert row["told_expiry"] == OTHER
    office.sell(**of_lot(product, ("X-1", OTHER), ("x-1", OTHER)))  # what was refused told nothing


def test_an_upload_refuses_what_contradicts_what_was_sold_and_what_stands_before_it_in_the_file(office):
    product = a_product()
    office.sell(**of_lot(product, ("U-1", FIRST)))
    receipts = [
        of_lot(product, ("u-1", OTHER), ("N-0", FIRST)),
        of_lot(product, ("U-2", FIRST)),
        of_lot(product, ("ｕ-2", OTHER)),
        of_lot(product, ("U-2", OTHER)),
        of_lot(product, ("U-3", FIRST), ("u-3", OTHER)),
        of_lot(product, ("u-1", FIRST), ("u-2", FIRST)),
        of_lot(product, ("N-0", OTHER), ("U-3", OTHER)),
    ]
    results = office.results(ndjson(receipts))
    assert [each["state"] for each in results] == [
        "refused", "posted", "refused", "refused", "refused", "posted", "posted",
    ]  # fmt: skip
    assert {each["code"] for each in results if each["state"] == "refused"} == {"lot_expiry_contradicts"}
    assert results[2]["lots"][0]["held_expiry"] == FIRST
    assert results[2]["lots"][0]["reference"] == receipts[1]["receipt_number"]
    times = {(row["lot"], row["told_expiry"]): row["times"] for row in told_qa(office, product)}
    assert times == {("u-1", OTHER): 1, ("U-2", OTHER): 2, ("u-3", OTHER): 1}
    # sent again, what was posted is a duplicate, and what was refused is counted
    assert [each["state"] for each in office.results(ndjson(receipts))].count("duplicate") == 3
    again = {(row["lot"].upper(), row["told_expiry"]): row["times"] for row in told_qa(office, product)}
    assert again == {
        ("U-1", OTHER): 2, ("N-0", FIRST): 1, ("U-2", OTHER): 4, ("U-3", OTHER): 1, ("U-3", FIRST): 1,
    }  # fmt: skip


def test_a_table_is_refused_like_a_receipt(office):
    product = a_product()
    office.sell(**of_lot(product, ("C-1", FIRST)))
    head = "receipt_number,branch_id,channel,sold_at,product_id,generic_name,category,temp_class,lot,expiry,quantity,unit_price_fen,tax_bp,cost_fen,tenders"
    row = f"{uuid4().hex[:8]},S001,store,{utc_now().isoformat()},{product},N,otc,normal,c–1,{OTHER},1,100,1300,1,cash=100"
    [result] = office.results(f"{head}\n{row}\n".encode(), kind="text/csv")
    assert (result["state"], result["code"]) == ("refused", "lot_expiry_contradicts")
    assert told_qa(office, product)[0]["times"] == 1


def test_what_a_receipt_refused_for_credit_told_of_a_lot_is_forgotten(office, desk):
    product, customer = a_product(), str(uuid4())
    office.hear(office.permit(customer), office.grant(customer, limit_fen=1, overdue_tolerance_fen=0))
    receipt = of_lot(product, ("K-1", OTHER), customer_id=customer)
    owed = {**receipt, "tenders": [{"tender": "credit", "amount": money(1990)}]}
    results = office.results(ndjson([owed, of_lot(product, ("K-1", FIRST))]))
    assert [each["state"] for each in results] == ["refused", "posted"]
    assert results[0]["code"] == "credit_limit_exceeded"


@pytest.mark.parametrize("door", ["single", "upload"])
def test_of_two_that_tell_a_new_lot_at_one_moment_exactly_one_is_believed(office, door):
    for _ in range(4):
        product, meet = a_product(), Barrier(2)

        def sell(expiry, product=product, meet=meet):
            receipt = of_lot(product, ("P-1", expiry))
            meet.wait(10)
            if door == "single":
                return office.post("/v1/sales", receipt).status_code == 201
            return office.results(ndjson([receipt]))[0]["state"] == "posted"

        with ThreadPoolExecutor(2) as pool:
            won = list(pool.map(sell, (FIRST, OTHER)))
        assert sorted(won) == [False, True]
        sold = office.rows("select distinct expiry::text from sale_lines where product_id = :p", p=product)
        assert sold == [(FIRST if won[0] else OTHER,)]
        assert len(told_qa(office, product)) == 1


def test_who_waits_for_another_to_tell_a_lot_is_judged_by_what_that_one_did(office):
    """The row of a new lot is written by a transaction that is still open while a sale of the other date arrives."""
    insert = (
        "insert into lot_expiries (product_id, lot_key, lot, expiry, source, told_by, told_at)"
        " values (%s, 'W-1', 'W-1', %s, 'sale', 'x', now())"
    )
    for commits in (True, False):
        product = a_product()
        with office.database.engine.connect() as other, ThreadPoolExecutor(1) as pool:
            other.exec_driver_sql(insert, (product, FIRST))
            pending = pool.submit(office.post, "/v1/sales", of_lot(product, ("w-1", OTHER)))
            eventually(lambda: office.value(_WAITING) > 0)
            other.commit() if commits else other.rollback()
            assert pending.result(30).status_code == (409 if commits else 201)


def test_orders_shipments_samples_and_goods_receipts_tell_and_are_compared(office, desk):
    product = desk.price()

    def goods(lot, expiry):
        line = a_goods_line(product_id=product, lot=lot, **({} if expiry is None else {"expiry": expiry}))
        return office.post("/v1/goods-receipts", a_goods_receipt("S001", line), role="accountant")

    assert goods("G-1", FIRST).status_code == 201
    assert goods("G-1", None).status_code == 201  # what says no expiry contradicts none
    assert contradicts(goods("ｇ-1", OTHER))["errors"][0]["path"] == "lines.0.expiry"
    told = contradicts(office.post("/v1/sales", of_lot(product, ("g-1", OTHER))))
    assert told["lots"][0]["held_by"] == "goods_receipt"

    named = an_order_line(product, lots=[{"lot": "g1", "expiry": OTHER}, {"lot": "g-1", "expiry": OTHER}])
    draft = desk.drafted(named)
    assert desk.faults(desk.confirm(draft)) == ["lot_expiry_contradicts"]
    twice = an_order_line(product, lots=[{"lot": "O-1", "expiry": FIRST}, {"lot": "o-1", "expiry": OTHER}])
    assert desk.faults(desk.confirm(desk.drafted(twice))) == ["lot_expiry_contradicts"]
    order = desk.confirmed(an_order_line(product, lots=[{"lot": "O-1", "expiry": FIRST}]))
    told = contradicts(office.post("/v1/sales", of_lot(product, ("o-1", OTHER))))
    assert told["lots"][0]["held_by"] == "order"
    assert desk.ship(order, a_parcel(quantity=1, lot="o-1", expiry=FIRST)).status_code == 201

    free = desk.confirmed(an_order_line(product))
    contradicts(desk.ship(free, a_parcel(quantity=1, lot="g-1", expiry=OTHER)))
    contradicts(
        desk.ship(
            free,
            a_parcel(quantity=1, lot="S-1", expiry=FIRST),
            a_parcel(quantity=1, lot="s-1", expiry=OTHER),
        )
    )
    assert desk.ship(free, a_parcel(quantity=1, lot="S-1", expiry=FIRST)).status_code == 201
    told = contradicts(office.post("/v1/sales", of_lot(product, ("s-1", OTHER))))
    assert told["lots"][0]["held_by"] == "shipment"
    sources = {(row["lot"].upper(), row["source"]) for row in told_qa(office, product)}
    assert {("G-1", "shipment"), ("S-1", "sale"), ("O-1", "sale")} <= sources


def test_a_sample_tells_its_lot_is_compared_and_leaves_by_what_holds(office):
    product = a_product()
    asked = {
        "branch_id": "S001", "kind": "product", "recipient": "internal", "purpose": "laboratory", "quantity": 1, "customer_id": None,
        "product_id": product, "generic_name": "N", "category": "otc", "lot": "Y-1", "expiry": FIRST, "reason": "r",
    }  # fmt: skip
    sample = office.post("/v1/samples", asked, role="salesperson")
    assert sample.status_code == 201, sample.text
    told = contradicts(office.post("/v1/sales", of_lot(product, ("y-1", OTHER))))
    assert (told["lots"][0]["held_by"], told["lots"][0]["reference"]) == ("sample", sample.json["number"])
    again = contradicts(
        office.post("/v1/samples", asked | {"lot": "y–1", "expiry": OTHER}, role="salesperson")
    )
    assert again["errors"][0]["path"] == "expiry"
    # the goods turn out to have expired: nobody hands them out, whatever was asked for
    assert decided(office, product, "Y-1", str(TODAY - timedelta(days=1))).status_code == 201
    of = f"/v1/samples/{sample.json['sample_id']}"
    for role in ("business_head", "qa"):
        assert office.post(f"{of}/decisions", {"decision": "approved"}, role=role).status_code == 200
    refused(office.post(f"{of}/issue", role="storekeeper"), 409, "sample_lot_expired")


def test_what_an_offline_till_tells_late_is_compared_with_what_was_told_meanwhile(office):
    product, day = a_product(), "2026-03-03T02:15:00Z"
    office.sell(**of_lot(product, ("T-1", FIRST)))
    late = of_lot(product, ("t-1", OTHER), sold_at=day, late=True)
    contradicts(office.post("/v1/sales", late))
    assert decided(office, product, "T-1", OTHER).status_code == 201
    assert office.post("/v1/sales", late).status_code == 201


@pytest.mark.requirement("F27", "X1")
def test_quality_assurance_decides_by_the_package_and_sold_lines_stay(office):
    product = a_product()
    office.sell(**of_lot(product, ("Q-1", FIRST)))
    wrong = of_lot(product, ("q-1", OTHER))
    for _ in range(3):
        contradicts(office.post("/v1/sales", wrong))
    assert [row["times"] for row in told_qa(office, product, is_open="true")] == [3]

    refused(decided(office, product, "Q-1", OTHER, branches=("S001",)), 403, "company_not_covered")
    assert decided(office, product, "Q-1", OTHER, role="till").status_code == 403
    answer = decided(office, product, "ｑ-1", OTHER).json
    assert (answer["before"], answer["expiry"], answer["contradictions"]) == (FIRST, OTHER, 1)
    assert answer["decided_by"] == "the-qa"
    assert told_qa(office, product, is_open="true") == []
    [row] = told_qa(office, product, is_open="false", decision_id=answer["decision_id"])
    assert row["decision_id"] == answer["decision_id"]
    [listed] = office.get(f"/v1/lot-expiry-decisions?product_id={product}&lot=q-1", role="qa").json["items"]
    assert listed == answer

    assert office.post("/v1/sales", wrong).status_code == 201
    told = contradicts(office.post("/v1/sales", of_lot(product, ("Q-1", FIRST))))
    assert (told["lots"][0]["held_by"], told["lots"][0]["held_expiry"]) == ("decision", OTHER)
    assert "reference" not in told["lots"][0]
    sold = office.rows(
        "select expiry::text from sale_lines where product_id = :p order by sale_id", p=product
    )
    assert sold == [(FIRST,), (OTHER,)]
    actions = office.rows("select action from audit where subject = :id", id=answer["decision_id"])
    assert actions == [("lot_expiry.decide",)]
    assert office.value("select count(*) from row_log where relation = 'lot_expiries' and op = 'update'") >= 1
    # said again as it is, it settles what came since
    assert decided(office, product, "Q-1", OTHER).json["contradictions"] == 1


def test_what_quality_assurance_says_of_a_lot_before_anybody_holds(office):
    product = a_product()
    answer = decided(office, product, "Z-1", FIRST)
    assert (answer.status_code, answer.json["before"]) == (201, None)
    contradicts(office.post("/v1/sales", of_lot(product, ("z-1", OTHER))))
    office.sell(**of_lot(product, ("z-1", FIRST)))


def test_each_branch_sees_its_own_contradictions_and_no_paper_of_another(office):
    product = a_product()
    office.sell(**of_lot(product, ("B-1", FIRST)))
    answer = office.post("/v1/sales", of_lot(product, ("b-1", OTHER), branch_id="S002"), branches=("S002",))
    told = contradicts(answer)["lots"][0]
    assert (told["held_expiry"], told["held_by"]) == (FIRST, "sale")
    assert not {"branch_id", "reference"} & set(told)
    contradicts(office.post("/v1/sales", of_lot(product, ("b-1", OTHER))))
    where = f"/v1/lot-contradictions?product_id={product}"
    of = {
        branch: [row["branch_id"] for row in office.get(where, role="qa", branches=(branch,)).json["items"]]
        for branch in ("S001", "S002", "S003", "*")
    }
    assert of == {"S001": ["S001"], "S002": ["S002"], "S003": [], "*": ["S002", "S001"]}
    foreign = office.get(f"{where}&branch_id=S001", role="qa", branches=("S002",))
    assert refused(foreign, 403, "foreign_branch")
    [seen] = office.get(
        f"/v1/lot-expiries?product_id={product}", role="store_manager", branches=("S002",)
    ).json["items"]
    assert (seen["expiry"], seen["branch_id"], seen["reference"], seen["told_by"]) == (
        FIRST,
        None,
        None,
        None,
    )


def test_lists_go_on_after_their_cursor(office):
    product = a_product()
    office.sell(**of_lot(product, *((f"L{no}", FIRST) for no in range(3))))
    for no in range(3):
        contradicts(office.post("/v1/sales", of_lot(product, (f"l{no}", OTHER))))
    for path in ("lot-expiries", "lot-contradictions"):
        found, cursor = [], ""
        while cursor is not None:
            where = f"/v1/{path}?product_id={product}&limit=1" + (f"&cursor={cursor}" if cursor else "")
            page = office.get(where, role="qa").json
            found += [each["lot"].upper() for each in page["items"]]
            cursor = page["next_cursor"]
        assert found == ["L0", "L1", "L2"]


def test_a_till_that_never_stops_contradicting_is_counted_within_bounds(office):
    """However many dates and lots it invents."""
    product, branch = a_product(), "S-FLOOD"
    until = TODAY + timedelta(days=50)
    office.sell(**of_lot(product, ("F-1", FIRST)))
    receipts = [
        of_lot(product, *(("f-1", str(until + timedelta(days=200 * no + day))) for day in range(200)), branch_id=branch)
        for no in range(6)
    ]  # fmt: skip
    assert {each["code"] for each in office.results(ndjson(receipts))} == {"lot_expiry_contradicts"}
    counted = "select count(*), sum(times) from lot_contradictions where branch_id = :b"
    assert office.rows(counted, b=branch) == [(OPEN_OF_BRANCH_MAX, 1_200)]
    contradicts(office.post("/v1/sales", of_lot(product, ("f-1", str(until)), branch_id=branch)))
    assert office.rows(counted, b=branch) == [(OPEN_OF_BRANCH_MAX, 1_201)]
