"""Whatever waits for a decision is in a list that those may read who decide: every deciding route of every service.

Each world is brought to where the route accepts (tests.support.readied); then a person of each role that may decide asks
the list for what waits, finds the object by its id, and finds it no longer once everybody has decided.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from shared import round_trip
from tests.support.readied import FURTHER, READY, REJECTED, Readied
from tests.support.undone import Undone, without_commit
from tests.support.worlds import WORLDS, WRITING, World

DECIDING = {
    "acknowledge",
    "audit",
    "confirm",
    "publish",
    "resolve",
    "review",
    "sign",
    "signatures",
    "decisions",
}
"""How an address ends that says yes or no to what another person prepared or asked for."""
OTHER_STEPS = {
    "anonymise",
    "answer",
    "archive",
    "assign",
    "block",
    "cancel",
    "change",
    "check",
    "close",
    "compile",
    "count",
    "dispose",
    "dispute",
    "execute",
    "fail",
    "hold",
    "inspect",
    "issue",
    "lift",
    "lock",
    "match",
    "pay",
    "pick-up",
    "propose",
    "receive",
    "release",
    "reopen",
    "restate",
    "reverse",
    "send",
    "settle",
    "ship",
    "submit",
    "terminate",
    "transfer",
    "unblock",
    "undo",
    "void",
    "withdraw",
}
"""Verbs that ask, carry out, record or end, and judge nothing that another asked for."""
OWN_STEPS = {
    "/v1/tickets/<uuid:ticket_id>/resolve": "the handler's own step, after what the customer agreed to"
}
BY_A_NO = {
    "/v1/samples/<uuid:sample_id>/overrun/decisions": "approved, the samples wait to be issued",
    "/v1/vouchers/<uuid:voucher_id>/overrun/decisions": "approved, the draft still waits to be booked",
}
"""Where a yes leaves the object waiting in the same list for its next step; a no takes it off."""
CONTRACT, ORDER = "/v1/contracts/<uuid:contract_id>", "/v1/orders/<uuid:order_id>"
CLAIM, STATEMENT = "/v1/expense-claims/<uuid:claim_id>", "/v1/financial-statements/<uuid:statement_id>"
CUSTOMER = "/v1/customers/<uuid:customer_id>"
LISTED = {
    f"{CUSTOMER}/decisions": ("customer_id", "/customers?state=applicant"),
    f"{CUSTOMER}/credits/<uuid:credit_id>/decisions": ("credit_id", "/credits?state=proposed"),
    f"{CUSTOMER}/licences/<uuid:licence_id>/decisions": ("licence_id", "/licences?state=submitted"),
    "/v1/offers/<uuid:offer_id>/decisions": ("offer_id", "/offers?state=funded"),
    "/v1/appointments/<string:appointment_id>/decisions": ("appointment_id", "/appointments?state=proposed"),
    "/v1/holiday-notices/<uuid:holiday_notice_id>/decisions": (
        "holiday_notice_id",
        "/holiday-notices?state=pending",
    ),
    f"{CONTRACT}/decisions": ("contract_id", "/contracts?waits_for=review"),
    f"{CONTRACT}/signatures": ("contract_id", "/contracts?waits_for=signatures"),
    f"{CONTRACT}/amendments/<uuid:amendment_id>/decisions": (
        "contract_id",
        "/contracts?waits_for=amendment_decision",
    ),
    f"{CONTRACT}/termination/decisions": ("contract_id", "/contracts?waits_for=termination_decision"),
    f"{ORDER}/decisions": ("order_id", "/orders?waits_for=decision"),
    f"{ORDER}/confirm": ("order_id", "/orders?waits_for=confirmation"),
    "/v1/samples/<uuid:sample_id>/decisions": ("sample_id", "/samples?state=requested"),
    "/v1/samples/<uuid:sample_id>/overrun/decisions": ("sample_id", "/samples?state=approved"),
    "/v1/samples/<uuid:sample_id>/confirm": ("sample_id", "/samples?state=issued"),
    "/v1/refunds/<uuid:refund_id>/decisions": ("refund_id", "/refunds?state=verified"),
    "/v1/refunds/decisions/bulk": ("refund_id", "/refunds?state=verified"),
    "/v1/vouchers/<uuid:voucher_id>/decisions": ("voucher_id", "/vouchers?state=draft"),
    "/v1/vouchers/<uuid:voucher_id>/overrun/decisions": ("voucher_id", "/vouchers?state=draft"),
    "/v1/periods/<month>/reopenings/<uuid:reopening_id>/decisions": (
        "reopening_id",
        "/reopenings?state=pending",
    ),
    f"{STATEMENT}/review": ("statement_id", "/financial-statements?state=prepared"),
    f"{STATEMENT}/sign": ("statement_id", "/financial-statements?state=reviewed"),
    f"{STATEMENT}/publish": ("statement_id", "/financial-statements?state=signed"),
    "/v1/cash-variances/<uuid:variance_id>/resolve": ("variance_id", "/cash-variances?state=unresolved"),
    f"{CLAIM}/overrun/decisions": ("claim_id", "/expense-claims?state=awaiting_budget"),
    f"{CLAIM}/decisions": (
        "claim_id",
        "/expense-claims?state=submitted",
        "/expense-claims?state=finance_audited",
    ),
    f"{CLAIM}/audit": ("claim_id", "/expense-claims?state=manager_approved"),
    "/v1/promotion-plans/<uuid:plan_id>/decisions": ("plan_id", "/promotion-plans?state=proposed"),
    "/v1/below-cost-alerts/<uuid:alert_id>/acknowledge": ("alert_id", "/below-cost-alerts?open=true"),
    "/v1/receivable-items/<uuid:item_id>/resolve": ("item_id", "/receivable-items?state=disputed"),
    "/v1/write-offs/<uuid:write_off_id>/decisions": ("write_off_id", "/write-offs?state=requested"),
    "/v1/product-proposals/<uuid:proposal_id>/decisions": (
        "proposal_id",
        "/product-proposals?state=proposed",
    ),
    "/v1/product-uploads/<uuid:upload_id>/decisions": ("upload_id", "/product-uploads?has_waiting=true"),
    "/v1/product-check-settings/<uuid:setting_id>/decisions": (
        "setting_id",
        "/product-check-settings?state=proposed",
    ),
    "/v1/price-rules/<uuid:rule_id>/decisions": ("rule_id", "/price-rules?state=proposed"),
    "/v1/price-grades/<uuid:grade_id>/decisions": ("grade_id", "/price-grades?state=proposed"),
    "/v1/sales-strategies/<uuid:strategy_id>/decisions": ("strategy_id", "/sales-strategies?state=proposed"),
    "/v1/lot-expiry-decisions": ("contradiction_id", "/lot-contradictions?is_open=true"),
    "/v1/returns/<uuid:return_id>/decisions": ("return_id", "/returns?state=requested"),
    "/v1/stop-sales/<uuid:stop_sale_id>/lifting/decisions": ("stop_sale_id", "/stop-sales?lifting=pending"),
    "/v1/tickets/<uuid:ticket_id>/acknowledge": ("ticket_id", "/tickets?state=new"),
    "/v1/escalations/<uuid:escalation_id>/acknowledge": ("escalation_id", "/escalations"),
    "/v1/feedback-ledgers/<string:branch_id>/<string:month>/sign": (
        "branch_id",
        "/feedback-ledgers?state=compiled",
    ),
}
"""Deciding route → (the id by which its object is found, the lists of what waits for it, one for each of its stages)."""


def is_deciding(rule):
    last = rule.removesuffix("/bulk").rpartition("/")[2]
    return (last in DECIDING or last.endswith("-decisions")) and rule not in OWN_STEPS


def test_every_verb_of_the_grammar_either_decides_or_does_not():
    page = Path("docs/http.md").read_text()
    verbs = set(re.findall(r"^\| ([a-z-]+) \|", page.partition("## Verbs")[2], re.MULTILINE)) - {"verb"}
    assert verbs == OTHER_STEPS | (verbs & DECIDING)
    assert not OTHER_STEPS & DECIDING


class Waiting:
    """A world brought to where a route accepts."""

    def __init__(self, world, rule, path, ready):
        self.world, self.rule = world, rule
        self.ready = ready(world)
        name, *self.lists = LISTED[rule]
        ids = world.ids | world.ids.get(rule, {}) | dict(self.ready.ids)
        self.body = self.ready.body if self.ready.body is not None else world.sent.get(rule)
        if rule in BY_A_NO:
            self.body = REJECTED
        self.sought = str(ids[name])
        self.path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids[found[1]]), rule)

    def faults_of_finding(self, roles):
        """What keeps a person of each role from finding it."""
        told = []
        for role in roles:
            answers = [self.world.call("GET", f"/v1{each}", role) for each in self.lists]
            if any(answer.status_code != 200 for answer in answers):
                told.append(f"{self.rule}: {role} may not read {self.lists}: {answers[0].text[:200]}")
            elif not any(self.sought in answer.text for answer in answers):
                told.append(f"{self.rule}: {role} does not find {self.sought} by {self.lists}")
        return told

    def faults_of_deciding(self, roles):
        """Whether it is found no longer when everybody who may has decided."""
        answers = []
        for role in roles:
            person = self.ready.person if role == self.ready.role else None
            answers.append(self.world.call("POST", self.path, role, person=person, json=self.body))
        if not any(answer.status_code < 300 for answer in answers):
            return [f"{self.rule}: nobody could decide: {answers[0].status_code} {answers[0].text[:300]}"]
        looked = {each: self.world.call("GET", f"/v1{each}", roles[0]) for each in self.lists}
        unread = [
            f"{each}: {answer.status_code}" for each, answer in looked.items() if answer.status_code != 200
        ]
        if unread:
            return [f"{self.rule}: {roles[0]} cannot look any more: {unread}"]
        found = [each for each, answer in looked.items() if self.sought in answer.text]
        return [f"{self.rule}: {self.sought} still waits by {found}"] if found else []


@pytest.mark.parametrize("package", sorted(WORLDS))
def test_who_decides_finds_what_waits(package, migrated_database, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(round_trip, "run", without_commit)
    world = World(package, migrated_database(package), tmp_path_factory.mktemp("keys"))
    WORLDS[package](world)
    extensions = world.app.extensions
    database = extensions["database"] = Undone(extensions["database"])
    extensions["service"] = replace(world.service, sources=())
    deciding = [each for each in world.routes(*WRITING) if is_deciding(each[1])]
    assert [rule for _, rule, *_ in deciding if rule not in LISTED] == [], "who decides finds it by no list"
    faults = []
    for _, rule, path, view in deciding:
        first, last = READY[package].get(rule, lambda _: Readied()), FURTHER[package].get(rule)
        for situation in (first, last) if last else (first,):
            with database.undone():
                waiting = Waiting(world, rule, path, situation)
                roles = [waiting.ready.role] if waiting.ready.role else sorted(view.admitted_roles)
                faults += waiting.faults_of_finding(roles)
                if situation is (last or first):
                    faults += waiting.faults_of_deciding(roles)
    extensions["wakeup"].close()
    database.dispose()
    assert faults == [], "\n".join(faults)
