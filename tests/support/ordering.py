"""A sales desk over a back office: prices decided, customers who may buy, orders on their way."""

from datetime import timedelta
from uuid import uuid4

from shared.clock import business_date, utc_now
from tests.support.finance_builders import money, refused

TODAY = business_date(utc_now())
SOON = TODAY + timedelta(days=7)
LATER = "2099-12-31"


def a_product():
    return f"P-{uuid4().hex[:8]}"


def an_order_line(product="P-1", no=1, **odd):
    """Ten packs at 10.00 with 13 % inside, within a week."""
    snapshot = {
        "product_id": product,
        "generic_name": "阿莫西林胶囊",
        "category": "otc",
        "temp_class": "normal",
        "dosage_form": "胶囊剂",
        "specification": "0.25 g × 24",
        "mah": "某某制药有限公司",
        "maker": "某某制药有限公司二厂",
        "approval_number": "国药准字H10000001",
    }
    return {
        "no": no,
        "product": snapshot | odd.pop("product_odd", {}),
        "quantity": 10,
        "unit_price": money(1_000),
        "tax_bp": 1300,
        "deliver_on": str(SOON),
        **odd,
    }


def a_parcel(line_no=1, quantity=10, **odd):
    return {
        "line_no": line_no,
        "lot": "L1",
        "expiry": LATER,
        "quantity": quantity,
        "cost": money(500 * quantity),
        **odd,
    }


def a_price_rule(product, **odd):
    return {
        "product_id": product,
        "customer_kind": "hospital",
        "list_price": money(1_000),
        "floor": money(800),
        "effective_from": str(TODAY),
        **odd,
    }


class SalesDesk:
    """Sally sells, Ivy invoices, Kim keeps the goods, and the heads decide. Every order is of a product of its own."""

    def __init__(self, office, branch="S001"):
        self.office, self.branch = office, branch

    def done(self, path, body=None, role="salesperson", person=None, status=(200, 201)):
        answer = self.office.post(f"/v1{path}", body or {}, role=role, person=person)
        assert answer.status_code in status, answer.text
        return answer.json

    def decided(self, path, body, key):
        """A rule that one proposed and another approved."""
        rule_id = self.done(path, body, "business_head")[key]
        return self.done(f"{path}/{rule_id}/decisions", {"decision": "approved"}, "finance_head")

    def price(self, product=None, **odd):
        product = product or a_product()
        self.decided("/price-rules", a_price_rule(product, **odd), "rule_id")
        return product

    def customer(self, limit_fen=10**12, **odd):
        customer_id = str(uuid4())
        office = self.office
        told = [office.permit(customer_id, **odd), office.grant(customer_id, limit_fen)]
        assert office.hear(*told).parked == 0
        return customer_id

    def drafted(self, *lines, customer=None, role="salesperson", person="sally", **odd):
        body = {
            "branch_id": self.branch,
            "customer_id": customer or self.customer(),
            "lines": list(lines) or [an_order_line(self.price())],
            **odd,
        }
        return self.done("/orders", body, role, person)

    def confirm(self, order, *, role="invoicing_clerk", person="ivy", version=None):
        version = version or self.shown(order)["version"]
        return self.office.post(
            f"/v1/orders/{order['order_id']}/confirm", {"version": version}, role=role, person=person
        )

    def confirmed(self, *lines, **odd):
        order = self.drafted(*lines, **odd)
        answer = self.confirm(order)
        assert answer.status_code == 200, answer.text
        return answer.json

    def shown(self, order):
        answer = self.office.get(f"/v1/orders/{order['order_id']}", role="management")
        assert answer.status_code == 200, answer.text
        return answer.json

    def change(self, order, *lines, person="sally", role="salesperson", version=None):
        version = version or self.shown(order)["version"]
        headers = self.office.headers(role, person=person) | {"Idempotency-Key": uuid4().hex}
        return self.office.app.test_client().put(
            f"/v1/orders/{order['order_id']}",
            json={"version": version, "lines": list(lines)},
            headers=headers,
        )

    def step(self, order, path, body=None, *, role="invoicing_clerk", person=None):
        return self.office.post(
            f"/v1/orders/{order['order_id']}/{path}", body or {}, role=role, person=person
        )

    def approve(self, order, matter, role, *, approved=True, **odd):
        person = odd.pop("person", None)
        body = {
            "version": self.shown(order)["version"],
            "matter": matter,
            "decision": "approved" if approved else "rejected",
            **odd,
        }
        return self.step(order, "decisions", body, role=role, person=person)

    def ship(self, order, *parcels, person="kim", role="storekeeper"):
        body = {"lines": list(parcels) or [a_parcel()]}
        return self.step(order, "ship", body, role=role, person=person)

    def faults(self, answer):
        """The codes of everything that stands in the way."""
        refused(answer, 409, "order_refused")
        return sorted(each["code"] for each in answer.json["faults"])

    def held_fen(self, customer):
        """What orders hold of a customer's credit."""
        return self.office.value(
            "select coalesce(sum(fen), 0)::bigint from credit_reservations where customer_id = cast(:id as uuid)",
            id=customer,
        )

    def used_fen(self, customer):
        """What the customer owes and has ordered."""
        return self.held_fen(customer) + self.office.value(
            "select coalesce(sum(open_fen), 0)::bigint from receivable_items"
            " where customer_id = cast(:id as uuid) and open_fen > 0",
            id=customer,
        )
