"""Refunds of one branch alone, and what to ask and send each of their routes."""

from uuid import uuid4

from tests.support.finance_builders import a_line

HALF = (0, 1, "restock", 1725, 225, 1150)


def refunds(company, branch, ids, sent, asked):
    """Two refunds of wallet sales: one owed, one paid, told in the usual order."""
    line = a_line(expiry="2099-12-31")
    owed, paid = (_owed(company, branch, company.sell(lines=[line])) for _ in range(2))
    company.made("/refunds/approvals", {"refund_ids": [paid]}, "finance_auditor")
    part = {"tender": "wechat", "reference": f"CH-{uuid4().hex}"}
    company.made(f"/refunds/{paid}/pay", {"parts": [part]}, "accountant")
    ids |= {"refund_id": owed, "paid_refund_id": paid}
    scopes = [{}, {"branch_id": branch}]
    asked |= {"/v1/refunds": scopes, "/v1/refunds/liabilities": scopes}
    of = "/v1/refunds/<uuid:refund_id>"
    sent |= {
        "/v1/refunds/approvals": {"refund_ids": [owed]},
        "/v1/refunds/payments": {"payments": [{"refund_id": owed, "parts": [part]}]},
        f"{of}/approve": {},
        f"{of}/hold": {"reason": "r"},
        f"{of}/release": {},
        f"{of}/pay": {"parts": [part]},
        f"{of}/fail": {"tender": "wechat", "reason": "account_closed"},
    }


def _owed(company, branch, sale):
    told = company.settled(sale, [HALF], branch_id=branch)
    company.world.hears(told)
    [refund] = company.get(f"/refunds?return_id={told.data['return_id']}")["items"]
    return refund["refund_id"]
