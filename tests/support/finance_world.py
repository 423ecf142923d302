"""A finance service that holds data of one branch alone, and what to ask and send each of its routes."""

import base64
import json
from datetime import timedelta
from uuid import uuid4
from zlib import crc32

from finance.balances import store
from finance.costs import jobs as costs_jobs
from finance.dunning import jobs
from shared import chain
from shared.clock import business_date, utc_now
from shared.identity import system_actor
from shared.sequencer import number_events
from shared.transaction import Tx
from tests.support.cataloguing import a_product, ean13
from tests.support.debtors import days_ago, run, sell_on_credit
from tests.support.expenses_builders import a_claim, a_goods_receipt, an_item
from tests.support.finance_builders import Office, a_line, a_receipt, money
from tests.support.finance_world_contracts import contracts, samples
from tests.support.finance_world_orders import orders
from tests.support.finance_world_refunds import refunds

TODAY = business_date(utc_now())
NOW = f"{TODAY:%Y-%m}"
NDJSON = "application/x-ndjson"
NOTES = [{"denomination_fen": 10_000, "pieces": 1}]
PLAN = {
    "from": str(TODAY - timedelta(days=10)),
    "until": str(TODAY + timedelta(days=10)),
    "baseline_net": money(100_000),
    "baseline_margin": money(1_000),
    "uplift_bp": 2_500,
    "budget": money(10_000),
}


class Company:
    """The back office over a world's own application, as the builders of tests expect it."""

    envelope, settled, permit = Office.envelope, Office.settled, Office.permit

    def __init__(self, world, branch):
        self.world, self.branch = world, branch
        self.database = world.app.extensions["database"]
        self._seq = 0

    def post(self, path, body=None, *, role, person=None):
        return self.world.call("POST", path, role, person=person or f"{role}-of-old", json=body or {})

    def made(self, path, body, role, person=None):
        answer = self.post(f"/v1{path}", body, role=role, person=person)
        assert answer.status_code in {200, 201}, (path, answer.text)
        return answer.json

    def get(self, path, role="accountant"):
        answer = self.world.call("GET", f"/v1{path}", role)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json

    def sell(self, **odd):
        return self.made("/sales", a_receipt(**{"branch_id": self.branch, **odd}), "till")

    def seal(self):
        with self.database.begin() as conn:
            while chain.seal(conn, store.CHAIN):
                pass

    def look_for_sales_below_cost(self):
        with self.database.begin() as conn:
            while number_events(conn):
                pass
        with self.database.begin() as conn:
            costs_jobs.find_sales_below_cost(Tx(conn=conn, actor=system_actor("finance"), now=utc_now()))


def finance(world, branch):
    """Fill a world with data of `branch`."""
    company = Company(world, branch)
    ids, sent, asked = {}, {}, {}
    for area in (
        _books,
        _receivables,
        _cash,
        _bank,
        _expenses,
        _costs,
        _stopped,
        _lots,
        _products,
        refunds,
        contracts,
        samples,
        orders,
    ):
        area(company, branch, ids, sent, asked)
    world.ids |= ids
    world.sent |= sent
    world.asked |= asked
    world.told |= {value for value in ids.values() if isinstance(value, str) and len(value) == 36}
    world.told -= {ids["proposal_id"], ids["upload_id"], ids["setting_id"]}  # the same in every branch
    world.common = {
        "/v1/cash-denominations",
        "/v1/expense-categories",
        "/v1/periods",
        "/v1/ledger-accounts",
        "/v1/credit-terms",
        "/v1/lot-expiry-decisions",
        "/v1/products",
        "/v1/product-versions",
        "/v1/product-proposals",
        "/v1/product-uploads",
        "/v1/product-check-settings",
    }


