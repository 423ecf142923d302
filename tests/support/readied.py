"""What must have happened in a world before a route accepts what the world says it is sent; see `tests.support.worlds`.

Each function brings its world there over the world's own routes and says what is different from what the world says:
arguments of the address, the body, who sends it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from finance.dunning import jobs
from shared.clock import business_date, utc_now
from tests.support import facts
from tests.support.contracts import CONTACT, a_content
from tests.support.debtors import days_ago, run, sell_on_credit
from tests.support.expenses_builders import a_claim
from tests.support.finance_builders import a_line, money
from tests.support.finance_world import PLAN, Company
from tests.support.finance_world_contracts import SIGNED
from tests.support.ordering import a_parcel, an_order_line
from tests.support.worlds import MONTH, THEIRS, World

TODAY = business_date(utc_now())
APPROVED = {"decision": "approved", "reason": None}
REJECTED = {"decision": "rejected", "reason": "r"}


@dataclass(frozen=True, kw_only=True)
class Readied:
    ids: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    person: str | None = None
    role: str | None = None


Ready = Callable[[World], Readied]


def steps(*told: tuple[str, str, Any]) -> Ready:
    """(address, role, body) one after another; an address names the world's own things by `{return_id}`."""

    def ready(world: World) -> Readied:
        for path, role, body in told:
            world.made(path.format(**world.ids), role, body)
        return Readied()

    return ready


# --- customers --------------------------------------------------------------------------------------


def _a_patient(world: World) -> Readied:
    body = {"branch_id": THEIRS, "source_channel": "walk_in", "name": "王五"}
    return Readied(ids={"customer_id": world.made("/patients", "till", body)["customer_id"]})


LICENCES = (
    "business_licence",
    "drug_operation_licence",
    "quality_agreement",
    "purchaser_authorisation",
    "pickup_authorisation",
    "pickup_identity",
)


def _a_candidate(world: World) -> Readied:
    """An institution whose every licence was verified awaits its approval."""
    for kind in LICENCES:
        licence = {
            "type": kind,
            "number": "1",
            "issuer": "x",
            "valid_from": "2020-01-01",
            "valid_until": "2099-01-01",
            "scope": ["otc"] if kind == "drug_operation_licence" else [],
        }
        made = world.made(f"/customers/{world.ids['customer_id']}/licences", "salesperson", licence)
        decided = f"/customers/{world.ids['customer_id']}/licences/{made['licence_id']}/decisions"
        world.made(decided, "qa", {"decision": "approved"})
    return Readied()


CREDIT = "/customers/{customer_id}/credits/{credit_id}/decisions"
CREDITED = steps((CREDIT, "finance_head", APPROVED), (CREDIT, "business_head", APPROVED))
PUBLISHED = steps(
    *(("/offers/{offer_id}/decisions", role, APPROVED) for role in ("finance_head", "cs_manager"))
)
CUSTOMER = "/v1/customers/<uuid:customer_id>"
CUSTOMERS: dict[str, Ready] = {
    CUSTOMER: _a_patient,
    f"{CUSTOMER}/disclosures": _a_patient,
    f"{CUSTOMER}/anonymise": _a_patient,
    f"{CUSTOMER}/decisions": _a_candidate,
    f"{CUSTOMER}/credits": CREDITED,
    f"{CUSTOMER}/credit-holds": CREDITED,
    "/v1/offers/<uuid:offer_id>/close": PUBLISHED,
}

# --- the service desk ---------------------------------------------------------------------------------

