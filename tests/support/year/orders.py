"""Institutions: contracts signed and amended, orders drafted, confirmed, changed, shipped, ended and opened again."""

from datetime import date, timedelta
from uuid import UUID

from msgspec.structs import replace

from finance.contract_forms import Content
from finance.contracts.commands import amending
from finance.contracts.commands import drafting as contracts
from finance.contracts.model import Answer, Proposal, Signature
from finance.credit import store
from finance.kernel.receipt import Product, TempClass
from finance.orders import store as order_store
from finance.orders.commands import ordering as orders
from finance.orders.commands import shipping
from finance.orders.model import Decided, Wanted
from finance.orders.rules import Line, OrderRefused, lines_of
from finance.prices import commands
from finance.prices.model import PriceRule
from finance.prices.tables import price_rules
from tests.support.contracts import CONTACT, PAPER, SIGNATORY
from tests.support.year.desk import BRANCHES, LATEST, MONTHS, moment

BUYERS = [str(UUID(int=number)) for number in range(101, 107)]
LIST_FEN = {"W-1": 1_000, "W-2": 2_500, "W-3": 400}
BRANCH = BRANCHES[1]
HEADS = ("business_head", "finance_head")


def begin(year):
    """Buyers with limits that some orders will exceed, and prices for them."""
    told = []
    for buyer in BUYERS:
        told += [year.office.permit(buyer), year.office.grant(buyer, year.chance.randint(300_000, 6_000_000))]
    assert year.office.hear(*told).parked == 0
    for product, fen in LIST_FEN.items():
        rule = PriceRule(
            product_id=product,
            customer_kind="hospital",
            grade="",
            list_fen=fen,
            floor_fen=fen * 8 // 10,
            effective_from=MONTHS[0],
        )
        rule_id = year.do(moment(MONTHS[0]), "business_head", commands.propose_price, rule)
        year.do(moment(MONTHS[0]), "finance_head", commands.decide, price_rules, rule_id, approved=True, reason=None)  # fmt: skip


# --- contracts --------------------------------------------------------------------------------------


def a_contract_line(year, no, product, day):
    return {
        "line_no": no,
        "product_id": product,
        "generic_name": "阿莫西林胶囊",
        "specification": "0.25 g × 24",
        "category": "otc",
        "quantity": year.chance.randint(20, 120),
        "unit_price_fen": LIST_FEN[product] * 95 // 100,
        "tax_bp": 1300,
        "delivery_date": str(day + timedelta(days=year.chance.randint(5, 40))),
    }


def sign_contract(year, month):
    """Drafted, reviewed by two heads, signed by both parties; sometimes amended to more by both."""
    day = month + timedelta(days=year.chance.randrange(5))
    content = {
        "lines": [a_contract_line(year, no, product, day) for no, product in enumerate(("W-1", "W-2"), 1)],
        "payment_terms": {
            "method": "bank",
            "instalments": [{"days": 0, "share_bp": 3_000}, {"days": 45, "share_bp": 7_000}],
        },
        "quality_clause": "符合《中国药典》",
        "our_signatory": SIGNATORY,
        "customer_signatory": CONTACT,
        "place": "上海",
        "dated_on": str(day),
        "file_sha256": PAPER,
        "valid_from": str(day),
        "valid_until": str(day + timedelta(days=year.chance.randint(40, 200))),
    }
    buyer = UUID(year.chance.choice(BUYERS))
    contract = year.do(moment(day), "salesperson", contracts.draft, BRANCH, buyer, Content.of(content))
    year.do(moment(day), "salesperson", contracts.submit, contract)
    for role in HEADS:
        year.do(moment(day), role, contracts.review, contract, approved=True, reason=None)
    for party, role in (("ours", "management"), ("customer", "salesperson")):
        paper = Signature(party, CONTACT, day, PAPER)
        year.do(moment(day, 3), role, contracts.sign, contract, paper)
    year.contracts.append((contract, buyer))


def amend_contract(year, month):
    contract, _ = year.chance.choice(year.contracts)
    at = moment(year.day(month), 4)
    content = year.value(
        "select content from contract_versions where contract_id = :id order by version desc limit 1",
        id=contract,
    )
    for line in content["lines"]:
        line["quantity"] = max(1, line["quantity"] + year.chance.randint(-30, 60))
    proposed = []

    def propose(tx, *args):
        proposed.append(amending.propose(tx, *args))

    body = Proposal("ours", "多要一些", Content.of(content))
    if not year.tried(at, "salesperson", propose, contract, body):
        return
    answer = Answer("accepted", CONTACT, at.date(), PAPER)
    year.do(at, "business_head", amending.approve, contract, proposed[0], approved=True, reason=None)
    year.do(at, "salesperson", amending.record_answer, contract, proposed[0], answer)


