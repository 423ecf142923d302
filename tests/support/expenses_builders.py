"""What tests of expenses and costs are made of: claims, budgets, goods receipts, and many people at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from uuid import uuid4

from shared.clock import business_date, utc_now
from tests.support.finance_builders import money


def today() -> date:
    return business_date(utc_now())


def an_invoice():
    return f"INV{uuid4().hex[:17].upper()}"


def an_item(**odd):
    """109.00 with 9.00 tax inside: travel costs the company 100.00."""
    return {
        "category": "travel",
        "amount": money(10_900),
        "tax": money(900),
        "invoice_no": an_invoice(),
        "spent_on": str(today()),
        **odd,
    }


def a_claim(branch, *items, **odd):
    return {"branch_id": branch, "purpose": "visits", "items": list(items) or [an_item()], **odd}


def a_branch():
    return f"B{uuid4().hex[:8].upper()}"


class Desk:
    """The people who handle claims, each a person of their own."""

    def __init__(self, office):
        self.office = office

    def budget(self, branch, fen, *, category="travel", **odd):
        answer = self.office.post(
            "/v1/budgets",
            {
                "branch_id": branch,
                "category": category,
                "from": str(today() - timedelta(days=200)),
                "until": str(today() + timedelta(days=30)),
                "amount": money(fen),
                **odd,
            },
            role="finance_head",
        )
        assert answer.status_code == 201, answer.json
        return answer.json["budget_id"]

    def counters(self, budget_id):
        """Reserved and actual, after checking that the movements say the same."""
        shown = self.office.get(f"/v1/budgets/{budget_id}", role="finance_head").json
        reserved, actual = shown["reserved"]["fen"], shown["actual"]["fen"]
        assert shown["available"]["fen"] == shown["amount"]["fen"] - reserved - actual
        moved = self.office.rows(
            "select coalesce(sum(reserved_fen), 0)::bigint, coalesce(sum(actual_fen), 0)::bigint"
            " from budget_movements where budget_id = cast(:id as uuid)",
            id=budget_id,
        )
        assert moved == [(reserved, actual)]
        return reserved, actual

    def draft(self, branch, *items, person="sally", **odd):
        answer = self.office.post(
            "/v1/expense-claims", a_claim(branch, *items, **odd), role="salesperson", person=person
        )
        assert answer.status_code == 201, answer.json
        return answer.json

    def step(self, claim_id, step, body=None, *, role, person=None):
        return self.office.post(
            f"/v1/expense-claims/{claim_id}/{step}", body, role=role, person=person or f"the-{role}"
        )

    def submit(self, claim_id, *, person="sally"):
        return self.step(claim_id, "submit", role="salesperson", person=person)

    def manage(self, claim_id, *, approved=True, reason=None, person=None):
        body = {"decision": "approved" if approved else "rejected", "reason": reason}
        return self.step(claim_id, "decisions", body, role="store_manager", person=person)

    def audit(self, claim_id, *findings, person=None):
        return self.step(
            claim_id, "audit", {"findings": list(findings)}, role="finance_auditor", person=person
        )

    def approve(self, claim_id, *, approved=True, reason=None, role="finance_head", person=None):
        body = {"decision": "approved" if approved else "rejected", "reason": reason}
        return self.step(claim_id, "decisions", body, role=role, person=person)

    def pay(self, claim_id, *, paid_from="bank", person=None):
        return self.step(claim_id, "pay", {"paid_from": paid_from}, role="cashier", person=person)

    def submitted(self, branch, *items, **odd):
        claim_id = self.draft(branch, *items, **odd)["claim_id"]
        answer = self.submit(claim_id)
        assert answer.status_code == 200, answer.json
        return claim_id

    def audited(self, branch, *items, findings=()):
        claim_id = self.submitted(branch, *items)
        assert self.manage(claim_id).status_code == 200
        answer = self.audit(claim_id, *findings)
        assert answer.status_code == 200, answer.json
        return claim_id

    def approved(self, branch, *items):
        claim_id = self.audited(branch, *items)
        answer = self.approve(claim_id)
        assert answer.status_code == 200, answer.json
        return claim_id


def at_once(jobs):
    """Run all jobs at the same moment, each on a connection of its own; their results in order."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [each.result() for each in [pool.submit(run, job) for job in jobs]]


def a_goods_line(**odd):
    return {
        "product_id": "P-1",
        "lot": "L1",
        "quantity": 10,
        "unit_price": money(1_000),
        "tax_bp": 1300,
        **odd,
    }


def a_goods_receipt(branch, *lines, **odd):
    return {
        "branch_id": branch,
        "supplier_id": "SUP-1",
        "invoice_no": an_invoice(),
        "received_on": "2026-03-01",
        "lines": list(lines) or [a_goods_line()],
        **odd,
    }