_OF = "/tickets/{ticket_id}/"
_STEPS = (
    (f"{_OF}acknowledge", "cs_agent", {}),
    (f"{_OF}assign", "cs_manager", {"handler": "the-cs_agent", "role": "cs_agent"}),
    (f"{_OF}propose", "cs_agent", {"solution": "s"}),
    (f"{_OF}answer", "cs_agent", {"answer": "accepted"}),
    (f"{_OF}execute", "cs_agent", {}),
    (f"{_OF}resolve", "cs_agent", {"cause": "packaging", "fault": "ours", "resolution": "r"}),
)
TICKET = "/v1/tickets/<uuid:ticket_id>"
DESK: dict[str, Ready] = {
    f"{TICKET}/propose": steps(*_STEPS[:2]),
    f"{TICKET}/answer": steps(*_STEPS[:3]),
    f"{TICKET}/execute": steps(*_STEPS[:4]),
    f"{TICKET}/resolve": steps(*_STEPS[:5]),
    f"{TICKET}/archive": steps(*_STEPS),
    f"{TICKET}/reopen": steps(*_STEPS),
    "/v1/feedback-ledgers/<string:branch_id>/<string:month>/close": steps(
        ("/feedback-ledgers/{branch_id}/{month}/sign", "cs_manager", {})
    ),
}

# --- returns ------------------------------------------------------------------------------------------


def _returned(until: str) -> Ready:
    def ready(world: World) -> Readied:
        of = f"/returns/{world.ids['return_id']}"
        rule = "/v1/returns/<uuid:return_id>"
        inspection = world.sent[f"{rule}/inspect"]
        for step, role, body in (
            ("decisions", "business_head", APPROVED),
            ("decisions", "qa", APPROVED),
            ("pick-up", "storekeeper", {}),
            ("receive", "receiver", world.sent[f"{rule}/receive"]),
            ("inspect", "inspector", inspection),
            ("dispose", "qa", world.sent[f"{rule}/dispose"]),
            ("settle", "invoicing_clerk", {}),
        ):
            if step == until:
                break
            world.made(f"{of}/{step}", role, body, person=f"{step}-{role}")
        return Readied()

    return ready


RETURN = "/v1/returns/<uuid:return_id>"
RETURNS: dict[str, Ready] = {
    f"{RETURN}/{step}": _returned(step) for step in ("pick-up", "receive", "inspect", "dispose", "settle")
} | {
    f"{RETURN}/decisions": lambda _: Readied(body=REJECTED),
    "/v1/stop-sales/<uuid:stop_sale_id>/lifting/decisions": steps(
        ("/stop-sales/{stop_sale_id}/lift", "qa", {"reason": "r"})
    ),
}

# --- finance: contracts -------------------------------------------------------------------------------


def _contract(*parts: str) -> Ready:
    """A contract of its own, as far as `parts` say."""

    def ready(world: World) -> Readied:
        customer = world.sent["/v1/contracts"]["customer_id"]
        content = a_content(our_signatory="the-management")
        body = {"branch_id": THEIRS, "customer_id": customer, "content": content}
        made = world.made("/contracts", "salesperson", body, person="sally")["contract_id"]
        of = f"/contracts/{made}"
        if "submit" in parts:
            world.made(f"{of}/submit", "salesperson", {}, person="sally")
        if "review" in parts:
            for role in ("business_head", "finance_head"):
                world.made(f"{of}/decisions", role, APPROVED)
        return Readied(ids={"contract_id": made}, person="sally" if "submit" not in parts else None)

    return ready


def _amendable(world: World) -> Readied:
    path = f"/contracts/{world.ids['contract_id']}/amendments/{world.ids['amendment_id']}/decisions"
    world.made(path, "business_head", REJECTED)
    return Readied()


CONTRACT = "/v1/contracts/<uuid:contract_id>"
CONTRACTS: dict[str, Ready] = {
    CONTRACT: _contract(),
    f"{CONTRACT}/submit": _contract(),
    f"{CONTRACT}/withdraw": _contract("submit"),
    f"{CONTRACT}/decisions": _contract("submit"),
    f"{CONTRACT}/signatures": _contract("submit", "review"),
    f"{CONTRACT}/amendments": _amendable,
    f"{CONTRACT}/termination/decisions": steps(
        ("/contracts/{contract_id}/terminate", "business_head", {"reason": "r"})
    ),
}

# --- finance: orders, samples, refunds ----------------------------------------------------------------