def _books(company, branch, ids, sent, asked):
    old = company.sell(sold_at="2025-06-10T02:00:00Z", lines=[a_line(expiry="2099-12-31")])
    pack = [a_line(trace_codes=[f"8{crc32(branch.encode()):019}"])]
    company.world.told |= {company.sell(lines=pack)["sale_id"] for _ in range(2)}
    company.seal()
    company.made("/periods/2025-06/close", {}, "finance_head")
    statement = company.made("/financial-statements", {"kind": "income", "month": "2025-06"}, "accountant")
    reopening = company.made("/periods/2025-06/reopenings", {"reason": "r"}, "accountant")
    voucher = {
        "booked_on": str(TODAY),
        "branch_id": branch,
        "summary": "房租",
        "lines": [{"account": "6601.23", "debit": money(5)}, {"account": "1002", "credit": money(5)}],
    }
    booked = company.made("/vouchers", voucher, "accountant")
    decision = {"decision": "approved", "reason": None}
    company.made(f"/vouchers/{booked['voucher_id']}/decisions", decision, "finance_head")
    entries = company.get(f"/journal-entries?month={NOW}")["items"]
    ids |= {
        "sale_id": old["sale_id"],
        "statement_id": statement["statement_id"],
        "reopening_id": reopening["reopening_id"],
        "voucher_id": company.made("/vouchers", voucher, "accountant")["voucher_id"],
        "entry_id": next(each["entry_id"] for each in entries if each["kind"] == "manual"),
        "month": "2025-06",
        "year": 2025,
    }
    branches = [{}, {"branch_id": branch}]
    month, span = (
        [{"month": NOW}, {"month": NOW, "branch_id": branch}],
        {"from_month": NOW, "until_month": NOW},
    )
    line = {"product_id": "P-1", "lot": "L1"}
    asked |= {
        "/v1/sales": [{"branch_id": branch, "receipt_number": old["receipt_number"]}],
        "/v1/sale-lines": [line, {**line, "branch_id": branch}],
        "/v1/sales-totals": [{"branch_id": branch, "from": "2025-06-10", "until": "2025-06-10"}],
        "/v1/repeated-trace-codes": [{"from": "2026-03-03", "until": "2026-03-03"}],
        "/v1/trial-balances/<month>": branches,
        "/v1/journal-entries": month,
        "/v1/vouchers": month,
        "/v1/general-ledgers/<month>/ndjson": branches,
        "/v1/journals/<month>/beancount": branches,
        "/v1/journals/<month>/xlsx": branches,
        "/v1/income-statements": [span, {**span, "branch_id": branch}],
        "/v1/financial-statements": [{"month": "2025-06"}],
        "/v1/financial-statement-deadlines": [{"from_month": "2025-06", "until_month": "2025-07"}],
    }
    of, period = "/v1/financial-statements/<uuid:statement_id>", "/v1/periods/<month>"
    wrong = {"cause": "c", "errors": [{"line": "revenue", "correct": money(1)}]}
    sent |= {
        "/v1/sales": a_receipt(branch_id=branch),
        "/v1/sales/bulk": a_receipt(branch_id=branch),
        f"{period}/close": {},
        f"{period}/lock": {},
        f"{period}/reopenings": {"reason": "r"},
        "/v1/periods/<month>/reopenings/<uuid:reopening_id>/decisions": decision,
        "/v1/fiscal-years/<int:year>/transfer": {},
        "/v1/vouchers": voucher,
        "/v1/vouchers/<uuid:voucher_id>/decisions": decision,
        "/v1/vouchers/<uuid:voucher_id>/overrun/decisions": decision,
        "/v1/journal-entries/<int:entry_id>/reverse": {"reason": "r"},
        "/v1/financial-statements": {"kind": "balance", "month": "2025-06"},
        f"{of}/review": {},
        f"{of}/sign": {},
        f"{of}/withdraw": {"reason": "r"},
        f"{of}/publish": {},
        f"{of}/restate": wrong,
    }


