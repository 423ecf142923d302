"""Clients generated from the documents: whole, without a warning, and good enough for a till, an accountant and a return."""

import base64
import io
import json
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from apotheca.system import System
from deploy.generate.openapi import document_of
from deploy.generate.repository import SERVICES
from shared.clock import business_date, month_of, utc_now
from tests.support.eventually import eventually
from tests.support.generated import RefusedByService, Service, generate, operations_of
from tests.support.ports import five_free_ports

BRANCH = "GC-1"
TODAY = business_date(utc_now())
LAST = month_of(TODAY) - timedelta(days=1)
SOLD_ON = LAST.replace(day=3)
PRICE_FEN = 1_950
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def said(make_folder):
    folder = make_folder()
    sys.path.insert(0, str(folder))
    yield generate(folder)
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def ask(said, make_folder):
    """`ask("finance", "till")`: a service, as the person who holds this role."""
    with System(make_folder(), first_port=five_free_ports()) as system:

        def of(package, role):
            token = system.issuer.token(f"the-{role}", [role], [BRANCH])
            return Service(package, system.address(package), token)

        yield of


@pytest.mark.parametrize("package", SERVICES)
def test_the_generator_warns_of_nothing_and_every_operation_is_a_function(said, package):
    assert [line for line in said[package].splitlines() if "warning" in line.lower()] == []
    asked = {
        methods[method]["operationId"]
        for methods in document_of(package)["paths"].values()
        for method in METHODS
        if method in methods
    }
    assert asked == set(operations_of(package))


def a_receipt(till, number, *tenders, sold_at=None, customer=None):
    """Two blood pressure monitors, paid with the tenders (kind, fen and, for points, a redemption)."""
    m = till.models
    product = m.ProductBody(
        product_id="P-10", generic_name="血压计", category="device", temp_class=m.ProductBodyTempClass.NORMAL
    )
    line = m.ReceiptLineBody(
        product=product,
        lot="L10",
        expiry=date(2099, 12, 31),
        quantity=2,
        tax_bp=1_300,
        unit_price=m.MoneyNotNegativeUpTo10000000000(fen=PRICE_FEN),
        cost=m.MoneyNotNegative(fen=2_000),
    )
    paid = [
        m.PaymentBody(
            tender=m.PaymentBodyTender(kind),
            amount=m.MoneyPositive(fen=fen),
            **({"redemption_id": more[0]} if more else {}),
        )
        for kind, fen, *more in tenders
    ]
    return m.ReceiptBody(
        receipt_number=number,
        branch_id=BRANCH,
        channel=m.ReceiptBodyChannel.STORE,
        sold_at=sold_at or utc_now(),
        customer_id=customer or till.types.UNSET,
        lines=[line],
        tenders=paid,
    )


@pytest.mark.requirement("C38", "F1")
def test_a_till_has_its_day_with_a_generated_client(ask):
    till, members = ask("finance", "till"), ask("customers", "till")
    patient = members.models.PatientBody(name="王某", branch_id=BRANCH)
    member = members.create_patient(body=patient).customer_id
    sale = till.create_sale(body=a_receipt(till, "G-1", ("wechat", 3_900), customer=member))
    assert sale.total.fen == 3_900

    # What was sold without a connection goes in one request; sent again, nothing is posted twice.
    queue = "".join(
        json.dumps(a_receipt(till, number, ("cash", 3_900)).to_dict()) + "\n" for number in ("G-2", "G-3")
    )
    for state in ("posted", "duplicate"):
        answer = till.upload_sales(body=till.types.File(payload=io.BytesIO(queue.encode())))
        assert {json.loads(line)["state"] for line in answer.payload} == {state}

    def earned():
        return members.get_customer_points(member).balance >= 30

    eventually(earned, within_s=60)
    redemption = members.create_redemption(
        body=members.models.RedemptionBody(
            customer_id=member, branch_id=BRANCH, receipt_number="G-4", points=30
        )
    )
    receipt = a_receipt(
        till,
        "G-4",
        ("points", redemption.value.fen, redemption.redemption_id),
        ("cash", 3_870),
        customer=member,
    )

    def paid():
        try:
            return till.create_sale(body=receipt)
        except RefusedByService as refused:
            if refused.code != "redemption_not_yet_known":
                raise
            return None

    assert eventually(paid, within_s=60).total.fen == 3_900
    totals = till.list_sales_totals(branch_id=BRANCH, from_=TODAY, until=TODAY).items
    assert sum(each.amount.fen for each in totals) == 4 * 3_900
    [found] = till.list_sales(branch_id=BRANCH, receipt_number="G-3").items
    assert found.receipt_number == "G-3"

    with pytest.raises(RefusedByService) as refused:
        till.create_sale(body=a_receipt(till, "G-5", ("cash", 1)))
    assert refused.value.code == "tenders_differ"


