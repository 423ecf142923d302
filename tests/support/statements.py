"""Books of a whole year, entered voucher by voucher, and statements brought to publication."""

from finance.statement_figures.rules import cash_flow
from tests.support.finance_builders import money

SIGNERS = ("unit_head", "chief_accountant", "accounting_head")
STEPS = (("review", "finance_head"), *(("sign", role) for role in SIGNERS), ("publish", "accountant"))


def book(office, day, *lines, summary="凭证"):
    """`lines` are (account, debit fen) or (account, -credit fen)."""
    body = {
        "booked_on": str(day),
        "branch_id": "S001",
        "summary": summary,
        "lines": [
            {"account": account, "debit" if fen > 0 else "credit": money(abs(fen))} for account, fen in lines
        ],
    }
    made = office.post("/v1/vouchers", body, role="accountant")
    assert made.status_code == 201, made.json
    path = f"/v1/vouchers/{made.json['voucher_id']}/decisions"
    decided = office.post(path, {"decision": "approved", "reason": None}, role="finance_head")
    assert decided.status_code == 200, decided.json


def close(office, *months):
    office.seal()
    for month in months:
        if month.endswith("-12"):
            office.post(f"/v1/fiscal-years/{month[:4]}/transfer", role="finance_head")
            office.seal()
        answer = office.post(f"/v1/periods/{month}/close", role="finance_head")
        assert answer.status_code == 200, answer.json


def prepare(office, kind, month, span="month", **odd):
    body = {"kind": kind, "span": span, "month": month, **odd}
    return office.post("/v1/financial-statements", body, role="accountant")


def prepared(office, *asked, **odd):
    answer = prepare(office, *asked, **odd)
    assert answer.status_code == 201, answer.json
    return answer.json


def publish(office, statement_id):
    for step, role in STEPS:
        answer = office.post(f"/v1/financial-statements/{statement_id}/{step}", role=role)
        assert answer.status_code == 200, answer.json
    return answer.json


def proof(office, statement_id):
    answer = office.get(f"/v1/financial-statement-proofs/{statement_id}")
    assert answer.status_code == 200, answer.json
    return answer.json


def column(statement, name):
    """Line → fen of one column."""
    return {
        line["line"]: line["amounts"][name]["fen"]
        for line in statement["lines"]
        if line["amounts"][name] is not None
    }


def movements_of(chart, entries):
    """Cash movements of entries (kind, credit less debit per account), by the rule alone."""
    codes = frozenset(cash_flow.cash_accounts(chart))
    wholes, others = [], []
    for kind, lines in entries:
        net = -sum(fen for code, fen in lines.items() if code in codes)
        if kind in cash_flow.WHOLE_KINDS:
            wholes.append((kind, "", net))
        else:
            others.append((kind, net, {code: fen for code, fen in lines.items() if code not in codes}))
    return cash_flow.movements_of(others, wholes, cash_flow.following(chart))
