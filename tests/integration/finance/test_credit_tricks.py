"""Somebody who wants more credit than was granted tries everything the interface offers, and gets none of it."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.clock import utc_now
from tests.support.contracts import a_contract_line, signed
from tests.support.credit import at_once, exposure_of
from tests.support.debtors import TODAY, days_ago, pay, sell_on_credit
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.ordering import SalesDesk, a_parcel, an_order_line, refused

END = {"reason": "客户取消"}
PRICE = 1_000


@pytest.fixture(scope="module")
def desk(office):
    return SalesDesk(office)


@pytest.fixture(scope="module")
def product(desk):
    return desk.price()


def on_credit(customer, fen, **odd):
    line = a_line(quantity=1, unit_price=money(fen), discount=money(0), cost=money(0), expiry="2099-12-31")
    tenders = [{"tender": "credit", "amount": money(fen)}]
    receipt = {"sold_at": utc_now().isoformat(), "lines": [line], "tenders": tenders, **odd}
    return a_receipt(customer_id=customer, **receipt)


# --- every step of a long random business is foretold -----------------------------------------------


@dataclass
class Order:
    body: dict
    quantity: int
    shipped: int = 0
    is_holding: bool = False

    @property
    def held_fen(self):
        return (self.quantity - self.shipped) * PRICE if self.is_holding else 0


@dataclass
class Books:
    """What should be: a limit, a hold, what is owed, what orders hold."""

    limit_fen: int
    on_hold: bool = False
    owed_fen: int = 0
    version: int = 1
    orders: list[Order] = field(default_factory=list)

    @property
    def used_fen(self):
        return self.owed_fen + sum(order.held_fen for order in self.orders)

    def may_grow(self, fen):
        return fen <= 0 or (not self.on_hold and self.used_fen + fen <= self.limit_fen)


class Business:
    """Random steps through HTTP beside the books that foretell each answer."""

    def __init__(self, desk, product, seed):
        self.desk, self.office, self.product = desk, desk.office, product
        self.dice = random.Random(seed)
        self.books = Books(limit_fen=30_000)
        self.customer = desk.customer(self.books.limit_fen)
        self.answered = []

    def expect(self, is_right, answer):
        assert (answer.status_code < 300) == is_right, (self.books, answer.text)
        self.answered.append(is_right)

    def line(self, quantity):
        return an_order_line(self.product, quantity=quantity)

    def one(self, *, holding):
        found = [order for order in self.books.orders if order.is_holding == holding]
        return self.dice.choice(found) if found else None

    def place(self):
        quantity = self.dice.randrange(1, 15)
        order = Order(self.desk.drafted(self.line(quantity), customer=self.customer), quantity)
        self.books.orders.append(order)
        self.confirm(order)

    def confirm(self, order):
        may = self.books.may_grow((order.quantity - order.shipped) * PRICE)
        self.expect(may, self.desk.confirm(order.body))
        order.is_holding = may

    def change(self):
        order = self.one(holding=True)
        if order is None:
            return
        quantity = max(order.shipped, 1) + self.dice.randrange(12)
        assert self.desk.change(order.body, self.line(quantity)).status_code == 200
        may = self.books.may_grow((quantity - order.shipped) * PRICE - order.held_fen)
        self.expect(may, self.desk.confirm(order.body))
        if may:
            order.quantity = quantity

    def ship(self):
        order = self.one(holding=True)
        if order is None or order.quantity == order.shipped:
            return
        quantity = self.dice.randrange(1, order.quantity - order.shipped + 1)
        self.expect(not self.books.on_hold, self.desk.ship(order.body, a_parcel(quantity=quantity)))
        if not self.books.on_hold:
            order.shipped += quantity
            self.books.owed_fen += quantity * PRICE

    def end_and_reopen(self):
        order = self.one(holding=True)
        if order is None:
            return
        step = "close" if order.shipped else "cancel"
        assert self.desk.step(order.body, step, END).status_code == 200
        order.is_holding = False
        assert self.desk.step(order.body, "reopen").status_code == 200

    def confirm_again(self):
        order = self.one(holding=False)
        if order is not None:
            self.confirm(order)

    def sell(self):
        fen = self.dice.randrange(1, 8_000)
        may = self.books.may_grow(fen)
        self.expect(may, self.office.post("/v1/sales", on_credit(self.customer, fen)))
        self.books.owed_fen += fen if may else 0

    def pay(self):
        fen = self.dice.randrange(1, 12_000)
        self.expect(True, pay(self.office, self.customer, fen))
        self.books.owed_fen -= fen

    def decide(self):
        books = self.books
        books.version += 1
        books.limit_fen = self.dice.randrange(20_000, 45_000)
        books.on_hold = self.dice.random() < 0.3
        told = self.office.grant(self.customer, books.limit_fen, on_hold=books.on_hold, version=books.version)
        assert self.office.hear(told).parked == 0

    def go_on(self, steps):
        ways = [self.place, self.change, self.change, self.ship, self.ship, self.end_and_reopen]
        ways += [self.confirm_again, self.confirm_again, self.sell, self.sell, self.pay, self.decide]
        for _ in range(steps):
            self.dice.choice(ways)()
            now = exposure_of(self.office, self.customer)
            held = sum(order.held_fen for order in self.books.orders)
            assert (now["outstanding"], now["reserved"]) == (self.books.owed_fen, held), self.books


@pytest.mark.requirement("F27")
@pytest.mark.parametrize("seed", [1, 2])
def test_every_answer_of_a_long_business_is_foretold_by_a_limit_and_a_sum(desk, product, seed):
    business = Business(desk, product, seed)
    business.go_on(45)
    assert {True, False} == set(business.answered), "both happened"


# --- one trick each ---------------------------------------------------------------------------------


@pytest.mark.requirement("F27")
def test_an_override_is_not_carried_over_by_reopening_changing_or_another_order(desk, product):
    customer = desk.customer(1_000)
    order = desk.drafted(an_order_line(product), customer=customer)
    for head in ("finance_head", "business_head"):
        assert desk.approve(order, "credit", head).status_code == 200
    assert desk.confirm(order).status_code == 200
    more = an_order_line(product, quantity=11)
    assert desk.change(order, more).status_code == 200
    assert desk.faults(desk.confirm(order)) == ["credit_limit_exceeded"]
    assert desk.step(order, "cancel", END).status_code == 200
    assert desk.step(order, "reopen").status_code == 200
    assert desk.faults(desk.confirm(order)) == ["credit_limit_exceeded"]
    assert desk.held_fen(customer) == 0


@pytest.mark.requirement("F27")
def test_lending_room_to_another_order_for_a_moment_does_not_multiply_it(desk, product):
    customer = desk.customer(10_000)
    one = desk.confirmed(an_order_line(product, quantity=10), customer=customer)
    other = desk.drafted(an_order_line(product, quantity=9), customer=customer)
    assert desk.change(one, an_order_line(product, quantity=1)).status_code == 200
    assert desk.faults(desk.confirm(other)) == ["credit_limit_exceeded"], "proposed is not confirmed"
    assert desk.confirm(one).status_code == 200
    assert desk.confirm(other).status_code == 200
    assert desk.change(one, an_order_line(product, quantity=2)).status_code == 200
    assert desk.faults(desk.confirm(one)) == ["credit_limit_exceeded"]
    assert desk.used_fen(customer) == 10_000


@pytest.mark.requirement("F27")
def test_a_receipt_dated_back_finds_no_other_limit_and_no_earlier_day(desk, office):
    customer = desk.customer(1_000)
    sell_on_credit(office, customer, 600, on=days_ago(60))
    long_ago = f"{days_ago(90)}T04:00:00Z"
    late = on_credit(customer, 401, sold_at=long_ago)
    refused(office.post("/v1/sales", late), 409, "credit_limit_exceeded")
    [told] = office.results(ndjson([late]))
    assert told["code"] == "credit_limit_exceeded"
    assert office.hear(office.grant(customer, 10**9, version=2, overdue_tolerance_fen=599)).parked == 0
    refused(office.post("/v1/sales", late), 409, "credit_overdue")
    assert office.hear(office.grant(customer, 10**9, version=3, on_hold=True)).parked == 0
    refused(office.post("/v1/sales", late), 409, "credit_on_hold")


@pytest.mark.requirement("F27")
def test_room_from_a_payment_that_is_taken_back_is_gone(desk, office):
    customer = desk.customer(1_000)
    sell_on_credit(office, customer, 1_000)
    paid = pay(office, customer, 1_000).json
    sell_on_credit(office, customer, 1_000)
    back = office.post(f"/v1/payments/{paid['payment_id']}/reverse", {"reason": "退票"}, role="finance_head")
    assert back.status_code in {200, 201}, back.text
    assert exposure_of(office, customer)["outstanding"] == 2_000
    refused(office.post("/v1/sales", on_credit(customer, 1)), 409, "credit_limit_exceeded")
    assert pay(office, customer, 1_001).status_code == 201
    assert office.post("/v1/sales", on_credit(customer, 1)).status_code == 201


@pytest.mark.requirement("F27")
def test_the_same_confirmation_sent_twice_at_once_holds_once(desk, office, product):
    customer = desk.customer(10_000)
    order = desk.drafted(an_order_line(product, quantity=10), customer=customer)
    version = desk.shown(order)["version"]

    def confirm():
        path = f"/v1/orders/{order['order_id']}/confirm"
        body = {"version": version}
        return office.post(path, body, role="invoicing_clerk", person="ivy", key=order["order_id"])

    answers = at_once(*[confirm] * 4)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert desk.held_fen(customer) == 10_000


@pytest.mark.requirement("F21", "F27")
def test_a_hold_told_between_shipments_stops_the_next_and_nothing_else(desk, office, product):
    customer = desk.customer(20_000)
    order = desk.confirmed(an_order_line(product, quantity=20), customer=customer)
    ships = [lambda: desk.ship(order, a_parcel(quantity=1)).status_code for _ in range(6)]
    hold = lambda: office.hear(office.grant(customer, 20_000, version=2, on_hold=True))  # noqa: E731
    results = at_once(*ships[:3], hold, *ships[3:])
    shipped = results.count(201)
    assert exposure_of(office, customer)["outstanding"] == shipped * PRICE
    assert desk.held_fen(customer) == (20 - shipped) * PRICE
    refused(desk.ship(order, a_parcel(quantity=1)), 409, "credit_on_hold")
    assert desk.step(order, "close" if shipped else "cancel", END).status_code == 200
    assert desk.held_fen(customer) == 0


@pytest.mark.requirement("F27")
def test_orders_of_one_contract_shipments_sales_and_payments_never_wait_in_a_circle(desk, office):
    product = desk.price()
    customer = desk.customer(10**9)
    contract = signed(office, customer, a_contract_line(product_id=product))
    contracted = {"unit_price": money(1_990), "contract_line": 1}

    def drafted():
        line = an_order_line(product, quantity=10, **contracted)
        return desk.drafted(line, customer=customer, contract_id=contract)

    confirmed, waiting = [drafted() for _ in range(3)], [drafted() for _ in range(3)]
    for order in confirmed:
        assert desk.confirm(order).status_code == 200
    jobs = []
    for old, new in zip(confirmed, waiting, strict=True):
        jobs += [
            lambda old=old: desk.ship(old, a_parcel(quantity=5, cost=money(1))),
            lambda new=new: desk.confirm(new),
            lambda: office.post("/v1/sales", on_credit(customer, 700)),
            lambda: pay(office, customer, 300),
        ]
    answers = at_once(*jobs)
    assert {answer.status_code for answer in answers} <= {200, 201}, [each.text for each in answers]
    held = 3 * 5 * 1_990 + 3 * 10 * 1_990
    owed = 3 * 5 * 1_990 + 3 * 700 - 3 * 300
    now = exposure_of(office, customer)
    assert (now["reserved"], now["outstanding"]) == (held, owed)


@pytest.mark.requirement("F27")
def test_an_ended_grant_lets_what_was_reserved_go_and_nothing_new_in(desk, office, product):
    customer = desk.customer(10_000)
    order = desk.confirmed(an_order_line(product, quantity=5), customer=customer)
    ended = office.grant(customer, 10_000, version=2, valid_until=str(TODAY - timedelta(days=1)))
    assert office.hear(ended).parked == 0
    assert desk.ship(order, a_parcel(quantity=2)).status_code == 201
    assert desk.change(order, an_order_line(product, quantity=6)).status_code == 200
    assert desk.faults(desk.confirm(order)) == ["credit_not_granted"]
    fresh = desk.drafted(an_order_line(product, quantity=1), customer=customer)
    assert desk.faults(desk.confirm(fresh)) == ["credit_not_granted"]