def _stopped(company, branch, ids, sent, asked):
    sold = company.sell(lines=[a_line(lot="OFF-SALE", expiry="2099-12-31")])
    stop = {"stop_sale_id": str(uuid4()), "product_id": "P-1", "lots": ["OFF-SALE"], "reason": "r"}
    told = {**stop, "ordered_at": utc_now().isoformat()}
    company.world.hears(company.envelope("returns.stop_sale.ordered.v1", told))
    company.world.told.add(sold["sale_id"])
    asked["/v1/stopped-lot-sales"] = [{}, {"lot": "OFF-SALE"}]


def _lots(company, branch, ids, sent, asked):
    company.sell(lines=[a_line(lot="TWO-DATES", expiry="2099-12-31")])
    receipt = a_receipt(branch_id=branch, lines=[a_line(lot="two-dates", expiry="2099-11-30")])
    assert company.post("/v1/sales", receipt, role="till").json["code"] == "lot_expiry_contradicts"
    [row] = company.get("/lot-contradictions", "qa")["items"]
    ids["contradiction_id"] = row["contradiction_id"]
    asked["/v1/lot-contradictions"] = [{}, {"lot": "two-dates"}, {"branch_id": branch}]
    asked["/v1/lot-expiries"] = [{}, {"lot": "two-dates"}]
    sent["/v1/lot-expiry-decisions"] = {
        "product_id": "P-1", "lot": "TWO-DATES", "expiry": "2099-11-30", "reason": "r"
    }  # fmt: skip


def _products(company, branch, ids, sent, asked):
    told = company.made("/products", a_product(gtins=[ean13(1)]), "purchaser")
    company.made(f"/product-proposals/{told['proposal_id']}/decisions", {"decision": "approved"}, "qa")
    rows = json.dumps(a_product("P-9"))
    [line] = company.world.call(
        "POST", "/v1/products/bulk", "purchaser", person="purchaser-of-old", data=rows, content_type=NDJSON
    ).text.splitlines()
    waiting = json.loads(line)
    mode = {"mode": "warn", "effective_from": "2098-12-31", "reason": "r"}
    setting = company.made("/product-check-settings", mode, "management")
    ids |= {
        "proposal_id": waiting["proposal_id"],
        "upload_id": waiting["upload_id"],
        "setting_id": setting["setting_id"],
    }
    asked |= {
        "/v1/products": [{}, {"product_id": "P-1"}, {"search": "amxl"}],
        "/v1/product-versions": [{"product_id": "P-1"}],
        "/v1/product-proposals": [{}, {"product_id": "P-9"}],
        "/v1/product-uploads": [{}, {"has_waiting": "true"}],
        "/v1/product-check-settings": [{}, {"state": "proposed"}],
        "/v1/product-contradictions": [{}, {"product_id": "P-1"}],
    }
    sent |= {
        "/v1/products": a_product(maker="华北制药"),
        "/v1/products/bulk": json.dumps(a_product(maker="华北制药")).encode(),
        "/v1/product-proposals/<uuid:proposal_id>/decisions": {"decision": "approved"},
        "/v1/product-uploads/<uuid:upload_id>/decisions": {"decision": "approved"},
        "/v1/product-check-settings": mode,
        "/v1/product-check-settings/<uuid:setting_id>/decisions": {"decision": "approved"},
    }


