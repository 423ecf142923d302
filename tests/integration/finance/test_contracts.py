"""Contracts from draft to fulfilment: mandatory contents, review, both signatures, and who may change what."""

import io
from datetime import timedelta
from uuid import UUID, uuid4

import pypdf
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from finance.contract_forms.rules import ContractLineUnknown
from finance.contracts import rules
from finance.contracts.jobs import pass_contract_days
from finance.contracts.store import fulfilment as store
from finance.kernel.words import in_words
from shared.clock import utc_now
from shared.identity import Actor
from shared.transaction import Tx
from tests.support.contracts import (
    CONTACT,
    SIGNATORY,
    TODAY,
    a_content,
    a_contract_line,
    drafted,
    reviewed,
    sign,
    signed,
)
from tests.support.debtors import run
from tests.support.finance_builders import money, refused
from tests.support.roles import behind

MANDATORY = [
    "lines.0.line_no",
    "lines.0.product_id",
    "lines.0.generic_name",
    "lines.0.specification",
    "lines.0.category",
    "lines.0.quantity",
    "lines.0.unit_price",
    "lines.0.tax_bp",
    "lines.0.delivery_date",
    "payment_terms.method",
    "payment_terms.instalments",
    "quality_clause",
    "our_signatory",
    "customer_signatory",
    "place",
    "dated_on",
    "file_sha256",
    "valid_from",
    "valid_until",
]


@pytest.fixture(scope="module")
def customer(office):
    customer_id = str(uuid4())
    assert office.hear(office.permit(customer_id)).parked == 0
    return customer_id


def step(office, contract_id, path, body=None, role="salesperson", **identity):
    return office.post(f"/v1/contracts/{contract_id}/{path}", body or {}, role=role, **identity)


def shown(office, contract_id):
    return office.get(f"/v1/contracts/{contract_id}", role="accountant").json


def told(office, contract_id):
    return [
        (row[0].split(".")[2], row[1])
        for row in office.rows(
            "select type, data from outbox where aggregate = 'contract' and subject = :id order by id",
            id=contract_id,
        )
    ]


@pytest.mark.requirement("F8")
def test_a_contract_lacking_anything_is_refused_with_everything_it_lacks_named_at_once(office, customer):
    body = {"branch_id": "S001", "customer_id": customer, "content": {"lines": [{}]}}
    draft = office.post("/v1/contracts", body, role="salesperson").json
    assert draft["missing"] == MANDATORY
    problem = refused(step(office, draft["contract_id"], "submit"), 422, "contract_incomplete")
    assert [each["path"] for each in problem["errors"]] == MANDATORY
    assert (
        office.post("/v1/contracts", {**body, "content": {}}, role="salesperson").json["missing"][0]
        == "lines"
    )


@pytest.mark.requirement("F8")
def test_contents_that_contradict_each_other_are_refused_together(office, customer):
    late = str(TODAY + timedelta(days=900))
    contract_id = drafted(
        office,
        customer,
        lines=[a_contract_line(), a_contract_line(tax_bp=1700), a_contract_line(3, delivery_date=late)],
        payment_terms={"method": "bank", "instalments": [{"days": 5, "share_bp": 1}, {"days": 5, "share_bp": 2}]},
    )  # fmt: skip
    problem = refused(step(office, contract_id, "submit"), 422, "contract_content_invalid")
    assert [each["path"] for each in problem["errors"]] == [
        "lines.1.line_no",
        "lines.1.tax_bp",
        "lines.2.delivery_date",
        "payment_terms.instalments",
        "payment_terms.instalments",
    ]
    forever = {"branch_id": "S001", "customer_id": customer, "content": {"valid_until": "9999-12-31"}}
    refused(office.post("/v1/contracts", forever, role="salesperson"), 422, "payload_invalid")
    ended = drafted(office, customer, valid_from=str(TODAY), valid_until=str(TODAY - timedelta(days=1)))
    refused(step(office, ended, "submit"), 422, "contract_content_invalid")


