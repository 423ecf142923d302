"""A world per service: data of one branch, and what to ask and send each of its routes; who tests all routes, begins here."""

import base64
from uuid import uuid4

import orjson

from shared.app import new_app
from shared.consumer import apply_batch
from shared.identity import LocalIssuer
from shared.service import load
from shared.settings import Settings
from tests.support import facts, finance_world, organisation_world, points, quiet
from tests.support.returns_builders import PASSED, a_customer, a_sale

THEIRS = "B-THEIRS"
WRITING = ("POST", "PUT", "PATCH", "DELETE")
MONTH = "2017-03"
SCORES = {"quality": 5, "service": 5, "price": 5}


class World:
    """A service with data of THEIRS. `ids` fills path arguments (of one rule, where a rule has its own), `told` is what a stranger must never be told.

    `asked` gives the queries of a reading route, `sent` the body of a changing one, by rule; `common` are the rules
    that answer with nothing of any branch.
    """

    def __init__(self, package, url, folder):
        self.issuer = LocalIssuer(folder)
        settings = Settings(
            database_url=url,
            jwks=str(self.issuer.jwks),
            master_key=base64.b64encode(bytes(32)).decode(),
            feeds=dict(quiet.feeds) if package == "finance" else {},
            feed_token=next(iter(quiet.token), "none"),
        )
        self.service = load(package)
        self.app = new_app(self.service, settings)
        self.ids, self.told = {}, {THEIRS}
        self.asked, self.sent, self.common = {}, {}, set()
        self.sold = None
        """A sale to an institution of which others have heard too: what comes back is of it, where there is one."""
        self._seq = 0

    def call(self, method, path, role, *, branches=("*",), person=None, **request):
        token = self.issuer.token(person or f"the-{role}", [role], branches)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        return self.app.test_client().open(path, method=method, headers=headers, buffered=True, **request)

    def made(self, path, role, body, **more):
        answer = self.call("POST", f"/v1{path}", role, json=body, **more)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json

    def hears(self, *told):
        apply_batch(self.app.extensions["database"], self.service, told)

    def routes(self, *methods):
        """(method, rule, address, view) of all that is neither public nor the feed."""
        for rule in self.app.url_map.iter_rules():
            view = self.app.view_functions[rule.endpoint]
            if rule.rule.startswith("/internal") or not getattr(view, "admitted_roles", None):
                continue
            for method in sorted(rule.methods & set(methods)):
                path = rule.rule
                ids = self.ids | self.ids.get(rule.rule, {})
                for name in rule.arguments:
                    for kind in ("", "uuid:", "string:", "int:"):
                        path = path.replace(f"<{kind}{name}>", str(ids.get(name, uuid4())))
                yield method, rule.rule, path, view


def customers(world):
    registered = {"branch_id": THEIRS, "source_channel": "walk_in"}
    patient = {**registered, "name": "张三丰", "phone": "13812345678"}
    person = world.made("/patients", "till", patient)["customer_id"]
    contact = {"name": "李四", "channels": [{"kind": "phone", "value": "13812345679"}]}
    shop = {
        **registered, "kind": "pharmacy", "legal_name": "某某大药房", "uscc": "91110000600037341L", "contacts": [contact]
    }  # fmt: skip
    institution = world.made("/institutions", "salesperson", shop)["customer_id"]
    licence = {"type": "business_licence", "number": "1", "issuer": "x", "valid_from": "2020-01-01"}
    kept = world.made(f"/customers/{institution}/licences", "salesperson", licence)["licence_id"]
    shown = world.call("GET", f"/v1/customers/{institution}", "qa").json
    proposal = {"limit": {"fen": 987_654, "currency": "CNY"}, "reason": "x"}
    credit = world.made(f"/customers/{institution}/credits", "salesperson", proposal)["credit_id"]
    world.ids = {
        "licence_id": kept,
        "credit_id": credit,
        "contact_id": shown["contacts"][0]["contact_id"],
        "customer_id": institution,
    }
    offer = {
        "plan_id": str(uuid4()), "branch_id": THEIRS, "title": "o", "benefit": "gift", "terms": "t",
        "from": "2026-01-01", "until": "2099-01-01", "cost": {"fen": 10, "currency": "CNY"},
    }  # fmt: skip
    offered = world.made("/offers", "cs_agent", offer)["offer_id"]
    world.hears(
        facts.envelope(2, "finance.drawing.granted.v1", {"offer_id": offered, "drawing_id": str(uuid4())})
    )
    world.ids["offer_id"] = offered
    world.told |= {person, institution, kept, credit, offered, "91110000600037341L"}
    world.hears(points.sale(1, customer_id=person))
    used = {"customer_id": person, "branch_id": THEIRS, "receipt_number": "R-1", "points": 1}
    world.ids["redemption_id"] = world.made("/redemptions", "till", used)["redemption_id"]
    of = "/v1/customers/<uuid:customer_id>"
    world.ids[f"{of}/points"] = {"customer_id": person}
    world.asked = {f"{of}/offers": [{"branch_id": THEIRS}]}
    disclosure = {"purpose": "service", "fields": ["name"]}
    world.sent = {
        "/v1/patients": patient,
        "/v1/institutions": {**shop, "uscc": "91350100M000100Y43"},
        "/v1/customer-lookups": {"phone": "13812345678"},
        "/v1/customers/bulk": orjson.dumps({**patient, "code": "x-1"}),
        of: {"name": "别人"},
        f"{of}/contacts": contact,
        f"{of}/disclosures": disclosure,
        f"{of}/contacts/<uuid:contact_id>/disclosures": disclosure,
        f"{of}/contacts/<uuid:contact_id>/anonymise": {},
        f"{of}/anonymise": {},
        f"{of}/licences": licence,
        f"{of}/decisions": {"decision": "approved"},
        f"{of}/credits": proposal,
        f"{of}/credits/<uuid:credit_id>/decisions": {"decision": "approved"},
        f"{of}/credit-holds": {"reason": "x"},
        f"{of}/licences/<uuid:licence_id>/decisions": {"decision": "approved"},
        "/v1/offers": offer,
        "/v1/offers/<uuid:offer_id>/decisions": {"decision": "approved"},
        "/v1/offers/<uuid:offer_id>/withdraw": {},
        "/v1/offers/<uuid:offer_id>/close": {"used": {"fen": 1, "currency": "CNY"}},
        "/v1/redemptions": {**used, "receipt_number": "R-2"},
        "/v1/redemptions/<uuid:redemption_id>/cancel": {},
    }