def _an_order(*done: str, price_fen: int = 1_000) -> Ready:
    def ready(world: World) -> Readied:
        customer = world.sent["/v1/orders"]["customer_id"]
        body = {
            "branch_id": THEIRS,
            "customer_id": customer,
            "lines": [an_order_line(unit_price=money(price_fen))],
        }
        made = world.made("/orders", "salesperson", body, person="sally")["order_id"]
        if "cancel" in done:
            world.made(f"/orders/{made}/cancel", "salesperson", {"reason": "r"}, person="sally")
        return Readied(ids={"order_id": made})

    return ready


def _awaiting_a_price(world: World) -> Readied:
    made = _an_order(price_fen=790)(world)
    world.made(f"/orders/{made.ids['order_id']}/check", "salesperson", {}, person="sally")
    return Readied(
        ids=made.ids, body={"version": 1, "matter": "below_floor", "decision": "approved", "reason": "r"}
    )


ORDER = "/v1/orders/<uuid:order_id>"
ORDERS: dict[str, Ready] = {
    f"{ORDER}/check": _an_order(),
    f"{ORDER}/decisions": _awaiting_a_price,
    f"{ORDER}/confirm": _an_order(),
    f"{ORDER}/cancel": _an_order(),
    f"{ORDER}/reopen": _an_order("cancel"),
}


def _a_sample(*done: str) -> Ready:
    def ready(world: World) -> Readied:
        made = world.made("/samples", "salesperson", world.sent["/v1/samples"], person="sally")["sample_id"]
        if done:
            for role in ("business_head", "qa"):
                world.made(f"/samples/{made}/decisions", role, APPROVED)
            world.made(f"/samples/{made}/issue", "storekeeper", {})
        return Readied(ids={"sample_id": made})

    return ready


SAMPLES: dict[str, Ready] = {
    "/v1/samples/<uuid:sample_id>/decisions": _a_sample(),
    "/v1/samples/<uuid:sample_id>/confirm": _a_sample("issue"),
}
_APPROVE = ("/refunds/{refund_id}/decisions", "finance_auditor", APPROVED)


def _payable(world: World) -> Readied:
    steps(_APPROVE)(world)
    part = {"tender": "wechat", "reference": f"CH-{uuid4().hex}"}
    return Readied(body={"parts": [part]})


def _payments(world: World) -> Readied:
    parts = _payable(world).body["parts"]
    return Readied(body={"payments": [{"refund_id": world.ids["refund_id"], "parts": parts}]})


def _sold_today(world: World) -> Readied:
    line = a_line(expiry="2099-12-31")
    sale = Company(world, THEIRS).sell(sold_at=utc_now().isoformat(), lines=[line])
    return Readied(ids={"sale_id": sale["sale_id"]})


REFUND = "/v1/refunds/<uuid:refund_id>"
REFUNDS: dict[str, Ready] = {
    "/v1/sales/<uuid:sale_id>/void": _sold_today,
    f"{REFUND}/release": steps(("/refunds/{refund_id}/hold", "finance_auditor", {"reason": "r"})),
    f"{REFUND}/pay": _payable,
    f"{REFUND}/fail": steps(_APPROVE),
    "/v1/refunds/pay/bulk": _payments,
}

# --- finance: books -----------------------------------------------------------------------------------


def _closed_until(last: int) -> Ready:
    """2025-07 to the month `last`, each closed; the address names the next."""

    def ready(world: World) -> Readied:
        for month in range(7, last + 1):
            Company(world, THEIRS).seal()
            world.made(f"/periods/2025-{month:02d}/close", "finance_head", {})
        Company(world, THEIRS).seal()
        return Readied(ids={"month": f"2025-{last + 1:02d}"})

    return ready


def _signed(*posts: str) -> Ready:
    of = "/financial-statements/{statement_id}/"
    told = [(f"{of}review", "finance_head", {}), *((f"{of}sign", each, {}) for each in posts)]
    return steps(*told)


SIGNERS = ("unit_head", "chief_accountant", "accounting_head")
STATEMENT = "/v1/financial-statements/<uuid:statement_id>"


def _published(world: World) -> Readied:
    _signed(*SIGNERS)(world)
    world.made(f"/financial-statements/{world.ids['statement_id']}/publish", "accountant", {})
    return Readied()


