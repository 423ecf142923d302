"""What finance's people do with settled returns: approve them and pay what each tender is owed."""

import io
import re
from datetime import date
from uuid import uuid4

import pypdf

from finance.app import SERVICE
from shared.clock import utc_now
from shared.identity import system_actor
from shared.service import LostEvent
from shared.transaction import Tx

APPROVER = "the-finance_auditor"


def told(office, *settled):
    """Hear settled returns; the ids of the refunds they make, in the same order."""
    assert office.hear(*settled).parked == 0
    return [refund_of(office, each.data["return_id"]) for each in settled]


def lost_of(settled, comes_again_as=None):
    return LostEvent(
        source="returns", seq=settled.seq, event_id=settled.event_id, comes_again_as=comes_again_as
    )


def accepted(conn, lost):
    """What `log accept returns` does in finance about these events; says what became of each refund."""
    tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
    return list(SERVICE.withdraw(tx, "returns", 0, lost, iter(())))


def refund_of(office, return_id):
    [found] = office.get(f"/v1/refunds?return_id={return_id}").json["items"]
    return found["refund_id"]


def refund(office, refund_id):
    answer = office.get(f"/v1/refunds/{refund_id}")
    assert answer.status_code == 200, answer.json
    return answer.json


def approve(office, *refund_ids):
    answer = office.post(
        "/v1/refunds/decisions/bulk",
        {"refund_ids": list(refund_ids), "decision": "approved"},
        role="finance_auditor",
    )
    assert answer.status_code == 200, answer.json
    assert {each["code"] for each in answer.json["items"]} <= {None}, answer.json
    return answer.json["items"]


def parts_of(shown, *, cash=False):
    """The unpaid parts of a refund for the counter, or for the desk, each with a reference where it needs one."""
    return [
        {"tender": part["tender"], "reference": reference_for(part["means"])}
        for part in shown["parts"]
        if part["paid_on"] is None and (part["means"] == "cash") == cash
    ]


def reference_for(means):
    return None if means in {"cash", "credit", "points"} else f"CH-{uuid4().hex}"


def pay(office, refund_id, parts=None, *, role="accountant", person=None, paid_on=None):
    if parts is None:
        parts = parts_of(refund(office, refund_id), cash=role == "cashier")
    body = {"parts": parts} | ({"paid_on": str(paid_on)} if paid_on else {})
    return office.post(f"/v1/refunds/{refund_id}/pay", body, role=role, person=person)


def pay_all(office, *refund_ids, paid_on: date | None = None):
    """Approve and pay: the desk in lists, the counter one by one. The safes must hold the cash."""
    for first in range(0, len(refund_ids), 100):
        some = refund_ids[first : first + 100]
        approve(office, *some)
        shown = {refund_id: refund(office, refund_id) for refund_id in some}
        wanted = [
            {"refund_id": each, "parts": parts_of(shown[each])} for each in some if parts_of(shown[each])
        ]
        if wanted:
            body = {"payments": wanted} | ({"paid_on": str(paid_on)} if paid_on else {})
            answer = office.post("/v1/refunds/pay/bulk", body, role="accountant")
            assert {each["code"] for each in answer.json["items"]} == {None}, answer.json
        for each in some:
            if parts_of(shown[each], cash=True):
                answer = pay(office, each, role="cashier")
                assert answer.status_code == 200, answer.json


def paper(answer):
    """What a printed paper says, without spaces; its fonts are inside."""
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    reader = pypdf.PdfReader(io.BytesIO(answer.data))
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            [inner] = font.get_object()["/DescendantFonts"]
            assert any(
                name.startswith("/FontFile") for name in inner.get_object()["/FontDescriptor"].get_object()
            )
    return re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))