def service_desk(world):
    ticket = {
        "kind": "complaint", "channel": "phone", "branch_id": THEIRS, "customer_id": "c-1", "subject": "s",
        "severity": "major",
    }  # fmt: skip
    opened = world.made("/tickets", "cs_agent", ticket)
    campaign = {"campaign": "spring", "customer_id": "c-2", "branch_id": THEIRS}
    survey = world.made("/surveys", "cs_agent", campaign)
    waiting = world.call("GET", "/v1/escalations", "management").json["items"][0]
    world.ids = {
        "ticket_id": opened["ticket_id"], "survey_id": survey["survey_id"], "escalation_id": waiting["escalation_id"],
        "branch_id": THEIRS, "month": "2026-01",
    }  # fmt: skip
    late = {**ticket, "received_at": "2026-01-05T03:00:00Z"}
    world.told |= {
        opened["ticket_id"],
        survey["survey_id"],
        waiting["escalation_id"],
        world.made("/tickets", "cs_agent", late)["ticket_id"],
    }
    world.made(f"/feedback-ledgers/{THEIRS}/2026-01/compile", "cs_agent", {})
    for rule in ("/v1/tickets", "/v1/escalations", "/v1/surveys"):
        world.asked[rule] = [{}, {"branch_id": THEIRS}]
    world.common = {"/v1/service-standards", "/v1/survey-instruments"}
    of, ledger = "/v1/tickets/<uuid:ticket_id>", "/v1/feedback-ledgers/<string:branch_id>/<string:month>"
    world.sent = {
        "/v1/tickets": ticket,
        f"{of}/acknowledge": {},
        f"{of}/assign": {"handler": "h", "role": "cs_agent"},
        f"{of}/contacts": {"channel": "phone", "reached": True},
        f"{of}/propose": {"solution": "s"},
        f"{of}/answer": {"answer": "accepted"},
        f"{of}/execute": {},
        f"{of}/resolve": {"cause": "packaging", "fault": "ours", "resolution": "r"},
        f"{of}/archive": {"customer_confirmed": True},
        f"{of}/reopen": {"reason": "r"},
        f"{of}/returns": {"return_id": "r-1"},
        "/v1/escalations/<uuid:escalation_id>/acknowledge": {},
        "/v1/surveys": {**campaign, "customer_id": "c-3"},
        "/v1/surveys/<uuid:survey_id>/answers": {"token": survey["token"], "scores": SCORES},
        f"{ledger}/compile": {},
        f"{ledger}/sign": {},
        f"{ledger}/close": {},
    }