def _a_year_to_transfer(world: World) -> Readied:
    _closed_until(11)(world)
    Company(world, THEIRS).sell(sold_at="2025-12-10T02:00:00Z", lines=[a_line(expiry="2099-12-31")])
    return Readied()


BOOKS: dict[str, Ready] = {
    "/v1/periods/<month>/close": _closed_until(6),
    f"{STATEMENT}/sign": _signed(),
    f"{STATEMENT}/publish": _signed(*SIGNERS),
    f"{STATEMENT}/restate": _published,
    "/v1/periods/<month>/reopenings": steps(
        ("/periods/{month}/reopenings/{reopening_id}/decisions", "management", REJECTED)
    ),
    "/v1/fiscal-years/<int:year>/transfer": _a_year_to_transfer,
}

# --- finance: money -----------------------------------------------------------------------------------


def _another_drawer(world: World) -> Readied:
    drawer = {"branch_id": THEIRS, "drawer": "D2", "till": "till-D2"}
    world.made("/cash-drawers", "store_manager", drawer)
    return Readied(body={"branch_id": THEIRS, "drawer": "D2", "float": money(1)})


def _a_refund_in_cash(world: World) -> Readied:
    company = Company(world, THEIRS)
    tender = {"tender": "cash", "amount": money(3_900)}
    sale = company.sell(lines=[a_line(expiry="2099-12-31")], tenders=[tender])
    told = company.settled(sale, [(0, 1, "restock", 1725, 225, 1150)], branch_id=THEIRS)
    company._seq = 10_000
    world.hears(told)
    [refund] = company.get(f"/refunds?return_id={told.data['return_id']}")["items"]
    world.made(f"/refunds/{refund['refund_id']}/decisions", "finance_head", APPROVED)
    return Readied(body={"refund_id": refund["refund_id"]})


def _an_empty_account(world: World) -> Readied:
    body = {**world.sent["/v1/bank-accounts"], "number": "CN0099999"}
    account = world.made("/bank-accounts", "finance_head", body)["account_id"]
    return Readied(ids={"account_id": account}, body={"closed_on": str(TODAY)})


MONEY: dict[str, Ready] = {
    "/v1/cash-sessions": _another_drawer,
    "/v1/cash-sessions/<uuid:session_id>/refunds": _a_refund_in_cash,
    "/v1/cash-sessions/<uuid:session_id>/close": steps(("/cash-sessions/{session_id}/count", "cashier", {})),
    "/v1/bank-accounts/<uuid:account_id>/close": _an_empty_account,
}


def _claim(until: str) -> Ready:
    def ready(world: World) -> Readied:
        made = world.made("/expense-claims", "salesperson", a_claim(THEIRS), person="sally")["claim_id"]
        for step, role, body in (
            ("submit", "salesperson", {}),
            ("decisions", "store_manager", APPROVED),
            ("audit", "finance_auditor", {"findings": [{"no": 1, "outcome": "accept"}]}),
            ("approve", "finance_head", APPROVED),
            ("pay", "cashier", {"paid_from": "bank"}),
        ):
            if step == until:
                break
            address = "decisions" if step == "approve" else step
            world.made(
                f"/expense-claims/{made}/{address}", role, body, person="sally" if step == "submit" else None
            )
        mine = until in {"submit", ""}
        return Readied(
            ids={"claim_id": made}, person="sally" if mine else None, role="salesperson" if mine else None
        )

    return ready


def _over_budget(world: World) -> Readied:
    """A claim beyond its budget, which a second word lets pass."""
    budget = {**world.sent["/v1/budgets"], "amount": money(1), "overrun": "approval", "category": "office"}
    world.made("/budgets", "finance_head", budget)
    item = {**a_claim(THEIRS)["items"][0], "category": "office"}
    made = world.made("/expense-claims", "salesperson", a_claim(THEIRS, item), person="sally")["claim_id"]
    world.made(f"/expense-claims/{made}/submit", "salesperson", {}, person="sally")
    return Readied(ids={"claim_id": made})