@pytest.mark.requirement("F11")
def test_an_accountant_imports_a_bank_statement_with_a_generated_client(ask):
    till, accountant = ask("finance", "till"), ask("finance", "accountant")
    head, m = ask("finance", "finance_head"), accountant.models
    noon = datetime(SOLD_ON.year, SOLD_ON.month, SOLD_ON.day, 4, tzinfo=UTC)
    till.create_sale(body=a_receipt(till, "B-1", ("wechat", 3_900), sold_at=noon))
    account = head.create_bank_account(
        body=m.BankAccountBody(name="门店户", bank="工商银行", number="1001 2345 6789", branch_id=BRANCH)
    ).account_id
    less_fee = 3_877
    table = (
        "date,amount,reference,summary,counterparty\n"
        f"{SOLD_ON + timedelta(days=1)},{less_fee / 100:.2f},T1,财付通 结算,财付通\n"
    )
    imported = accountant.create_bank_account_statement(
        account,
        body=m.BankStatementBody(
            format_=m.BankStatementBodyFormat.CSV,
            dialect="plain",
            number=f"{LAST:%Y-%m}",
            from_=LAST.replace(day=1),
            until=LAST,
            opening=m.MoneySigned(fen=0),
            closing=m.MoneySigned(fen=less_fee),
            file=base64.b64encode(table.encode()).decode(),
        ),
    )
    assert (imported.new_lines, imported.closing.fen) == (1, less_fee)
    [line] = accountant.list_unmatched_bank_lines(account_id=account).items
    proposals = accountant.list_bank_match_proposals(account_id=account).items
    assert {each.line_id for each in proposals} <= {line.line_id}
    matched = accountant.match_bank_line(
        line.line_id,
        body=m.BankMatchBody(
            kind=m.BankMatchBodyKind.SETTLEMENT,
            clearing=m.BankMatchBodyClearing.WECHAT,
            batches=[m.BankBatchBody(branch_id=BRANCH, day=SOLD_ON)],
        ),
    )
    assert (matched.fee.fen, matched.undone_at) == (3_900 - less_fee, None)
    reconciled = accountant.create_bank_account_reconciliation(
        account, body=m.BankMonthArgs(month=f"{LAST:%Y-%m}")
    )
    assert (reconciled.difference.fen, reconciled.statement.fen) == (0, less_fee)


@pytest.mark.requirement("R4", "R8")
def test_a_return_is_settled_and_refunded_with_generated_clients(ask):
    till = ask("finance", "till")
    sale = till.create_sale(body=a_receipt(till, "R-1", ("wechat", 3_900)))
    clerk = ask("returns", "invoicing_clerk")
    m = clerk.models

    def sold():
        return clerk.list_sold_lines(branch_id=BRANCH, sale_id=str(sale.sale_id)).items

    def arrived():
        try:
            return sold()
        except RefusedByService as refused:
            if refused.code not in {"projection_behind", "sale_not_known"}:
                raise
            return None

    [line] = eventually(arrived, within_s=60)
    notice = clerk.create_return(
        body=m.ReturnRequest(
            branch_id=BRANCH,
            kind=m.ReturnRequestKind.RETAIL,
            sale_id=str(sale.sale_id),
            reason=m.ReturnRequestReason.RECALL,
            package=m.PackageBody(unopened=True, intact=True),
            proof_refs=["recall-notice"],
            lines=[m.RequestedLine(sale_line_id=line.sale_line_id, lot=line.lot, quantity=line.quantity)],
        )
    )
    assert notice.state is m.NoticeViewState.REQUESTED
    approved = m.DecisionBody(decision=m.DecisionBodyDecision.APPROVED)
    for role in ("business_head", "qa"):
        ask("returns", role).decide_return(notice.return_id, body=approved)
    mine = notice.lines[0].return_line_id
    ask("returns", "receiver").receive_return(
        notice.return_id,
        body=m.ReceiptBody(
            record=m.ReceiptRecordBody(quarantine_location="returns-area-1"),
            lines=[m.ReceivedLine(return_line_id=mine, lot=line.lot, quantity=line.quantity)],
        ),
    )
    checks = dict.fromkeys(
        ("appearance", "packaging", "label", "leaflet", "expiry", "trace_code", "documents"), "pass"
    )
    ask("returns", "inspector").inspect_return(
        notice.return_id,
        body=m.InspectionBody(
            lines=[
                m.InspectedLine(
                    return_line_id=mine,
                    cases=1,
                    is_intact=False,
                    has_anomaly=False,
                    cases_sampled=1,
                    checks=m.InspectionChecks.from_dict({**checks, "seal": "fail"}),
                    accepted_quantity=line.quantity,
                )
            ]
        ),
    )
    ask("returns", "qa").dispose_return(
        notice.return_id,
        body=m.DispositionBody(
            lines=[m.DisposedLine(return_line_id=mine, disposition=m.DisposedLineDisposition.DESTROY)]
        ),
    )
    settled = clerk.settle_return(notice.return_id)
    assert (settled.state, settled.refund.fen) == (m.NoticeViewState.SETTLED, 3_900)

    accountant = ask("finance", "accountant")
    [refund] = eventually(lambda: accountant.list_refunds(return_id=str(notice.return_id)).items, within_s=60)
    auditor, f = ask("finance", "finance_auditor"), accountant.models
    auditor.decide_refund(
        refund.refund_id, body=f.RefundDecisionBody(decision=f.RefundDecisionBodyDecision.APPROVED)
    )
    part = f.RefundPaymentBody(tender=f.RefundPaymentBodyTender.WECHAT, reference=f"WX-{refund.refund_id}")
    paid = accountant.pay_refund(refund.refund_id, body=f.RefundPayBody(parts=[part]))
    assert (paid.state, paid.total.fen) == ("paid", 3_900)
    eventually(lambda: clerk.get_return(notice.return_id).refund_id, within_s=60)