# --- orders -----------------------------------------------------------------------------------------


def a_line(year, no, product, day, contract_line=None):
    fen = LIST_FEN[product]
    discount = year.chance.choice((0, 0, fen * 2 // 100, fen * 6 // 100, fen * 30 // 100))
    if contract_line is not None:
        fen, discount = fen * 95 // 100, 0
    snapshot = {
        "id": product,
        "generic_name": "阿莫西林胶囊",
        "category": "otc",
        "temp_class": TempClass.NORMAL,
        "specification": "0.25 g × 24",
        "approval_number": "国药准字H10000001",
    }
    return Line(
        no=no,
        product=Product(**snapshot),
        quantity=year.chance.randint(1, 60),
        unit_price_fen=fen,
        unit_discount_fen=discount,
        tax_bp=1300,
        deliver_on=day + timedelta(days=year.chance.randint(0, 20)),
        contract_line=contract_line,
    )


def some_lines(year, day, contract):
    if contract is not None:
        return [a_line(year, 1, "W-1", day, 1), a_line(year, 2, "W-2", day, 2)]
    products = year.chance.sample(list(LIST_FEN), year.chance.randint(1, 2))
    return [a_line(year, no, product, day) for no, product in enumerate(products, 1)]


def trade(year, month):
    """New orders, and one more step of any that there are."""
    if month.month % 2 == 1:
        sign_contract(year, month)
    if year.fifty_fifty():
        amend_contract(year, month)
    for _ in range(3):
        day = year.day(month)
        contract, buyer = year.chance.choice(
            [*year.contracts[-2:], *[(None, UUID(year.chance.choice(BUYERS)))] * 2]
        )
        wanted = Wanted(BRANCH, buyer, contract, some_lines(year, day, contract))
        order = year.do(moment(day), "salesperson", orders.draft, wanted)
        confirm(year, moment(day, 1), order)
    for day in sorted(month + timedelta(days=number) for number in year.chance.sample(range(28), 8)):
        one_step(year, day)
    year.do(moment(month, 6), "accountant", amending.pass_time)


_ORDER = "select * from sales_orders where order_id = :id"


def one_step(year, day):
    [order_id] = year.chance.choice(year.rows("select order_id from sales_orders order by order_id"))
    [order] = year.rows(_ORDER, id=order_id)
    at = moment(day, 5)
    if order.state in {"draft", "checked"}:
        step = year.chance.choice((confirm, confirm, check, change, cancel))
    elif order.state == "confirmed":
        step = year.chance.choice((ship, ship, ship, change, cancel))
    elif order.state == "part_shipped":
        step = year.chance.choice((ship, ship, change, close))
    elif order.state == "shipped":
        step = year.chance.choice((change, close))
    else:
        step = reopen
    step(year, at, order_id)


def confirm(year, at, order_id):
    """With what it needs approved, or an override of credit, or not at all."""
    [order] = year.rows(_ORDER, id=order_id)
    if order.proposal is None:
        return
    try:
        year.do(at, "invoicing_clerk", orders.confirm, order_id, order.version)
    except OrderRefused as refused:
        codes = {each["code"] for each in refused.context["faults"]}
        year.refusals.update(codes)
        matters = {each.get("approval") for each in refused.context["faults"]} - {None}
        if codes <= {"credit_limit_exceeded", "credit_overdue", "discount_not_approved", "price_below_floor"}:
            settle(year, at, order, matters | ({"credit"} if codes & {"credit_limit_exceeded"} else set()))
    else:
        within_its_limit(year, order)


def settle(year, at, order, matters):
    if year.chance.random() < 0.3:
        return
    for matter in sorted(matters):
        said = Decided(version=order.version, matter=matter, approved=True, reason=None, until=None)
        for role in HEADS[:1] if matter == "discount" else HEADS:
            year.do(at, role, orders.decide, order.order_id, said)
    year.tried(at, "invoicing_clerk", orders.confirm, order.order_id, order.version)


def within_its_limit(year, order):
    """What passes the gate as more than before leaves the customer within the limit."""
    position = year.ask(store.positions, [order.customer_id], order.proposed_at.date())[order.customer_id]
    if order.state in {"draft", "checked"} and position.reserved_fen:
        assert position.used_fen <= position.limit_fen, order.number


def check(year, at, order_id):
    year.do(at, "salesperson", orders.check, order_id)


def change(year, at, order_id):
    """More or less of it."""
    [order] = year.rows(_ORDER, id=order_id)
    lines = lines_of(order.proposal) if order.proposal else [line for line, _ in confirmed(year, order_id)]
    wanted = [replace(line, quantity=max(1, line.quantity + year.chance.randint(-20, 30))) for line in lines]
    if year.tried(at, "salesperson", orders.propose_change, order_id, order.version, wanted):
        confirm(year, at, order_id)


def confirmed(year, order_id):
    """The lines in force, each with what is shipped of it."""
    rows = year.rows("select * from sales_order_lines where order_id = :id order by no", id=order_id)
    return [(order_store.line_of(row._mapping), row.shipped_quantity) for row in rows]


def ship(year, at, order_id):
    parcels = [
        shipping.Parcel(
            line_no=line.no,
            lot=f"LW{year.chance.randint(1, 3)}",
            expiry=date.fromisoformat(LATEST),
            quantity=year.chance.randint(1, line.quantity - shipped + (year.chance.random() < 0.1)),
            cost_fen=year.chance.randint(0, 20_000),
        )
        for line, shipped in confirmed(year, order_id)
        if line.quantity > shipped
    ]
    if parcels:
        year.tried(at, "storekeeper", shipping.ship, order_id, parcels)


def cancel(year, at, order_id):
    year.tried(at, "salesperson", orders.end, order_id, "不要了", is_cancelled=True)


def close(year, at, order_id):
    year.tried(at, "store_manager", orders.end, order_id, "够了", is_cancelled=False)


def reopen(year, at, order_id):
    if year.chance.random() < 0.4 and year.tried(at, "salesperson", orders.reopen, order_id):
        confirm(year, at, order_id)


# --- ties -------------------------------------------------------------------------------------------


def orders_tie(year, booked):
    """Credit held is Σ of what open orders have not shipped; a contract has what its orders hold, ship and shipped."""
    held = year.rows("select order_id, customer_id, fen from credit_reservations")
    unshipped = year.rows(
        "select o.order_id, o.customer_id,"
        " sum((l.quantity - l.shipped_quantity) * (l.unit_price_fen - l.unit_discount_fen))::bigint as fen"
        " from sales_orders o join sales_order_lines l using (order_id)"
        " where o.state in ('confirmed', 'part_shipped', 'shipped') group by 1, 2"
    )
    assert {tuple(row) for row in held} == {tuple(row) for row in unshipped if row.fen}
    parted = year.rows(
        "select f.contract_id, f.line_no from contract_fulfilment f left join ("
        "  select o.contract_id, l.contract_line as line_no, sum(l.shipped_quantity) as shipped,"
        "  sum(case when o.state in ('confirmed', 'part_shipped', 'shipped') then l.quantity"
        "   else l.shipped_quantity end) as ordered from sales_orders o join sales_order_lines l using (order_id)"
        "  where l.contract_line is not null group by 1, 2) o using (contract_id, line_no)"
        " left join (select contract_id, line_no, sum(quantity) filter (where kind = 'ship') as shipped,"
        "  sum(value_fen) as value from contract_moves group by 1, 2) m using (contract_id, line_no)"
        " where f.ordered <> coalesce(o.ordered, 0) or f.shipped <> coalesce(o.shipped, 0)"
        " or f.shipped <> coalesce(m.shipped, 0) or f.shipped_fen <> coalesce(m.value, 0)"
        " or not (0 <= f.shipped and f.shipped <= f.ordered and f.ordered <= f.quantity)"
    )
    assert parted == []
    lost = year.rows(
        "select s.order_id from shipments s left join sales x using (sale_id)"
        " where x.total_fen is distinct from s.total_fen or x.channel <> 'wholesale'"
        " union select l.order_id from sales_order_lines l left join (select s.order_id, p.order_line as line_no,"
        "  sum(p.quantity) as sent from shipments s join shipment_lines p using (shipment_id) group by 1, 2) p"
        "  on p.order_id = l.order_id and p.line_no = l.no where l.shipped_quantity <> coalesce(p.sent, 0)"
    )
    assert lost == []