CLAIM = "/v1/expense-claims/<uuid:claim_id>"
CLAIMS: dict[str, Ready] = {
    CLAIM: _claim("submit"),
    **{f"{CLAIM}/{step}": _claim(step) for step in ("submit", "decisions", "audit", "pay")},
    f"{CLAIM}/overrun/decisions": _over_budget,
}


def _a_plan(*, over: bool) -> Ready:
    def ready(world: World) -> Readied:
        days = {"from": str(TODAY - timedelta(days=20)), "until": str(TODAY - timedelta(days=10))}
        body = {**PLAN, "code": "C-9", "branch_id": THEIRS} | (days if over else {})
        plan = world.made("/promotion-plans", "accountant", body, person="planner")["plan_id"]
        if over:
            for role in ("finance_head", "cs_manager"):
                world.made(f"/promotion-plans/{plan}/decisions", role, APPROVED)
        return Readied(ids={"plan_id": plan})

    return ready


PLANS: dict[str, Ready] = {
    "/v1/promotion-plans/<uuid:plan_id>/decisions": _a_plan(over=False),
    "/v1/promotion-plans/<uuid:plan_id>/close": _a_plan(over=True),
}

# --- finance: debts -----------------------------------------------------------------------------------


def _written_off(world: World) -> Readied:
    for role in ("finance_head", "management"):
        world.made(f"/write-offs/{world.ids['write_off_id']}/decisions", role, {"decision": "approved"})
    return Readied()


def _to_be_answered(world: World) -> Readied:
    path = f"/v1/customer-statements/{world.ids['customer_statement_id']}"
    world.made(f"{path.removeprefix('/v1')}/send", "accountant", {"channel": "letter"})
    items = world.call("GET", path, "accountant").json["items"]
    answers = [{"item_id": each["item_id"], "answer": "disputed", "reason": "r"} for each in items]
    return Readied(body={"answers": answers, "contact_id": CONTACT})


def _a_letter_due(world: World) -> Readied:
    company, customer = Company(world, THEIRS), str(uuid4())
    company._seq = 20_000
    world.hears(company.permit(customer))
    sell_on_credit(company, customer, 10_000, on=days_ago(100), branch=THEIRS)
    run(company, jobs.dun)
    [case] = company.get(f"/dunning-cases?customer_id={customer}")["items"]
    phoned = {"channel": "phone", "outcome": "reached", "text_version": "phone-1"}
    company.made(f"/dunning-cases/{case['case_id']}/actions", phoned, "accountant")
    run(company, jobs.dun, TODAY + timedelta(days=7))
    return Readied(body={"customer_id": customer, "level": 2})


DEBTS: dict[str, Ready] = {
    "/v1/receivable-items/<uuid:item_id>/resolve": steps(
        ("/receivable-items/{item_id}/dispute", "accountant", {"reason": "r"})
    ),
    "/v1/receivable-items/<uuid:item_id>/write-offs": steps(
        ("/write-offs/{write_off_id}/decisions", "finance_head", REJECTED)
    ),
    "/v1/receivable-items/<uuid:item_id>/recoveries": _written_off,
    "/v1/customer-statements/<uuid:customer_statement_id>/answer": _to_be_answered,
    "/v1/dunning-cases/<uuid:case_id>/unblock": steps(
        ("/dunning-cases/{case_id}/block", "finance_head", {"reason": "r"})
    ),
    "/v1/dunning-letters": _a_letter_due,
}


def _closed_books(world: World) -> Readied:
    world.hears(facts.period_closed(1_000, month=date.fromisoformat(f"{MONTH}-01")))
    return Readied()


READY: Mapping[str, Mapping[str, Ready]] = {
    "customers": CUSTOMERS,
    "service_desk": DESK,
    "returns": RETURNS,
    "finance": CONTRACTS | ORDERS | SAMPLES | REFUNDS | BOOKS | MONEY | CLAIMS | PLANS | DEBTS,
    "reporting": {"/v1/months/<string:month>/close": _closed_books},
}