@pytest.mark.requirement("X7", "F26")
def test_numbers_have_no_gaps_and_every_change_of_the_paper_has_its_who_when_and_why(office, customer):
    first, second = (drafted(office, customer, branch="S009") for _ in range(2))
    assert [shown(office, each)["number"][-4:] for each in (first, second)] == ["0001", "0002"]
    revised = office.app.test_client().put(
        f"/v1/contracts/{first}",
        json={"content": a_content(place="北京")},
        headers=office.headers("salesperson") | {"Idempotency-Key": uuid4().hex},
    )
    assert revised.json["content"]["place"] == "北京"
    step(office, first, "submit")
    rejection = {"decision": "rejected", "reason": "质量条款不足"}
    step(office, first, "decisions", rejection, role="finance_head")
    assert shown(office, first)["state"] == "draft"
    history = office.get(f"/v1/contracts/{first}/changes", role="qa").json
    assert [(each["change"], each["actor"], each["reason"]) for each in history["items"]] == [
        ("drafted", "the-salesperson", None),
        ("revised", "the-salesperson", None),
        ("submitted", "the-salesperson", None),
        ("rejected", "the-finance_head", "质量条款不足"),
    ]
    assert history["form"] == "REC-HT-R00"
    assert history["items"][0]["content_hash"] != history["items"][1]["content_hash"]
    step(office, first, "submit")
    assert step(office, first, "decisions", {"decision": "approved"}, role="finance_head").status_code == 200
    page = office.get(f"/v1/contracts/{first}/changes?limit=2", role="qa").json
    rest = office.get(f"/v1/contracts/{first}/changes?limit=200&cursor={page['next_cursor']}", role="qa").json
    assert len(page["items"]) + len(rest["items"]) == 6


@pytest.mark.requirement("F8", "X1")
def test_the_legal_review_is_by_others_than_the_drafter_with_reasons_on_rejection(office, customer):
    contract_id = drafted(office, customer)
    refused(
        step(office, contract_id, "decisions", {"decision": "approved"}, role="business_head"),
        409,
        "contract_state_wrong",
    )
    step(office, contract_id, "submit", role="business_head", person="boss")
    own = step(
        office, contract_id, "decisions", {"decision": "approved"}, role="business_head", person="boss"
    )
    refused(own, 403, "approval_same_person")
    silent = step(office, contract_id, "decisions", {"decision": "rejected"}, role="business_head")
    refused(silent, 422, "approval_reason_missing")
    assert (
        step(office, contract_id, "decisions", {"decision": "approved"}, role="business_head").status_code
        == 200
    )
    refused(sign(office, contract_id, "ours"), 409, "contract_not_reviewed")
    twice = step(
        office,
        contract_id,
        "decisions",
        {"decision": "approved"},
        role="finance_head",
        person="the-business_head",
    )
    refused(twice, 403, "approval_same_person")


@pytest.mark.requirement("F8", "F9", "C37")
def test_both_named_signatories_sign_and_the_contract_is_told(office, customer):
    contract_id = reviewed(office, customer)
    refused(sign(office, contract_id, "ours", role="unit_head"), 403, "contract_signatory_not_named")
    refused(
        sign(office, contract_id, "customer", contact_id=str(uuid4())), 403, "contract_signatory_not_named"
    )
    tomorrow = TODAY + timedelta(days=1)
    refused(sign(office, contract_id, "customer", on=tomorrow), 422, "contract_signature_date_invalid")
    assert sign(office, contract_id, "customer", on=TODAY - timedelta(days=9)).json["state"] == "legal_review"
    refused(sign(office, contract_id, "customer"), 409, "contract_party_signed")
    done = sign(office, contract_id, "ours", on=TODAY - timedelta(days=5)).json
    assert (done["state"], done["version"], done["value"]) == ("active", 1, money(199_000))
    assert (done["lag_days"], done["late"]) == (5, True)
    assert {each["party"]: each["signatory"] for each in done["signatures"]} == {
        "ours": SIGNATORY,
        "customer": CONTACT,
    }
    [(fact, data)] = told(office, contract_id)
    assert fact == "signed"
    assert (data["late"], data["lag_days"], data["value_fen"]) == (True, 5, 199_000)
    listed = office.get("/v1/contracts?late=true&state=active", role="qa").json["items"]
    assert [each["contract_id"] for each in listed] == [contract_id]
    refused(sign(office, contract_id, "ours"), 409, "contract_state_wrong")


@pytest.mark.requirement("F8", "C37")
def test_what_is_withdrawn_before_both_have_signed_is_reviewed_and_signed_anew(office, customer):
    contract_id = reviewed(office, customer)
    assert sign(office, contract_id, "customer").status_code == 200
    back = step(office, contract_id, "withdraw", {"reason": "客户要求改期"}).json
    assert (back["state"], back["reviewed_on"]) == ("draft", None)
    refused(step(office, contract_id, "withdraw", {"reason": "x"}), 409, "contract_state_wrong")
    assert step(office, contract_id, "submit").json["signatures"] == []
    refused(sign(office, contract_id, "customer"), 409, "contract_not_reviewed")
    for role in ("business_head", "finance_head"):
        step(office, contract_id, "decisions", {"decision": "approved"}, role=role)
    assert sign(office, contract_id, "customer").json["state"] == "legal_review"
    assert sign(office, contract_id, "ours").json["state"] == "active"
    refused(step(office, contract_id, "withdraw", {"reason": "x"}), 409, "contract_state_wrong")


