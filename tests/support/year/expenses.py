"""Claims of staff on budgets: submitted, judged, cut, approved, paid, or stopped half-way."""

from datetime import timedelta
from uuid import uuid4

from finance.budgets import commands as budgets
from finance.budgets.rules import NewBudget
from finance.expenses.commands import deciding, drafting
from finance.expenses.rules import Claimed, Finding, Item, Outcome
from tests.support.year.desk import BRANCHES, moment

CATEGORIES = {"travel": "6601.01", "entertainment": "6601.02", "office": "6601.07"}
SPENDING = BRANCHES[:3]


def grant_budgets(year, month):
    """A quarter's budgets, some so small that claims run over them."""
    if month.month % 3 != 1:
        return
    for branch in SPENDING:
        for category in CATEGORIES:
            budget = NewBudget(
                branch_id=branch,
                category=category,
                first_day=month,
                last_day=month + timedelta(days=88),
                amount_fen=year.chance.randint(50_000, 600_000),
                overrun=year.chance.choice(("stop", "approval")),
            )
            year.do(moment(month), "finance_head", budgets.add, budget)


def spend(year, month):
    change_budgets(year, month)
    for _ in range(4):
        claim(year, month)


def change_budgets(year, month):
    [budget_id] = year.chance.choice(year.rows("select budget_id from budgets order by budget_id"))
    fen = year.chance.randint(1, 700_000)
    year.tried(moment(month), "finance_head", budgets.change, budget_id, fen, "approval")


def an_item(year, day, no):
    category = year.chance.choice(list(CATEGORIES))
    amount = year.chance.randint(100, 120_000)
    return Item(
        no=no,
        category=category,
        amount_fen=amount,
        tax_fen=year.chance.randint(0, amount // 10),
        invoice_no=uuid4().hex[:20].upper(),
        spent_on=day,
        attendees=["c-1"] if category == "entertainment" else [],
    )


def claim(year, month):
    day = year.day(month)
    items = [an_item(year, day, no) for no in range(1, year.chance.randint(1, 3) + 1)]
    branch = year.chance.choice(SPENDING)
    body = Claimed(branch_id=branch, department="", campaign="", purpose="拜访", items=items)

    def step(role, command, *args, **kwargs):
        return year.do(moment(day, 3), role, command, claim_id, *args, **kwargs)

    claim_id = year.do(moment(day), "salesperson", drafting.draft, body)
    if not year.tried(moment(day), "salesperson", drafting.submit, claim_id) or year.chance.random() < 0.1:
        return
    if state_of(year, claim_id) == "awaiting_budget":
        said = year.chance.random() < 0.7
        for role in ("finance_head", "management")[: 2 if said else 1]:
            step(role, deciding.decide_overrun, approved=said, reason="超支")
        if not said:
            return
    said = year.chance.random() < 0.9
    step("store_manager", deciding.decide_as_manager, approved=said, reason="与工作无关")
    if not said or year.chance.random() < 0.1:
        return
    step("finance_auditor", deciding.audit_claim, findings(year, items))
    if state_of(year, claim_id) != "finance_audited":
        return
    said = year.chance.random() < 0.9
    step("finance_head", deciding.approve, approved=said, reason="票据不全")
    if said and year.chance.random() < 0.8:
        pay(year, step, claim_id, branch)


def findings(year, items):
    made = []
    for no, item in enumerate(items, 1):
        if year.chance.random() < 0.2:
            made.append(Finding(no=no, outcome=Outcome.REFUSE, accepted_fen=None, reason="私人消费"))
        elif year.chance.random() < 0.2:
            fen = year.chance.randint(1, item.amount_fen - 1)
            made.append(Finding(no=no, outcome=Outcome.REDUCE, accepted_fen=fen, reason="超标准"))
    return made


def pay(year, step, claim_id, branch):
    fen = year.value("select accepted_fen from expense_claims where claim_id = :id", id=claim_id)
    if year.fifty_fifty() and fen <= year.safe[branch]:
        step("cashier", deciding.pay, "cash_on_hand")
        year.safe[branch] -= fen
    else:
        step("cashier", deciding.pay, "bank")


def state_of(year, claim_id):
    return year.value("select state from expense_claims where claim_id = :id", id=claim_id)


def budgets_tie(year, booked):
    """What budgets count as spent is what approved claims debited, as reserved what claims on their way ask for."""
    spent = year.rows("select branch_id, category, sum(actual_fen)::bigint as fen from budgets group by 1, 2")
    debited = year.rows(
        "select l.branch_id, l.account, sum(l.debit_fen)::bigint as fen from journal_entries e join journal_lines l"
        " on l.entry_id = e.id and l.booked_on = e.booked_on where e.kind = 'expense_approved'"
        " and l.account like '6601%' group by 1, 2"
    )
    expected = {(row.branch_id, CATEGORIES[row.category], row.fen) for row in spent if row.fen}
    assert expected == {tuple(row) for row in debited}
    differing = year.rows(
        "select b.budget_id from budgets b left join (select budget_id, sum(reserved_fen) as reserved,"
        " sum(actual_fen) as actual from budget_movements group by 1) m using (budget_id)"
        " where reserved_fen <> coalesce(reserved, 0) or actual_fen <> coalesce(actual, 0)"
        " or reserved_fen < 0 or actual_fen < 0"
    )
    assert differing == []
    waiting = year.rows(
        "select i.budget_id, i.category, coalesce(i.accepted_fen, i.amount_fen) as fen,"
        " coalesce(i.accepted_tax_fen, i.tax_fen) as tax from expense_items i join expense_claims c using (claim_id)"
        " where c.state in ('submitted', 'manager_approved', 'finance_audited')"
    )
    reserved = {}
    for row in waiting:
        cost = row.fen - (0 if row.category == "entertainment" else row.tax)
        reserved[row.budget_id] = reserved.get(row.budget_id, 0) + cost
    kept = year.rows("select budget_id, reserved_fen from budgets where reserved_fen <> 0")
    assert {key: fen for key, fen in reserved.items() if fen} == dict(map(tuple, kept))
    owed = "select coalesce(sum(accepted_fen), 0)::bigint from expense_claims where state = 'approved'"
    assert -booked("2241.02") == year.value(owed)