# --- further situations: above all the second of two, with whom it takes effect -----------------------------------------------------


def _ours_signed(world: World) -> Readied:
    made = _contract("submit", "review")(world)
    of = f"/contracts/{made.ids['contract_id']}/signatures"
    world.made(of, "management", {"party": "ours", **SIGNED})
    return made


def _amended(world: World) -> Readied:
    of = f"/contracts/{world.ids['contract_id']}/amendments/{world.ids['amendment_id']}"
    world.made(f"{of}/decisions", "business_head", APPROVED)
    return Readied()


def _overrun_approved_once(world: World) -> Readied:
    made = _over_budget(world)
    path = f"/expense-claims/{made.ids['claim_id']}/overrun/decisions"
    world.made(path, "finance_head", {"decision": "approved", "reason": "r"})
    return Readied(ids=made.ids, body={"decision": "approved", "reason": "r"})


def _confirmed(world: World) -> Readied:
    made = _an_order()(world)
    world.made(f"/orders/{made.ids['order_id']}/confirm", "invoicing_clerk", {"version": 1}, person="ivy")
    return made


def _changed(world: World) -> Readied:
    """A confirmed order with a change that is to be confirmed."""
    made = _confirmed(world)
    path = f"/v1/orders/{made.ids['order_id']}"
    version = world.call("GET", path, "management").json["version"]
    body = {"version": version, "lines": [an_order_line(quantity=9)]}
    changed = world.call("PUT", path, "salesperson", person="sally", json=body)
    assert changed.status_code == 200, changed.text
    return Readied(ids=made.ids, body={"version": changed.json["version"]})


def _the_last_of_a_contract(world: World) -> Readied:
    """An order of all that a contract is about, to be shipped at once."""
    made = _ours_signed(world)
    contract = f"/contracts/{made.ids['contract_id']}"
    theirs = {"party": "customer", "contact_id": CONTACT, **SIGNED}
    world.made(f"{contract}/signatures", "salesperson", theirs)
    line = an_order_line(quantity=100, unit_price=money(1_990), contract_line=1)
    body = {
        "branch_id": THEIRS,
        "customer_id": world.sent["/v1/contracts"]["customer_id"],
        "contract_id": made.ids["contract_id"],
        "lines": [line],
    }
    order = world.made("/orders", "salesperson", body, person="sally")["order_id"]
    world.made(f"/orders/{order}/confirm", "invoicing_clerk", {"version": 1}, person="ivy")
    return Readied(ids={"order_id": order}, body={"lines": [a_parcel(quantity=100)]})


FURTHER: Mapping[str, Mapping[str, Ready]] = {
    "customers": {
        "/v1/offers/<uuid:offer_id>/decisions": steps(
            ("/offers/{offer_id}/decisions", "finance_head", APPROVED)
        ),
        f"{CUSTOMER}/credits/<uuid:credit_id>/decisions": steps((CREDIT, "finance_head", APPROVED)),
    },
    "returns": {
        f"{RETURN}/decisions": steps(("/returns/{return_id}/decisions", "business_head", APPROVED)),
    },
    "service_desk": {},
    "reporting": {},
    "finance": {
        f"{CLAIM}/overrun/decisions": _overrun_approved_once,
        f"{CLAIM}/decisions": _claim("approve"),
        ORDER: _confirmed,
        f"{ORDER}/confirm": _changed,
        f"{ORDER}/ship": _the_last_of_a_contract,
        f"{CONTRACT}/signatures": _ours_signed,
        f"{CONTRACT}/amendments/<uuid:amendment_id>/answer": _amended,
        "/v1/periods/<month>/reopenings/<uuid:reopening_id>/decisions": steps(
            ("/periods/{month}/reopenings/{reopening_id}/decisions", "finance_head", APPROVED)
        ),
        "/v1/write-offs/<uuid:write_off_id>/decisions": steps(
            ("/write-offs/{write_off_id}/decisions", "finance_head", APPROVED)
        ),
    },
}
"""Other situations of a route, above all when the second of two persons decides: what the first of them did."""
