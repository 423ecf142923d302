"""What is bought, sold over the counter, brought back and given away as samples."""

from datetime import date, timedelta
from uuid import UUID

from finance.costs.commands import costing, receiving
from finance.costs.model import Bought, Purchase
from finance.costs.rules import NothingPurchased
from finance.costs.schemas import GoodsReceiptBody
from finance.refunds.commands import paying
from finance.refunds.commands import steps as refunds
from finance.refunds.rules import Payment
from finance.sales.commands import bulk
from finance.sales.rules import files
from finance.sample_issues import commands as sample_issues
from finance.samples import commands as samples
from finance.samples.model import Asked
from tests.support import refunding
from tests.support.expenses_builders import a_goods_line, a_goods_receipt
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.year.desk import BRANCHES, CUSTOMERS, LATEST, last_day, moment

RECEIPTS_A_MONTH = 1_500
TENDERS = ("cash", "wechat", "alipay", "card", "medical_insurance", "credit")


def buy_some(year, month):
    """Goods come in for a part of what is sold; the rest keeps the cost of the till."""
    for branch in year.chance.sample(BRANCHES, 3):
        day = year.day(month)
        line = a_goods_line(
            quantity=year.chance.randint(1, 900), unit_price=money(year.chance.randint(50, 9_000))
        )
        body = a_goods_receipt(branch, line, received_on=str(day))
        said = GoodsReceiptBody().load(body)
        purchase = Purchase(**{**said, "lines": [Bought(**each) for each in said["lines"]]})
        year.do(moment(day), "accountant", receiving.receive, purchase)


def cost_all(year, month, at):
    for branch in BRANCHES:
        try:
            year.do(at, "accountant", costing.run, branch, month)
        except NothingPurchased:
            year.happened["nothing to cost"] += 1


def sell(year, month):
    """A month of receipts; some are uploads for a month that has closed meanwhile, marked late."""
    days = last_day(month).day
    receipts = []
    for _ in range(RECEIPTS_A_MONTH):
        day = month + timedelta(days=year.chance.randrange(days))
        if year.chance.random() < 0.003 and month.month > 4:
            day -= timedelta(days=100)
        receipts.append(a_random_receipt(year.chance, day))
    at = moment(last_day(month), 15)
    for batch in bulk.Batches(files.from_ndjson([ndjson(receipts)])):
        results = year.do(at, "till", bulk.load, batch)
        assert {each.state for each in results} == {"posted"}, {each.refusal for each in results}
    for receipt in receipts:
        for each in receipt["tenders"]:
            if each["tender"] == "cash":
                year.safe[receipt["branch_id"]] += each["amount"]["fen"]


def a_random_receipt(chance, day):
    lines = [
        a_line(
            quantity=chance.randint(1, 5),
            unit_price=money(chance.randint(50, 30_000)),
            discount=money(chance.randint(0, 40)),
            cost=money(chance.randint(0, 20_000)),
            tax_bp=chance.choice((0, 300, 900, 1300)),
            expiry=LATEST,
        )
        for _ in range(chance.choice((1, 1, 2)))
    ]
    total = sum(line["quantity"] * line["unit_price"]["fen"] - line["discount"]["fen"] for line in lines)
    names = chance.sample(TENDERS, chance.choice((1, 2, 2)))
    first = chance.randint(1, total - 1) if len(names) == 2 else total
    amounts = [first, total - first][: len(names)]
    on_credit = "credit" in names
    return a_receipt(
        branch_id=chance.choice(BRANCHES),
        sold_at=f"{day}T{chance.randint(1, 12):02d}:00:00Z",
        late=True,
        lines=lines,
        customer_id=chance.choice(CUSTOMERS) if on_credit or chance.random() < 0.3 else None,
        tenders=[{"tender": name, "amount": money(fen)} for name, fen in zip(names, amounts, strict=True)],
    )


# --- what comes back --------------------------------------------------------------------------------

_SOLD = """
select s.sale_id::text, l.line_id::text, l.lot, s.branch_id, l.quantity - coalesce(t.quantity, 0) as quantity,
    l.net_fen - coalesce(t.net, 0) as net, l.tax_fen - coalesce(t.tax, 0) as tax, l.cost_fen - coalesce(t.cost, 0) as cost
from sales s join sale_lines l using (sale_id, booked_on) left join (
    select sale_line_id, sum(quantity) as quantity, sum(net_fen) as net, sum(tax_fen) as tax, sum(cost_fen) as cost
    from refund_lines group by 1) t on t.sale_line_id = l.line_id
where s.booked_on >= :since and l.quantity > coalesce(t.quantity, 0)
order by {order} limit :most
"""