def _receivables(company, branch, ids, sent, asked):
    customer = str(uuid4())
    company.world.hears(company.permit(customer))
    sell_on_credit(company, customer, 10_000, on=days_ago(100), branch=branch)
    run(company, jobs.dun)
    [case] = company.get(f"/dunning-cases?customer_id={customer}")["items"]
    phoned = {"channel": "phone", "outcome": "reached", "text_version": "phone-1"}
    company.made(f"/dunning-cases/{case['case_id']}/actions", phoned, "accountant")
    run(company, jobs.dun, TODAY + timedelta(days=7))
    letter = company.made("/dunning-letters", {"customer_id": customer, "level": 2}, "accountant")
    [debt] = company.get(f"/receivable-items?customer_id={customer}")["items"]
    share = {"item_id": debt["item_id"], "amount": money(1_000)}
    payment = {
        "customer_id": customer,
        "branch_id": branch,
        "tender": "bank",
        "reference": "P-1",
        "received_on": str(TODAY),
        "amount": money(3_000),
        "allocations": [share],
    }
    paid = company.made("/payments", payment, "accountant")
    of = f"/receivable-items/{debt['item_id']}"
    write_off = company.made(f"{of}/write-offs", {"reason": "r", "amount": money(100)}, "accountant")
    stated = company.made(
        "/customer-statements", {"customer_id": customer, "as_of": str(TODAY)}, "accountant"
    )
    credit = next(
        each["item_id"]
        for each in company.get(f"/receivable-items?customer_id={customer}")["items"]
        if each["kind"] == "payment"
    )
    ids |= {
        "case_id": case["case_id"],
        "letter_id": letter["letter_id"],
        "item_id": debt["item_id"],
        "payment_id": paid["payment_id"],
        "allocation_id": paid["allocations"][0]["allocation_id"],
        "write_off_id": write_off["write_off_id"],
        "customer_statement_id": stated["customer_statement_id"],
    }
    account = "/v1/customer-statements/<uuid:customer_statement_id>"
    named = [{}, {"branch_id": branch}, {"customer_id": customer}]
    window = {"from": str(days_ago(120)), "until": str(TODAY)}
    asked |= {
        "/v1/receivable-items": named,
        "/v1/ageing-reports": [{}, {"branch_id": branch}],
        "/v1/receivable-proofs": [{}, {"branch_id": branch}],
        "/v1/receivable-indicators": [window, {**window, "branch_id": branch}],
        "/v1/customer-statements": named,
        "/v1/dunning-cases": named,
        "/v1/credit-terms": [{"customer_id": customer}],
    }
    terms = {
        "customer_id": customer,
        "effective_from": str(TODAY),
        "instalments": [{"days": 0, "share_bp": 10_000}],
    }
    item, dunned = "/v1/receivable-items/<uuid:item_id>", "/v1/dunning-cases/<uuid:case_id>"
    reason = {"reason": "r"}
    sent |= {
        "/v1/allocations": {
            "credit_id": credit, "debt_id": debt["item_id"], "amount": money(1),
        },
        "/v1/allocations/<uuid:allocation_id>/undo": reason,
        f"{item}/dispute": reason,
        f"{item}/resolve": reason,
        f"{item}/write-offs": {"reason": "r"},
        "/v1/write-offs/<uuid:write_off_id>/decisions": {"decision": "approved"},
        f"{item}/recoveries": {"credit_id": credit, "amount": money(1)},
        "/v1/payments": {**payment, "reference": "P-2"},
        "/v1/payments/<uuid:payment_id>/reverse": reason,
        "/v1/credit-terms": terms,
        "/v1/customer-statements": {"customer_id": customer, "as_of": str(days_ago(1))},
        f"{account}/send": {"channel": "letter"},
        f"{account}/answer": {
            "answers": [{"item_id": debt["item_id"], "answer": "confirmed"}],
        },
        f"{dunned}/actions": phoned,
        f"{dunned}/block": reason,
        f"{dunned}/unblock": reason,
        "/v1/dunning-letters": {"customer_id": customer, "level": 2},
    }  # fmt: skip


