"""A sale over HTTP: its rows, its event, its refusals, and its repetition."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.clock import utc_now
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money
from tests.support.roles import behind
from tests.support.watermarks import level_with, not_level_with


@pytest.mark.requirement("F1", "F15", "F24")
def test_a_sale_writes_its_lines_tenders_entry_and_event_at_once(office):
    receipt = a_receipt(
        "R-100",
        lines=[a_line(), a_line(quantity=1, discount=money(0), tax_bp=900, lot="L\\2")],
        tenders=[
            {"tender": "cash", "amount": money(1990)},
            {"tender": "medical_insurance", "amount": money(3900)},
        ],
    )
    answer = office.post("/v1/sales", receipt)
    assert answer.status_code == 201
    sale_id = answer.json["sale_id"]
    assert answer.json["total"] == money(5890)
    assert [line["tax"]["fen"] for line in answer.json["lines"]] == [449, 164]

    sale = office.get(f"/v1/sales/{sale_id}").json
    [found] = office.get("/v1/sales?branch_id=S001&receipt_number=R-100").json["items"]
    assert found["sale_id"] == sale_id
    assert sale["lines"][0]["generic_name"] == "阿莫西林胶囊"
    assert sale["lines"][1]["lot"] == "L\\2"
    none = {"redemption_id": None, "channel_transaction_id": None}
    assert sale["tenders"] == [
        {"tender": "cash", "amount": money(1990), **none},
        {"tender": "medical_insurance", "amount": money(3900), **none},
    ]
    posted = office.rows(
        "select l.account, l.debit_fen, l.credit_fen from journal_entries e join journal_lines l on"
        " l.entry_id = e.id where e.source_id = cast(:id as uuid) order by l.no",
        id=sale_id,
    )
    assert posted == [
        ("1001", 1990, 0),
        ("1012.04", 3900, 0),
        ("6001", 0, 5277),
        ("2221.01.01", 0, 613),
        ("6401", 4600, 0),
        ("1405", 0, 4600),
    ]
    [(event, day, amount, version)] = office.rows(
        "select data, day::text, amount_fen, version from outbox where subject = :id", id=sale_id
    )
    assert (day, amount, version) == ("2026-03-03", 5890, 1)
    assert [line["line_id"] for line in event["lines"]] == [line["line_id"] for line in answer.json["lines"]]
    assert event["tenders"] == [
        {"tender": "cash", "fen": 1990},
        {"tender": "medical_insurance", "fen": 3900},
    ]
    assert office.value("select count(*) from audit where subject = :id", id=sale_id) == 1


def test_the_same_receipt_again_is_the_same_sale_and_another_under_its_number_is_refused(office):
    receipt = a_receipt("R-200")
    first = office.post("/v1/sales", receipt)
    again = office.post("/v1/sales", receipt | {"sold_at": "2026-03-03T10:15:00+08:00", "late": True})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    other = office.post("/v1/sales", receipt | {"channel": "phone"})
    assert (other.status_code, other.json["code"]) == (409, "receipt_number_reused")
    assert office.post("/v1/sales", receipt | {"branch_id": "S002"}).status_code == 201
    assert office.value("select count(*) from sales where receipt_number = 'R-200'") == 2


def test_a_key_sent_twice_replays_the_answer(office):
    receipt = a_receipt()
    first = office.post("/v1/sales", receipt, key="till-1:1")
    again = office.post("/v1/sales", receipt, key="till-1:1")
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert first.data == again.data
    other = office.post("/v1/sales", a_receipt(), key="till-1:1")
    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")


def test_one_number_sent_by_many_tills_at_once_is_one_sale(office):
    receipt = a_receipt("R-300", sold_at="2025-07-01T02:00:00Z")  # a month nobody has opened yet
    with ThreadPoolExecutor(6) as tills:
        answers = list(tills.map(lambda _: office.post("/v1/sales", receipt), range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.json["sale_id"] for answer in answers}) == 1


REFUSALS = [
    ({"tenders": [{"tender": "cash", "amount": money(1)}]}, 422, "tenders_differ"),
    ({"lines": [a_line(quantity=0)]}, 422, "payload_invalid"),
    ({"lines": [a_line(expiry="2026-03-02")]}, 409, "lot_expired"),
    ({"lines": [a_line(tax_bp=1700)]}, 422, "vat_rate_unknown"),
    ({"sold_at": (utc_now() + timedelta(days=1)).isoformat()}, 422, "sold_in_future"),
    ({"sold_at": "1999-01-01T00:00:00Z"}, 422, "before_the_books"),
    ({"surprise": 1}, 422, "payload_invalid"),
    ({"receipt_number": "R\u0000"}, 422, "json_nul_character"),
]


@pytest.mark.requirement("F15", "F24")
@pytest.mark.parametrize(("odd", "status", "code"), REFUSALS)
def test_a_refused_receipt_changes_nothing(office, odd, status, code):
    before = office.rows("select (select count(*) from sales), (select count(*) from outbox), (select count(*) from receipts)")  # fmt: skip
    answer = office.post(
        "/v1/sales", a_receipt(**{k: v for k, v in odd.items() if k != "receipt_number"}) | odd
    )
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert before == office.rows("select (select count(*) from sales), (select count(*) from outbox), (select count(*) from receipts)")  # fmt: skip


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"3", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b'{"lines": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    ],
)
def test_what_is_not_a_receipt_is_refused_with_a_problem(office, data, kind, status):
    answer = office.app.test_client().post(
        "/v1/sales", data=data, content_type=kind, headers=office.headers("till") | {"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_till_sells_for_its_own_branches_and_reads_no_other(office):
    receipt = a_receipt("R-400")
    foreign = office.post("/v1/sales", receipt, branches=["S002"])
    assert (foreign.status_code, foreign.json["code"]) == (403, "foreign_branch")
    sale = office.post("/v1/sales", receipt, branches=["S001"]).json
    assert office.get(f"/v1/sales/{sale['sale_id']}", branches=["S002"]).status_code == 404
    assert office.get("/v1/sales?branch_id=S001&receipt_number=R-400", branches=["S002"]).status_code == 403
    assert office.get("/v1/sales?branch_id=S001&receipt_number=R-400", role="receiver").status_code == 403


@pytest.mark.requirement("F24")
def test_a_lot_is_found_wherever_it_was_sold_page_by_page(office):
    for branch in ("S001", "S002", "S001"):
        office.sell(branch_id=branch, lines=[a_line(lot="RECALL-1"), a_line(lot="OTHER")])
    path = "/v1/sale-lines?product_id=P-1&lot=RECALL-1&limit=2"
    first = office.get(path, role="qa").json
    second = office.get(f"{path}&cursor={first['next_cursor']}", role="qa").json
    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [2, 1, None]
    assert len({item["line_id"] for item in first["items"] + second["items"]}) == 3
    assert len(office.get(path, role="qa", branches=["S002"]).json["items"]) == 1
    assert office.get(f"{path}&cursor=x", role="qa").status_code == 422


CREDIT = {"customer_id": CUSTOMER, "tenders": [{"tender": "credit", "amount": money(3900)}]}


@pytest.mark.requirement("F13", "F15")
def test_credit_waits_for_news_of_an_unknown_customer_and_books_a_known_one_to_its_account(office):
    not_level_with(office.database, "customers")
    unknown = office.post("/v1/sales", a_receipt(**CREDIT))
    assert (unknown.status_code, unknown.json["code"]) == (503, "customer_not_yet_known")
    assert unknown.headers["Retry-After"]
    office.hear(office.permit())
    sale = office.sell(**CREDIT)
    [(account, customer)] = office.rows(
        "select account, customer_id::text from journal_lines l join journal_entries e on e.id = l.entry_id"
        " where e.source_id = cast(:id as uuid) and customer_id is not null",
        id=sale["sale_id"],
    )
    assert (account, customer) == ("1122", CUSTOMER)
    level_with(office.database, "customers")
    nobody = office.post("/v1/sales", a_receipt(**CREDIT | {"customer_id": CUSTOMER[:-1] + "9"}))
    assert (nobody.status_code, nobody.json["code"]) == (409, "customer_unknown")


@pytest.mark.requirement("F13")
@pytest.mark.parametrize(
    ("version", "odd", "why"),
    [
        (11, {"allowed": False}, "denied"),
        (12, {"categories": ["device"]}, "category"),
        (13, {"valid_until": "2026-03-02"}, "expired"),
    ],
)
def test_an_institution_without_permission_buys_nothing_even_for_cash(office, version, odd, why):
    institution = CUSTOMER[:-1] + "2"
    office.hear(office.permit(institution, version=version, **odd))
    refused = office.post("/v1/sales", a_receipt(customer_id=institution))
    assert (refused.status_code, refused.json["code"], refused.json["reason"]) == (
        409,
        "trade_not_permitted",
        why,
    )
    office.hear(office.permit(institution, version=version - 10, allowed=True))  # older news changes nothing
    assert office.post("/v1/sales", a_receipt(customer_id=institution)).status_code == 409


def test_a_patient_needs_no_permission_but_no_credit_without_one(office):
    patient = CUSTOMER[:-1] + "3"
    office.hear(office.permit(patient, kind="patient", allowed=False, categories=[]))
    assert office.post("/v1/sales", a_receipt(customer_id=patient)).status_code == 201
    refused = office.post("/v1/sales", a_receipt(**CREDIT | {"customer_id": patient}))
    assert refused.json["code"] == "trade_not_permitted"


def test_a_receipt_of_nothing_has_a_sale_but_no_entry(office):
    gift = a_line(unit_price=money(0), discount=money(0), cost=money(0))
    sale = office.sell(lines=[gift])
    assert sale["total"] == money(0)
    assert office.value("select count(*) from journal_entries where source_id = cast(:id as uuid)", id=sale["sale_id"]) == 0  # fmt: skip
    assert office.value("select count(*) from outbox where subject = :id", id=sale["sale_id"]) == 1


@pytest.mark.requirement("X7")
@pytest.mark.parametrize(
    "change",
    [
        "update journal_lines set debit_fen = debit_fen + 1 where debit_fen > 0",
        "delete from journal_lines",
        "update journal_entries set total_fen = 1",
        "delete from journal_entries",
        "truncate sales",
        "update sale_lines set quantity = 1",
        "insert into journal_lines values (1, 99, '2026-03-03', 'S001', '1001', null, 5, 0)",
    ],
)
def test_the_database_itself_refuses_to_change_what_was_posted(office, change):
    office.sell()
    with pytest.raises(Exception, match=r"append-only|does not balance"), behind(office.database) as conn:
        conn.exec_driver_sql(change)