def bring_back(year, month):
    """Settled returns, whole or in part, of old and new sales and again of the same one; one asks for too much."""
    since = month - timedelta(days=70)
    lines = year.rows(_SOLD.format(order="l.line_id"), since=since, most=3_000)
    wanted = year.chance.sample(lines, 12)
    wanted += year.rows(_SOLD.format(order="t.quantity nulls last, l.line_id"), since=since, most=3)
    wanted = list({line.sale_id: line for line in wanted}.values())
    told = [a_return(year, month, line) for line in wanted]
    year.hear(moment(last_day(month), 14), *told)
    year.accepted += sum(each.data["refund_fen"] for each in told)
    greedy = a_return(year, month, wanted[0], 10**4)
    assert year.office.hear(greedy).parked == 1


def a_return(year, month, line, taken=None):
    taken = taken or year.chance.randint(1, int(line.quantity))
    net, tax, cost = (int(each) * taken // line.quantity for each in (line.net, line.tax, line.cost))
    sale = {"sale_id": line.sale_id, "lines": [{"line_id": line.line_id}]}
    part = (0, taken, year.chance.choice(("restock", "destroy")), net, tax, cost)
    where = {"branch_id": line.branch_id, "lot": line.lot}
    return year.office.settled(sale, [part], settled_on=str(year.day(month)), **where)


def pay_back(year, month):
    """Refunds go their steps: held, approved, refused by a channel, paid in parts, or left for another month."""
    at = moment(last_day(month), 15)
    waiting = year.rows("select refund_id, state from refunds where state <> 'paid' order by refund_id")
    approved = []
    for refund_id, state in waiting:
        if state == "held" and year.fifty_fifty():
            year.do(at, "finance_auditor", refunds.release, refund_id)
        elif state == "verified" and year.chance.random() < 0.1:
            year.do(at, "finance_auditor", refunds.hold, refund_id, "问清楚")
        elif state == "failed" or (state == "verified" and year.chance.random() < 0.7):
            refused = failed_tenders(year, refund_id)
            year.do(at, "finance_auditor", refunds.approve, refund_id, by_bank=refused)
            approved.append(refund_id)
        elif state in {"approved", "paying"}:
            approved.append(refund_id)
    for refund_id in approved[:3]:
        pay_or_fail(year, at, refund_id)
    listed = [(each, desk_parts(year, each)) for each in approved[3:9]]
    listed = [(each, parts) for each, parts in listed if parts]
    if listed:
        paid = year.do(at, "accountant", paying.pay_all, listed, None)
        assert {each.code for each in paid} == {None}, paid


def failed_tenders(year, refund_id):
    return [
        row.tender
        for row in year.rows(
            "select distinct detail ->> 'tender' as tender from refund_steps s where refund_id = :id and step = 'failed'"
            " and not exists (select from refund_payments p where p.refund_id = s.refund_id"
            " and p.tender = s.detail ->> 'tender')",
            id=refund_id,
        )
    ]


def unpaid_parts(year, refund_id):
    return year.rows(
        "select t.tender, t.means, t.fen, r.branch_id from refund_tenders t join refunds r using (refund_id)"
        " where refund_id = :id and not exists (select from refund_payments p where p.refund_id = t.refund_id"
        " and p.tender = t.tender) order by t.tender",
        id=refund_id,
    )


def desk_parts(year, refund_id):
    return [
        Payment(tender=part.tender, reference=refunding.reference_for(part.means))
        for part in unpaid_parts(year, refund_id)
        if part.means != "cash"
    ]


def pay_or_fail(year, at, refund_id):
    """One part of it: by its channel, which may refuse; or out of the safe."""
    part = year.chance.choice(unpaid_parts(year, refund_id))
    if part.means in {"wechat", "alipay", "card"} and year.fifty_fifty():
        year.do(at, "accountant", refunds.fail, refund_id, part.tender, "channel_rejected")
        return
    if part.means == "cash":
        if part.fen <= year.safe[part.branch_id]:
            year.do(at, "cashier", paying.pay, refund_id, [Payment(tender=part.tender)])
            year.safe[part.branch_id] -= part.fen
        return
    payment = Payment(tender=part.tender, reference=refunding.reference_for(part.means))
    year.do(at, "accountant", paying.pay, refund_id, [payment])


def refunds_never_exceed_what_was_accepted(year, booked):
    assert year.accepted == year.value("select sum(total_fen)::bigint from refunds")
    wrong = year.rows(
        "select refund_id from refunds r where total_fen <> (select sum(net_fen + tax_fen) from refund_lines l"
        " where l.refund_id = r.refund_id) or total_fen <> (select sum(fen) from refund_tenders t"
        " where t.refund_id = r.refund_id) or (state = 'paid') <> (total_fen = (select coalesce(sum(p.fen), 0)"
        " from refund_payments p join refund_tenders t using (refund_id, tender) where p.refund_id = r.refund_id"
        " and p.fen = t.fen))"
        " union select t.refund_id from sales s join (select sale_id, tender, sum(fen) as fen,"
        " (array_agg(refund_id))[1] as refund_id from refund_tenders join refunds using (refund_id) group by 1, 2) t"
        " using (sale_id) join tenders p using (sale_id, tender) where t.fen > p.fen"
    )
    assert wrong == []
    owed = "select (select sum(fen) from refund_tenders)::bigint - (select coalesce(sum(fen), 0) from refund_payments)::bigint"
    assert -booked("2241.01") == year.value(owed)


# --- samples ----------------------------------------------------------------------------------------


def give_samples(year, month):
    """Some to an institution, which are deemed sold, some to our own laboratory; a lot may hold too few."""
    for _ in range(2):
        day = year.day(month)
        is_given = year.fifty_fifty()
        asked = Asked(
            branch_id=year.chance.choice(BRANCHES),
            kind="product",
            recipient="institution" if is_given else "internal",
            customer_id=UUID(year.chance.choice(CUSTOMERS)) if is_given else None,
            purpose="customer_evaluation" if is_given else "laboratory",
            product_id="P-1",
            generic_name="阿莫西林胶囊",
            category="otc",
            lot="L1",
            expiry=date.fromisoformat(LATEST),
            quantity=year.chance.randint(1, 30),
            tax_bp=1300,
            reason="评价",
        )
        sample = year.do(moment(day), "salesperson", samples.request, asked)
        if year.chance.random() < 0.1:
            year.do(moment(day, 3), "qa", samples.decide, sample, approved=False, reason="不需要")
            continue
        for role in ("business_head", "qa"):
            year.do(moment(day, 3), role, samples.decide, sample, approved=True, reason=None)
        if year.tried(moment(day, 4), "storekeeper", sample_issues.issue, sample) and year.fifty_fifty():
            used = year.chance.randint(0, asked.quantity)
            year.do(moment(day, 5), "qa", samples.confirm, sample, used=used, returned=asked.quantity - used)  # fmt: skip


def samples_tie(year, booked):
    """What samples cost and their VAT is the selling expense of their entries, and no other."""
    kept = year.rows(
        "select sample_id, cost_fen + coalesce(vat_fen, 0) from samples where issued_at is not null"
    )
    in_ledger = year.rows(
        "select e.source_id, sum(l.debit_fen)::bigint from journal_entries e join journal_lines l on l.entry_id = e.id"
        " and l.booked_on = e.booked_on where e.kind = 'sample_issue' group by e.id, e.source_id"
    )
    assert {each for each in kept if each[1]} == set(in_ledger)


def output_vat_ties(year, booked):
    """Output VAT is that of the sales, less that of what came back, with that of samples and of interest."""
    owed = year.value(
        "select (select sum(tax_fen) from sale_lines)::bigint - (select sum(tax_fen) from refund_lines)::bigint"
        " + (select coalesce(sum(vat_fen), 0) from samples where issued_at is not null)::bigint"
        " + (select coalesce(sum(l.credit_fen - l.debit_fen), 0) from journal_entries e join journal_lines l"
        "   on l.entry_id = e.id and l.booked_on = e.booked_on where e.kind = 'late_interest'"
        "   and l.account = '2221.01.01')::bigint"
    )
    assert -booked("2221.01.01") == owed