def _cash(company, branch, ids, sent, asked):
    drawer = {"branch_id": branch, "drawer": "D1", "till": "till-D1"}
    company.made("/cash-drawers", drawer, "store_manager")
    filled = {"branch_id": branch, "kind": "bank_withdrawal", "amount": money(100_000)}
    company.made("/safe-movements", filled, "cashier")
    opened = {"branch_id": branch, "drawer": "D1", "float": money(20_000)}
    session = company.made("/cash-sessions", opened, "cashier")["session_id"]
    count = {"branch_id": branch, "denominations": NOTES}
    company.made("/cash-counts", count, "finance_auditor")
    [variance] = company.get(f"/cash-variances?branch_id={branch}")["items"]
    ids |= {"session_id": session, "variance_id": variance["variance_id"]}
    scopes = [{}, {"branch_id": branch}]
    asked |= {
        "/v1/cash-drawers": [{"branch_id": branch}],
        "/v1/cash-sessions": scopes,
        "/v1/cash-counts": scopes,
        "/v1/due-cash-counts": scopes,
        "/v1/cash-variances": scopes,
        "/v1/uncounted-drawers": [{"month": NOW, "branch_id": branch}],
    }
    of = "/v1/cash-sessions/<uuid:session_id>"
    sent |= {
        "/v1/cash-drawers": {**drawer, "drawer": "D2", "till": "till-D2"},
        "/v1/cash-sessions": opened,
        f"{of}/movements": {"kind": "pay_in", "amount": money(1), "reason": "deposit_received"},
        f"{of}/refunds": {"refund_id": str(uuid4())},
        f"{of}/count": {},
        f"{of}/close": {"denominations": NOTES},
        "/v1/safe-movements": filled,
        "/v1/cash-counts": count,
        "/v1/cash-variances/<uuid:variance_id>/resolve": {"outcome": "expense", "reason": "r"},
    }


def _bank(company, branch, ids, sent, asked):
    body = {"name": "基本户", "bank": "Example Bank", "number": "CN0012345", "branch_id": branch}
    account = company.made("/bank-accounts", body, "finance_head")["account_id"]
    lines = f"date,amount,reference,summary,counterparty\n{TODAY},1.20,,结息,\n{TODAY},-15.00,,手续费,\n"
    statement = {
        "format": "csv",
        "dialect": "plain",
        "file": base64.b64encode(lines.encode()).decode(),
        "number": "now",
        "from": str(TODAY),
        "until": str(TODAY),
        "opening": money(0),
        "closing": money(-1_380),
    }
    company.made(f"/bank-accounts/{account}/statements", statement, "accountant")
    found = company.get(f"/unmatched-bank-lines?account_id={account}")["items"]
    by_amount = {each["amount"]["fen"]: each["line_id"] for each in found}
    direct = {"kind": "direct", "reason": "interest"}
    match = company.made(f"/bank-lines/{by_amount[120]}/match", direct, "accountant")
    matched = "/v1/bank-lines/<uuid:line_id>/match"
    ids |= {"account_id": account, "match_id": match["match_id"], matched: {"line_id": by_amount[-1500]}}
    of = "/v1/bank-accounts/<uuid:account_id>"
    asked |= {
        "/v1/unmatched-bank-lines": [{"account_id": account}],
        "/v1/bank-lines": [{"account_id": account}],
        "/v1/bank-matches": [{"account_id": account}],
        "/v1/bank-match-proposals": [{"account_id": account}],
    }
    sent |= {
        "/v1/bank-accounts": {**body, "number": "CN0012346"},
        f"{of}/statements": {**statement, "number": "later"},
        f"{of}/reconciliations": {"month": "2026-01"},
        matched: {"kind": "direct", "reason": "bank_fee"},
        "/v1/bank-dialect-trials": {"dialect": "plain", "file": statement["file"]},
        "/v1/bank-dialects": {
            "dialect": "theirs",
            "amount_rule": "signed",
            "columns": {"date": ["日子"], "amount": ["钱"], "summary": ["说明"]},
            "date_formats": ["%d/%m/%Y"],
        },
        f"{of}/close": {"closed_on": "2026-03-31"},
        "/v1/bank-matches/<uuid:match_id>/undo": {"reason": "r"},
    }


