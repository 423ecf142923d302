"""Prices, orders and shipments of one branch, for a world of finance."""

from uuid import uuid4

from tests.support.finance_builders import money
from tests.support.ordering import TODAY, a_parcel, a_price_rule, an_order_line

DECISION = {"decision": "approved", "reason": None}
STRATEGY = {
    "kind": "promotion",
    "name": "秋季促销",
    "discount_bp": 100,
    "from": str(TODAY),
    "until": str(TODAY),
}


def orders(company, branch, ids, sent, asked):
    customer = str(uuid4())
    company.world.hears(company.permit(customer))
    rules = {
        "/price-rules": ("rule_id", a_price_rule("P-1")),
        "/price-grades": (
            "grade_id",
            {"customer_id": customer, "grade": "A", "effective_from": str(TODAY)},
        ),
        "/sales-strategies": ("strategy_id", {**STRATEGY, "branch_id": branch}),
    }
    for path, (key, body) in rules.items():
        rule_id = company.made(path, body, "business_head")[key]
        company.made(f"{path}/{rule_id}/decisions", DECISION, "finance_head")
        decided = f"/v1{path}/<uuid:{key}>/decisions"
        ids[decided] = {key: company.made(path, body, "business_head")[key]}
        sent |= {f"/v1{path}": body, decided: DECISION}
    order = {"branch_id": branch, "customer_id": customer, "lines": [an_order_line()]}
    drafted = company.made("/orders", order, "salesperson")
    company.made(f"/orders/{drafted['order_id']}/confirm", {"version": 1}, "invoicing_clerk")
    shipment = {"lines": [a_parcel(quantity=4)]}
    shipped = company.made(f"/orders/{drafted['order_id']}/ship", shipment, "storekeeper")
    ids |= {"order_id": drafted["order_id"], "shipment_id": shipped["shipment_id"]}
    scopes = [{}, {"branch_id": branch}]
    month = f"{TODAY:%Y-%m}"
    asked |= {
        "/v1/orders": scopes,
        "/v1/due-shipments": [{**each, "until": "2099-12-31"} for each in scopes],
        "/v1/order-exceptions": [{**each, "month": month} for each in scopes],
        "/v1/shipment-figures": [{**each, "month": month} for each in scopes],
    }
    of, version = "/v1/orders/<uuid:order_id>", {"version": 1}
    sent |= {
        "/v1/orders": order,
        of: {**version, "lines": [an_order_line(unit_price=money(990))]},
        f"{of}/check": {},
        f"{of}/decisions": {**version, "matter": "credit", "decision": "approved"},
        f"{of}/confirm": version,
        f"{of}/cancel": {"reason": "r"},
        f"{of}/close": {"reason": "r"},
        f"{of}/reopen": {},
        f"{of}/ship": shipment,
    }