@pytest.mark.requirement("F8")
def test_the_drafter_does_not_sign(office, customer):
    body = {"branch_id": "S001", "customer_id": customer, "content": a_content(our_signatory="boss")}
    contract_id = office.post("/v1/contracts", body, role="business_head", person="boss").json["contract_id"]
    step(office, contract_id, "submit")
    for role in ("business_head", "finance_head"):
        step(office, contract_id, "decisions", {"decision": "approved"}, role=role)
    boss = {"party": "ours", "signed_on": str(TODAY), "file_sha256": "cd" * 32}
    answer = step(office, contract_id, "signatures", boss, role="business_head", person="boss")
    refused(answer, 403, "approval_same_person")


@pytest.mark.requirement("F8", "C28")
@pytest.mark.parametrize(
    ("permission", "status", "code"),
    [
        ({"allowed": False}, 409, "trade_not_permitted"),
        ({"categories": ["rx"]}, 409, "trade_not_permitted"),
        ({"valid_until": str(TODAY - timedelta(days=1))}, 409, "trade_not_permitted"),
        (None, 409, "customer_unknown"),
    ],
)
def test_who_may_not_trade_on_the_day_of_signing_gets_no_contract(office, permission, status, code):
    customer_id = str(uuid4())
    if permission is not None:
        office.hear(office.permit(customer_id, **permission))
    contract_id = reviewed(office, customer_id)
    assert sign(office, contract_id, "ours").status_code == 200
    refused(sign(office, contract_id, "customer"), status, code)
    assert shown(office, contract_id)["state"] == "legal_review"


@pytest.mark.requirement("C37", "F26")
def test_the_database_itself_refuses_to_change_or_remove_what_was_signed(office):
    contract_id = signed(office)
    of = f"where contract_id = '{contract_id}'"
    for harm in (
        f"update contract_versions set content = '{{}}' {of}",
        f"delete from contract_versions {of}",
        "truncate contract_versions",
        f"update contracts set draft = '{{}}' {of}",
        f"update contracts set customer_id = gen_random_uuid() {of}",
        f"update contracts set valid_until = valid_until + 1 {of}",
        f"update contracts set version = 2 {of}",
        f"delete from contracts {of}",
        f"update contract_fulfilment set quantity = 5 {of}",
        f"update contract_fulfilment set ordered = 101 {of}",
        f"update contract_signatures set signatory = 'x' {of}",
        f"delete from contract_changes {of}",
    ):
        with pytest.raises(IntegrityError), behind(office.database) as conn:
            conn.execute(text(harm))


@pytest.mark.requirement("F26")
def test_the_paper_is_kept_as_long_as_its_longest_class_asks(office):
    contract_id = signed(office, valid_until="2027-03-31")
    kept = shown(office, contract_id)
    assert kept["retention_classes"] == ["ACC-30", "GSP-REC"]
    assert kept["keep_until"] == "2057-12-31"
    assert kept["content"]["file_sha256"] == "ab" * 32


@pytest.mark.requirement("F8", "X7")
def test_a_contract_is_printed_in_chinese_and_english_with_its_amount_in_words(office):
    contract_id = signed(office)
    answer = office.get(f"/v1/contracts/{contract_id}/pdf", role="salesperson")
    assert answer.mimetype == "application/pdf"
    words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
    for expected in (
        "药品购销合同",
        "Sales contract",
        in_words(199_000),
        "1,990.00",
        "REC-HT-R00",
        "阿莫西林",
    ):
        assert expected in words.replace("\n", ""), expected
    draft = drafted(office, str(uuid4()))
    assert office.get(f"/v1/contracts/{draft}/pdf", role="salesperson").data.startswith(b"%PDF")
    dear = a_contract_line(unit_price=money(10**10), quantity=10**6)
    for lines in ([{}], [dear]):
        unfinished = drafted(office, str(uuid4()), lines=lines)
        assert office.get(f"/v1/contracts/{unfinished}/pdf", role="salesperson").data.startswith(b"%PDF")
    refused(office.get(f"/v1/contracts/{contract_id}/pdf?version=7"), 404, "contract_version_not_found")


# --- fulfilment -------------------------------------------------------------------------------------


def act(office, step, *arguments, on=None):
    with office.database.begin() as conn:
        actor = Actor("clerk", frozenset({"invoicing_clerk"}), frozenset({"*"}))
        step(Tx(conn=conn, actor=actor, now=utc_now()), *arguments)


