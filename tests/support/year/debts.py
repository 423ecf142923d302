"""What customers owe: paid in part or too much, bounced, matched by hand, disputed, written off, with interest."""

from uuid import UUID, uuid4

from finance.receivables.commands import interest, write_offs
from finance.receivables.commands import payments as receivables
from finance.receivables.model import Received
from tests.support.year.desk import BRANCHES, CUSTOMERS, last_day, moment

_OPEN = (
    "select item_id, customer_id, branch_id, open_fen from receivable_items where kind = 'sale' and open_fen > 0"
    " and disputed_at is null and booked_on < :until order by item_id limit 200"
)


def collect(year, month):
    """Customers pay what they owe, or more, or less; some of it bounces, some is matched later."""
    for customer in [*year.chance.sample(CUSTOMERS, 4), *year.chance.sample(year.buyers, 1)]:
        receive(year, month, customer)
    match_by_hand(year, month)
    give_up_some(year, month)
    if month.month == 10:
        year.do(moment(last_day(month), 15), "accountant", interest.charge_interest)


def receive(year, month, customer):
    day = year.day(month)
    tender = year.chance.choice(("bank", "bank", "acceptance_bill", "cash", "wechat"))
    branch, fen = year.chance.choice(BRANCHES), year.chance.randint(1, 3 * 10**6)
    said = Received(
        customer_id=UUID(customer),
        branch_id=branch,
        tender=tender,
        reference=uuid4().hex,
        received_on=day,
        amount_fen=fen,
        oldest_first=year.chance.random() < 0.8,
    )
    payment = year.do(moment(day), "accountant", receivables.receive_payment, said)
    year.safe[branch] += fen if tender == "cash" else 0
    if year.chance.random() < 0.25:
        bounced = year.tried(moment(day, 9), "finance_head", receivables.reverse_payment, payment, "退票")
        year.safe[branch] -= fen if bounced and tender == "cash" else 0


def match_by_hand(year, month):
    at = moment(last_day(month), 13)
    pairs = year.rows(
        "select c.item_id as credit, d.item_id as debt, least(-c.open_fen, d.open_fen) as fen from receivable_items c"
        " join lateral (select * from receivable_items d where d.customer_id = c.customer_id and d.open_fen > 0"
        "  and d.branch_id = c.branch_id order by d.item_id desc limit 1) d on true"
        " where c.open_fen < 0 order by c.item_id limit 2"
    )
    for pair in pairs:
        fen = year.chance.randint(1, pair.fen)
        year.tried(at, "accountant", receivables.allocate, credit_id=pair.credit, debt_id=pair.debt, fen=fen)
    made = year.rows(
        "select allocation_id from receivable_allocations a where fen > 0 and not exists"
        " (select from receivable_allocations u where u.undoes = a.allocation_id)"
        " order by allocation_id desc limit 40"
    )
    for [allocation] in year.chance.sample(made, min(len(made), 2)):
        year.tried(at, "accountant", receivables.undo_allocation, allocation, "配错了")


def give_up_some(year, month):
    items = year.rows(_OPEN, until=month)
    for item in year.chance.sample(items, min(len(items), 2)):
        at = moment(year.day(month), 11)
        if year.fifty_fifty():
            year.do(at, "salesperson", receivables.dispute, item.item_id, "数量不符")
            if year.fifty_fifty():
                year.do(at, "finance_head", receivables.resolve_dispute, item.item_id, "已核对")
            continue
        fen = None if year.fifty_fifty() else year.chance.randint(1, item.open_fen)
        asked = year.do(at, "accountant", write_offs.request_write_off, item.item_id, fen, "破产")
        said = year.chance.random() < 0.8
        for role in ("finance_head", "management")[: 2 if said else 1]:
            year.do(at, role, write_offs.decide_write_off, asked, approved=said, reason="再催")


def debts_tie(year, booked):
    """1122 is Σ open items: in all, per branch and customer; and what was sold on credit less all that came in."""
    assert booked("1122") == year.value("select sum(open_fen)::bigint from receivable_items")
    moved = year.value(
        "select (select sum(fen) from tenders where tender = 'credit')::bigint"
        " - (select coalesce(sum(fen), 0) from refund_payments where means = 'credit')::bigint"
        " - (select coalesce(sum(amount_fen), 0) from payments where reversed_on is null)::bigint"
        " - (select coalesce(sum(amount_fen), 0) from write_offs where state = 'written_off')::bigint"
        " + (select coalesce(sum(interest_fen), 0) from receivable_items)::bigint"
    )
    assert booked("1122") == moved
    parted = year.rows(
        "select customer_id, branch_id from (select customer_id, branch_id, debit_fen - credit_fen as fen"
        " from journal_lines where account = '1122' union all"
        " select customer_id, branch_id, -open_fen from receivable_items) x"
        " group by customer_id, branch_id having sum(fen) <> 0"
    )
    assert parted == []
    lost = year.rows(
        "select item_id from receivable_items left join (select item_id, sum(fen) as moved from ("
        " select debt_id as item_id, fen from receivable_allocations"
        " union all select credit_id, -fen from receivable_allocations) x group by 1) m using (item_id)"
        " where open_fen <> amount_fen - coalesce(moved, 0)"
    )
    assert lost == []