def _expenses(company, branch, ids, sent, asked):
    budget = {
        "branch_id": branch,
        "category": "travel",
        "from": str(TODAY - timedelta(days=200)),
        "until": str(TODAY + timedelta(days=30)),
        "amount": money(100_000),
    }
    claim = company.made("/expense-claims", a_claim(branch), "salesperson", person="sally")["claim_id"]
    plan = company.made("/promotion-plans", {**PLAN, "code": "C-1", "branch_id": branch}, "accountant")[
        "plan_id"
    ]
    approved = {"decision": "approved", "reason": None}
    for role in ("finance_head", "cs_manager"):
        company.made(f"/promotion-plans/{plan}/decisions", approved, role)
    target = {"branch_id": branch, "month": NOW, "net": money(10_000), "strategy": "regulars"}
    report = {"branch_id": branch, "day": str(TODAY), "net": money(3_500)}
    company.made("/sales-reports", report, "cashier")
    crm = {"project": "CRM-1", "month": NOW, "kind": "gain", "amount": money(1), "basis": "ledger"}
    company.made("/crm-records", crm, "accountant")
    ids |= {
        "claim_id": claim,
        "budget_id": company.made("/budgets", budget, "finance_head")["budget_id"],
        "plan_id": plan,
        "target_id": company.made("/sales-targets", target, "store_manager")["target_id"],
        "project": "CRM-1",
    }
    scopes, month = [{}, {"branch_id": branch}], [{"month": NOW}, {"month": NOW, "branch_id": branch}]
    asked |= {
        "/v1/expense-claims": scopes,
        "/v1/audit-figures": month,
        "/v1/spendings": month,
        "/v1/budgets": scopes,
        "/v1/promotion-plans": scopes,
        "/v1/sales-targets": [{"branch_id": branch, "year": TODAY.year}],
        "/v1/target-comparisons": [{"branch_id": branch, "month": NOW}],
    }
    of, plans = "/v1/expense-claims/<uuid:claim_id>", "/v1/promotion-plans/<uuid:plan_id>"
    finding = {"no": 1, "outcome": "accept"}
    sent |= {
        "/v1/expense-claims": a_claim(branch, an_item()),
        of: a_claim(branch, an_item()),
        f"{of}/submit": {},
        f"{of}/overrun/decisions": approved,
        f"{of}/decisions": approved,
        f"{of}/audit": {"findings": [finding]},
        f"{of}/pay": {"paid_from": "bank"},
        "/v1/budgets": {**budget, "category": "entertainment"},
        "/v1/budgets/<uuid:budget_id>/change": {"amount": money(1), "overrun": "stop"},
        "/v1/promotion-plans": {**PLAN, "code": "C-2", "branch_id": branch},
        f"{plans}/decisions": approved,
        f"{plans}/close": {},
        "/v1/sales-targets": {**target, "person": "sally"},
        "/v1/sales-targets/<uuid:target_id>/change": {"net": money(1), "strategy": "s"},
        "/v1/sales-reports": report,
        "/v1/crm-records": crm,
    }


def _costs(company, branch, ids, sent, asked):
    receipt = company.made("/goods-receipts", a_goods_receipt(branch), "accountant")
    sold = company.sell(sold_at="2026-03-03T02:00:00Z", lines=[a_line(quantity=1, cost=money(9_000))])
    company.look_for_sales_below_cost()
    cost_run = {"branch_id": branch, "month": "2026-03"}
    company.made("/cost-runs", cost_run, "accountant")
    told = "/v1/below-cost-alerts/<uuid:alert_id>/acknowledge"
    ids |= {"goods_receipt_id": receipt["goods_receipt_id"], told: {"alert_id": sold["lines"][0]["line_id"]}}
    month = [{"month": "2026-03"}, {"month": "2026-03", "branch_id": branch}]
    asked |= {
        "/v1/stock-balances": [{"branch_id": branch}],
        "/v1/stock-reconciliations": [{"branch_id": branch}],
        "/v1/cost-runs": month,
        "/v1/purchase-price-variances": month,
        "/v1/margins": [{"from_month": NOW}, {"from_month": NOW, "branch_id": branch}],
        "/v1/branch-expenses": month,
        "/v1/below-cost-alerts": [{}, {"branch_id": branch}],
    }
    sent |= {
        "/v1/goods-receipts": a_goods_receipt(branch),
        "/v1/standard-prices": {
            "product_id": "P-1",
            "effective_from": str(TODAY),
            "unit_price": money(1),
        },
        "/v1/cost-runs": cost_run,
        told: {"reason": "r"},
    }