def returns(world):
    sale = world.sold or a_sale(1, branch_id=THEIRS)
    world.hears(a_customer(1, sale.data["customer_id"], "wholesaler"), sale)
    line = sale.data["lines"][0]
    body = {
        "branch_id": THEIRS, "kind": "b2b", "sale_id": sale.data["sale_id"], "reason": "slow_moving",
        "package": {"unopened": True, "intact": True}, "proof_refs": ["p"],
        "lines": [{"sale_line_id": line["line_id"], "lot": line["lot"], "quantity": 1}],
    }  # fmt: skip
    notice = world.made("/returns", "invoicing_clerk", body)
    stop = {"product_id": "P-1", "lots": ["L9"], "reason": "r"}
    stopped = world.made("/stop-sales", "qa", stop)
    world.ids = {"return_id": notice["return_id"], "stop_sale_id": stopped["stop_sale_id"]}
    world.told |= {notice["return_id"], notice["number"], line["line_id"]}
    named = {
        "kind": "b2b",
        "reason": "slow_moving",
        "unopened": "true",
        "intact": "true",
        "in_date": "true",
        "has_proof": "true",
    }
    world.asked = {
        "/v1/returns": [
            {},
            {"branch_id": THEIRS},
            {"number": notice["number"]},
            {"sale_id": sale.data["sale_id"]},
        ],
        "/v1/sold-lines": [{"branch_id": THEIRS, "sale_id": sale.data["sale_id"]}],
        "/v1/return-eligibilities": [named],
        "/v1/sampling-plans": [{"cases": 3, "is_intact": "true", "has_anomaly": "false"}],
    }
    world.common = {"/v1/return-eligibilities", "/v1/sampling-plans", "/v1/return-reasons"}
    world.common |= {"/v1/stop-sales", "/v1/stop-sales/<uuid:stop_sale_id>"}
    of, mine = "/v1/returns/<uuid:return_id>", notice["lines"][0]["return_line_id"]
    inspected = {
        "return_line_id": mine, "cases": 1, "is_intact": True, "has_anomaly": False, "cases_sampled": 1,
        "checks": PASSED, "accepted_quantity": 1,
    }  # fmt: skip
    arrived = {"return_line_id": mine, "lot": line["lot"], "quantity": 1, "cold_chain": None}
    world.sent = {
        "/v1/returns": body,
        f"{of}/decisions": {"decision": "approved"},
        f"{of}/cancel": {"reason": "r"},
        f"{of}/pick-up": {},
        f"{of}/receive": {"record": {"quarantine_location": "Q"}, "lines": [arrived]},
        f"{of}/inspect": {"lines": [inspected]},
        f"{of}/dispose": {"lines": [{"return_line_id": mine, "disposition": "destroy"}]},
        f"{of}/settle": {},
        "/v1/stop-sales": stop,
        "/v1/stop-sales/<uuid:stop_sale_id>/lift": {"reason": "r"},
        "/v1/stop-sales/<uuid:stop_sale_id>/lifting/decisions": {"decision": "approved"},
    }


def reporting(world):
    world.hears(
        facts.sale(1, branch=THEIRS, customer="C-THEIRS"),
        facts.return_requested(1, branch=THEIRS),
        facts.return_settled(2, branch=THEIRS),
        facts.feedback(1, branch=THEIRS),
        facts.survey_sent(2, branch=THEIRS),
    )
    world.ids = {"month": MONTH, "kind": "sales", "code": "M2"}
    scopes = [{"month": MONTH}, {"month": MONTH, "branch_id": THEIRS}]
    files = [{**scope, "format": "csv"} for scope in scopes]
    branches = [{}, {"branch_id": THEIRS}]
    for kind in ("sales", "returns", "feedback"):
        of = f"/v1/{kind}-ledgers/<string:month>"
        world.asked |= dict.fromkeys((of, f"{of}/csv", f"{of}/xlsx"), branches)
    world.asked |= {
        "/v1/metrics/<string:code>": scopes, "/": scopes, "/ledgers/<string:kind>": [*scopes, *files],
        "/indicators/<string:code>": scopes,
    }  # fmt: skip
    notice = {
        "reference": "国办发明电〔2026〕9号",
        "announced_on": "2026-11-04",
        "year": None,
        "rest_days": ["2027-02-11"],
    }
    world.ids["holiday_notice_id"] = world.made("/holiday-notices", "qa", notice)["holiday_notice_id"]
    world.asked["/v1/workdays"] = [{"from": "2026-10-01", "until": "2026-10-10"}]
    organised = organisation_world.fill(world)
    world.common = {"/v1/months", "/v1/sources", "/v1/workdays", "/v1/holiday-notices"}
    world.common |= organised.common
    world.common |= {"/v1/holiday-notices/<uuid:holiday_notice_id>"}
    world.sent = {
        "/v1/months/<string:month>/close": {},
        "/v1/holiday-notices": {**notice, "reference": "国办发明电〔2026〕10号"},
        "/v1/holiday-notices/<uuid:holiday_notice_id>/decisions": {"decision": "approved"},
        **organised.sent,
    }


def finance(world):
    finance_world.finance(world, THEIRS)


WORLDS = {each.__name__: each for each in (customers, finance, service_desk, returns, reporting)}
