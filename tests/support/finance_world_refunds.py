"""Refunds and invoices of one branch alone, and what to ask and send each of their routes."""

from uuid import uuid4

from shared.clock import business_date, utc_now
from tests.support.finance_builders import a_line, money

HALF = (0, 1, "restock", 1725, 225, 1150)


def refunds(company, branch, ids, sent, asked):
    """Two refunds of wallet sales: one owed, one paid, told in the usual order."""
    line = a_line(expiry="2099-12-31")
    owed, paid = (_owed(company, branch, company.sell(lines=[line])) for _ in range(2))
    company.made("/refunds/decisions/bulk", {"refund_ids": [paid], "decision": "approved"}, "finance_auditor")
    part = {"tender": "wechat", "reference": f"CH-{uuid4().hex}"}
    company.made(f"/refunds/{paid}/pay", {"parts": [part]}, "accountant")
    ids |= {"refund_id": owed, "paid_refund_id": paid}
    scopes = [{}, {"branch_id": branch}]
    asked |= {"/v1/refunds": scopes, "/v1/refund-liabilities": scopes}
    of = "/v1/refunds/<uuid:refund_id>"
    sent |= {
        "/v1/refunds/decisions/bulk": {"refund_ids": [owed], "decision": "approved"},
        "/v1/refunds/pay/bulk": {"payments": [{"refund_id": owed, "parts": [part]}]},
        "/v1/sales/<uuid:sale_id>/void": {"reason": "同一商品扫了两次"},
        f"{of}/decisions": {"decision": "approved"},
        f"{of}/hold": {"reason": "r"},
        f"{of}/release": {},
        f"{of}/pay": {"parts": [part]},
        f"{of}/fail": {"tender": "wechat", "reason": "account_closed"},
    }

    _invoices(company, branch, ids, sent, asked)


def _invoices(company, branch, ids, sent, asked):
    customer = str(uuid4())
    company.world.hears(company.permit(customer))
    line = a_line(expiry="2099-12-31")
    one, other = (company.sell(lines=[line], customer_id=customer) for _ in range(2))
    rates = [{"tax_bp": 1300, "net": money(3451), "tax": money(449)}]
    body = {
        "number": f"{uuid4().int % 10**20:020d}",
        "kind": "ordinary",
        "issued_on": str(business_date(utc_now())),
        "rates": rates,
    }
    made = company.made("/invoices", {**body, "sales": [{"sale_id": one["sale_id"]}]}, "invoicing_clerk")
    ids |= {"invoice_id": made["invoice_id"], "uninvoiced_sale_id": other["sale_id"]}
    month = f"{one['business_date'][:7]}"
    scopes = [{"month": month}, {"month": month, "branch_id": branch}]
    asked |= {
        "/v1/invoices": [{}, {"branch_id": branch}, {"customer_id": customer}, {"sale_id": one["sale_id"]}],
        "/v1/uninvoiced-sales": scopes,
        "/v1/vat-figures": scopes,
    }
    number = {"number": f"{uuid4().int % 10**20:020d}"}
    sent |= {
        "/v1/invoices": {**body, **number, "sales": [{"sale_id": other["sale_id"]}]},
        "/v1/invoices/<uuid:invoice_id>/red-invoices": {
            **number,
            "issued_on": body["issued_on"],
            "rates": rates,
        },
    }


def _owed(company, branch, sale):
    told = company.settled(sale, [HALF], branch_id=branch)
    company.world.hears(told)
    [refund] = company.get(f"/refunds?return_id={told.data['return_id']}")["items"]
    return refund["refund_id"]