@pytest.mark.requirement("F9", "F10")
def test_what_is_ordered_and_shipped_is_tracked_per_line_until_all_is_fulfilled(office):
    due = TODAY - timedelta(days=1)
    contract_id = UUID(
        signed(office, None, a_contract_line(1, quantity=10, delivery_date=str(due)), a_contract_line(2, quantity=4))
    )  # fmt: skip
    act(office, store.order, contract_id, 1, 10, 1990, TODAY)
    act(office, store.release, contract_id, 1, 3)
    act(office, store.ship, contract_id, 1, 5, 1990, due)
    act(office, store.ship, contract_id, 1, 2, 1990, TODAY)
    [first, second] = shown(office, contract_id)["fulfilment"]
    names = ("ordered", "shipped", "remaining", "unshipped", "late", "overdue")
    assert [first[name] for name in names] == [7, 7, 3, 3, 2, True]
    assert first["shipped_value"] == money(7 * 1990)
    overdue = "/v1/contracts?overdue=true&limit=200"
    assert str(contract_id) in [each["contract_id"] for each in office.get(overdue).json["items"]]
    assert [second[name] for name in names] == [0, 0, 4, 4, 0, False]
    act(office, store.order, contract_id, 1, 3, 1990, TODAY)
    act(office, store.order, contract_id, 2, 4, 1990, TODAY)
    act(office, store.ship, contract_id, 1, 3, 1990, TODAY)
    assert str(contract_id) not in [each["contract_id"] for each in office.get(overdue).json["items"]]
    assert shown(office, contract_id)["state"] == "active"
    act(office, store.ship, contract_id, 2, 4, 1990, TODAY)
    assert shown(office, contract_id)["state"] == "fulfilled"
    assert told(office, str(contract_id))[-1] == (
        "fulfilled",
        {
            **{name: shown(office, contract_id)[name] for name in ("contract_id", "number", "branch_id", "customer_id")},
            "shipped_fen": 14 * 1990,
            "shipped": 14,
            "late": 5,
        },
    )  # fmt: skip
    moves = office.rows(
        "select kind, sum(quantity)::int from contract_moves where contract_id = :id group by 1 order by 1",
        id=contract_id,
    )
    assert moves == [("order", 17), ("release", 3), ("ship", 14)]


@pytest.mark.requirement("F9", "F13")
def test_an_order_beyond_the_contract_is_refused(office):
    contract_id = UUID(signed(office, None, a_contract_line(quantity=10)))
    with pytest.raises(rules.ContractPriceDiffers):
        act(office, store.order, contract_id, 1, 1, 1989, TODAY)
    with pytest.raises(ContractLineUnknown):
        act(office, store.order, contract_id, 2, 1, 1990, TODAY)
    with pytest.raises(rules.ContractNotActive):
        act(office, store.order, contract_id, 1, 1, 1990, TODAY + timedelta(days=400))
    with pytest.raises(rules.ContractNotFound):
        act(office, store.order, uuid4(), 1, 1, 1990, TODAY)
    with pytest.raises(rules.ContractQuantityExceeded):
        act(office, store.release, contract_id, 1, 1)
    with pytest.raises(rules.ContractQuantityExceeded):
        act(office, store.ship, contract_id, 1, 1, 1990, TODAY)
    with pytest.raises(rules.ContractQuantityExceeded):
        act(office, store.order, contract_id, 1, 11, 1990, TODAY)
    with office.database.begin() as conn:
        terms = store.terms_of(conn, contract_id)
        assert terms == '[{"days": 0, "share_bp": 3000}, {"days": 60, "share_bp": 7000}]'
        draft = UUID(drafted(office, str(uuid4())))
        assert store.terms_of(conn, draft) is None
    with pytest.raises(rules.ContractNotActive):
        act(office, store.order, draft, 1, 1, 1990, TODAY)


@pytest.mark.requirement("F9")
def test_time_puts_contracts_in_force_and_expires_them(office):
    in_a_week = TODAY + timedelta(days=7)
    contract_id = signed(office, valid_from=str(in_a_week), valid_until=str(TODAY + timedelta(days=60)))
    assert shown(office, contract_id)["state"] == "signed"
    run(office, pass_contract_days)
    assert shown(office, contract_id)["state"] == "signed"
    run(office, pass_contract_days, in_a_week)
    assert shown(office, contract_id)["state"] == "active"
    act(office, store.order, UUID(contract_id), 1, 30, 1990, in_a_week)
    run(office, pass_contract_days, TODAY + timedelta(days=61))
    assert shown(office, contract_id)["state"] == "expired"
    assert told(office, contract_id)[-1][0] == "expired"
    assert told(office, contract_id)[-1][1]["unshipped_fen"] == 199_000
    with pytest.raises(rules.ContractNotActive):
        act(office, store.order, UUID(contract_id), 1, 1, 1990, TODAY)
    act(office, store.ship, UUID(contract_id), 1, 20, 1990, TODAY + timedelta(days=61))
    act(office, store.release, UUID(contract_id), 1, 10)
    assert shown(office, contract_id)["state"] == "expired"
