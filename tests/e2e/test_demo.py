"""The demonstration, end to end on a small slice: one store, one month, the embedded system."""

import argparse
import csv
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from apotheca import (
    demo,
    demo_books,
    demo_clinic,
    demo_institution,
    demo_institution_proof,
    demo_receipts,
    demo_reports,
)
from apotheca.demo_client import Caller, Refused
from apotheca.demo_receipts import Slice
from apotheca.system import System
from shared.clock import business_date, utc_now
from shared.database import Database
from shared.settings import SERVICES
from tests.support.ports import five_free_ports
from tests.support.published import faults_in

FEBRUARY = date(2017, 2, 1)
SLICE = Slice(stores=1, first_month=2, last_month=2)


@pytest.fixture(scope="module")
def demonstrated(make_folder):
    """The system after one demonstration of one store and one month."""
    folder = make_folder()
    demo.prepare(folder)
    with System(folder, first_port=five_free_ports()) as system:
        demo.run_demo(system, argparse.Namespace(all=False, stores=1, months=(2, 2), once=True))
        yield system


@pytest.mark.requirement("F1", "F2", "X3")
def test_every_receipt_of_the_source_is_in_the_ledger_of_its_month(demonstrated):
    receipts = demo_receipts.read(SLICE)
    good = [receipt.without(bad_lines(receipt)) for receipt in receipts]
    wanted = demo_reports.sums_of(receipt for receipt in good if receipt.lines)
    reporting = Caller(demonstrated, "reporting", "test-reader", "management")
    assert demo_reports.sums_in_reporting(reporting, [FEBRUARY]) == wanted


@pytest.mark.requirement("X11")
def test_every_receipt_was_held_against_the_catalogue_that_was_told_first(demonstrated):
    qa = Caller(demonstrated, "finance", "test-qa", "qa")
    [setting] = qa.get("/v1/product-check-settings", state="approved")["items"]
    assert (setting["mode"], setting["effective_from"]) == ("enforce", "2017-01-01")
    receipt = demo_receipts.read(SLICE)[0]
    today = {"receipt_number": "DISGUISED", "sold_at": utc_now().isoformat()}
    body = demo_receipts.for_finance(receipt, None) | today
    for line in body["lines"]:
        line |= {"lot": "NEW", "expiry": "2099-12-31", "tax_bp": 1300}
    body["lines"][0]["product"] |= {"category": "food", "temp_class": "frozen"}
    till = Caller(demonstrated, "finance", "test-till", "till")
    with pytest.raises(Refused, match="product_contradicts_catalogue"):
        till.try_post("/v1/sales", body)


@pytest.mark.requirement("F1")
def test_every_bad_line_is_listed_with_its_reason_and_no_other(demonstrated):
    wanted = sorted(
        (receipt.number, line.product.product_id)
        for receipt in demo_receipts.read(SLICE)
        for line in receipt.lines
        if line.quantity <= 0
    )
    with (demonstrated.folder / demo.REFUSED_LINES).open() as file:
        rows = list(csv.DictReader(file))
    assert sorted((row["receipt_number"], row["product_id"]) for row in rows) == wanted
    assert wanted
    assert all("quantity" in row["reason"] for row in rows)


@pytest.mark.parametrize("service", SERVICES)
def test_every_event_of_the_demonstration_is_what_the_published_documents_say(demonstrated, service):
    assert faults_in(demonstrated.database_url(service)) == []


@pytest.mark.requirement("F2")
def test_the_month_is_closed_with_its_hash(demonstrated):
    reporting = Caller(demonstrated, "reporting", "test-reader", "management")
    ledger = reporting.get("/v1/sales-ledgers/2017-02")
    assert ledger["state"] == "closed"
    assert len(ledger["content_hash"]) == 64


@pytest.mark.requirement("R4", "R17", "F22")
def test_returns_were_refunded_for_what_was_paid(demonstrated):
    returns = Caller(demonstrated, "returns", "test-reader", "management")
    notices = returns.get("/v1/returns")["items"]
    assert notices
    refunds = sum(notice["refund"]["fen"] for notice in notices)
    finance = Caller(demonstrated, "finance", "test-control", "feed")
    today = business_date(utc_now()).isoformat()
    yesterday = date.fromisoformat(today).replace(day=1).isoformat()
    days = finance.get("/internal/control-totals", **{"from": yesterday, "to": today})["days"]
    paid = [row for row in days if row["type"].startswith("finance.refund.paid.")]
    assert (sum(row["events"] for row in paid), sum(row["amount_fen"] for row in paid)) == (
        len(notices),
        refunds,
    )


@pytest.mark.requirement("P2", "D13")
def test_the_three_metrics_have_numerator_and_denominator(demonstrated):
    reporting = Caller(demonstrated, "reporting", "test-reader", "management")
    today = f"{business_date(utc_now()):%Y-%m}"
    for code, month in (("M1", today), ("M2", today), ("M3", "2017-02")):
        metric = reporting.get(f"/v1/metrics/{code}", month=month)
        assert 0 <= metric["numerator"] <= metric["denominator"], code
        assert metric["denominator"] > 0, code


@pytest.mark.requirement("F8", "F10", "F13", "F14", "F16")
def test_the_institutions_story_is_in_the_contract_the_letter_and_the_banks_reconciliation(demonstrated):
    story = demo_institution.run(demonstrated, lambda _count: None)  # finds everything done
    demo_institution_proof.require(demo_institution_proof.prove(demonstrated, story))
    accountant = Caller(demonstrated, "finance", "test-reader", "accountant")
    [contract] = accountant.get("/v1/contracts", customer_id=story.customer_id)["items"]
    assert (contract["number"], contract["state"]) == (story.contract_number, "fulfilled")
    letter = accountant.get(f"/v1/dunning-letters/{story.letter_id}")
    assert (letter["level"], letter["total"]["fen"]) == (2, demo_institution.OVERDUE_FEN)
    cases = accountant.get("/v1/dunning-cases", customer_id=story.customer_id)["items"]
    assert {each["state"] for each in cases} == {"settled"}
    assert story.reconciliation["difference"]["fen"] == 0
    assert story.reconciliation["statement"]["fen"] == sum(
        each.fen for each in demo_institution.payments_of(story.began_on)
    )
    for name in ("contract", "delivery-note", "letter"):
        assert story.papers[name].read_bytes().startswith(b"%PDF-")


@pytest.mark.requirement("X3")
def test_a_second_demonstration_changes_nothing(demonstrated):
    feed = Caller(demonstrated, "finance", "test-control", "feed")
    before = feed.get("/internal/head")["last_seq"]
    demo.run_demo(demonstrated, argparse.Namespace(all=False, stores=1, months=(2, 2), once=True))
    assert feed.get("/internal/head")["last_seq"] == before


@pytest.mark.requirement("X3")
def test_a_demonstration_of_a_later_season_changes_nothing(demonstrated, monkeypatch):
    """Every answer grows older than a service keeps it, the job that removes them runs, and it is another day."""
    for service in SERVICES:
        database = Database(demonstrated.database_url(service), pool_size=1)
        with database.begin() as conn:
            conn.execute(text("update idempotency_keys set created_at = created_at - interval '100 days'"))
        database.dispose()
        demonstrated.run_job(service, "prune_idempotency_keys")
    monkeypatch.setattr(demo_clinic, "utc_now", lambda: utc_now() + timedelta(days=100))
    feeds = [Caller(demonstrated, service, "test-control", "feed") for service in SERVICES]
    before = [feed.get("/internal/head")["last_seq"] for feed in feeds]
    demo.run_demo(demonstrated, argparse.Namespace(all=False, stores=1, months=(2, 2), once=True))
    assert [feed.get("/internal/head")["last_seq"] for feed in feeds] == before


def bad_lines(receipt) -> set[int]:
    return {position for position, line in enumerate(receipt.lines) if line.quantity <= 0}


@pytest.mark.requirement("F1", "F15")
def test_the_books_owe_what_customers_were_promised(demonstrated):
    (points,) = demo_books.points_of(demonstrated, [FEBRUARY])
    assert points.told * demo_books.POINT_FEN == points.owed_fen > 0
