"""Whatever is tried on a ticket, in whatever order, its promises hold; every wrong step has a named refusal."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from service_desk.kernel.vocabulary import Cause, Channel, ClockName, Fault, Kind, Severity
from service_desk.tickets import rules
from service_desk.tickets.model import states
from service_desk.tickets.model.states import ALLOWED_IN, Reporter, State
from service_desk.tickets.model.ticket import Ticket
from shared.calendar import Calendar, CalendarUnknown
from shared.errors import DomainError
from shared.holidays import InForce
from shared.identity import Actor

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MANAGER = Actor("manager", frozenset({"cs_manager"}), frozenset({"*"}))
AGENT = Actor("agent", frozenset({"cs_agent"}), frozenset({"*"}))
STRANGER = Actor("stranger", frozenset({"cs_agent"}), frozenset({"*"}))
QA = Actor("qa", frozenset({"qa"}), frozenset({"*"}))
PACKAGED = InForce(calendar=Calendar(), number=0)
DETAILS = {"sale_id": None, "product_id": None, "lot": None}


def a_ticket(**odd):
    ticket = Ticket(
        **{
            "id": UUID(int=1),
            "number": "TK-B001-2026-000001",
            "kind": Kind.COMPLAINT,
            "channel": Channel.PHONE,
            "branch_id": "B001",
            "customer_id": "c1",
            "severity": Severity.NORMAL,
            "reporter": Reporter.CUSTOMER,
            "holidays": PACKAGED,
            "received_at": START,
            **odd,
        }
    )
    ticket.open(**DETAILS)
    return ticket


ACTIONS = {
    "acknowledge": lambda ticket, actor, at: ticket.acknowledge(),
    "assign": lambda ticket, actor, at: ticket.assign(
        actor, handler="qa" if ticket.kind in states.QUALITY else "agent", role="qa", at=at
    ),
    "contact": lambda ticket, actor, at: ticket.contact(reached=True, at=at),
    "miss": lambda ticket, actor, at: ticket.contact(reached=False, at=at),
    "propose": lambda ticket, actor, at: ticket.propose(actor),
    "agree": lambda ticket, actor, at: ticket.consent(actor, agreed=True, reason=None, at=at),
    "disagree": lambda ticket, actor, at: ticket.consent(actor, agreed=False, reason="too slow", at=at),
    "execute": lambda ticket, actor, at: ticket.execute(actor),
    "resolve": lambda ticket, actor, at: ticket.resolve(actor, cause=Cause.OTHER, fault=Fault.OURS, at=at),
    "archive": lambda ticket, actor, at: ticket.archive(actor, customer_confirmed=True, at=at),
    "give up": lambda ticket, actor, at: ticket.archive(actor, customer_confirmed=False, at=at),
    "reopen": lambda ticket, actor, at: ticket.reopen(actor, at=at),
    "breach arranged": lambda ticket, actor, at: ticket.breach(ClockName.ARRANGED, at),
    "breach resolution": lambda ticket, actor, at: ticket.breach(ClockName.RESOLUTION, at),
}


NEXT = {
    State.NEW: "assign",
    State.ACKNOWLEDGED: "assign",
    State.ASSIGNED: "propose",
    State.REOPENED: "propose",
    State.SOLUTION_PROPOSED: "agree",
    State.AGREED: "execute",
    State.EXECUTING: "resolve",
    State.RESOLVED: "archive",
    State.ARCHIVED: "reopen",
}


class AnyOrder(RuleBasedStateMachine):
    """Any steps by anybody at any time."""

    @initialize(kind=st.sampled_from(Kind), severity=st.sampled_from(Severity))
    def open(self, kind, severity):
        self.now = START
        self.ticket = a_ticket(kind=kind, severity=severity)
        self.facts = []

    @rule(
        action=st.sampled_from(sorted(ACTIONS)),
        actor=st.sampled_from([MANAGER, AGENT, STRANGER, QA]),
        waited=st.timedeltas(timedelta(0), timedelta(days=12)),
    )
    def step(self, action, actor, waited):
        # The calendar is known to the end of 2026.
        self.now = min(self.now + waited, datetime(2026, 11, 30, tzinfo=UTC))
        before = (self.ticket.state, self.ticket.version, self.ticket.cycle, dict(self.ticket.clocks))
        try:
            facts = ACTIONS[action](self.ticket, actor, self.now) or []
        except DomainError:
            now = (self.ticket.state, self.ticket.version, self.ticket.cycle, dict(self.ticket.clocks))
            assert now == before
            return
        self.facts += facts

    @rule(waited=st.timedeltas(timedelta(0), timedelta(days=3)))
    def go_on(self, waited):
        """The next sensible step, so that later states are visited often."""
        actor = QA if self.ticket.kind in states.QUALITY else MANAGER
        self.step(NEXT[self.ticket.state], actor, waited)

    @invariant()
    def facts_are_numbered_without_gaps(self):
        assert [fact.version for fact in self.facts] == list(range(2, self.ticket.version + 1))

    @invariant()
    def it_is_arranged_at_most_once_and_only_when_assigned_and_contacted(self):
        told = [fact for fact in self.facts if fact.type == "service_desk.ticket.assigned.v1"]
        arranged = self.ticket.assigned_at is not None and self.ticket.contacted_at is not None
        assert len(told) == arranged
        clock = self.ticket.clocks[ClockName.ARRANGED]
        assert clock.is_running is not arranged
        if arranged:
            assert clock.stopped_at == max(self.ticket.assigned_at, self.ticket.contacted_at)
            assert told[0].data["on_time"] is (told[0].data["arranged_s"] <= 86_400)

    @invariant()
    def a_breach_is_told_once_per_clock_and_cycle(self):
        told = [
            (fact.data["clock"], fact.data["cycle"])
            for fact in self.facts
            if fact.type == "service_desk.ticket.clock_breached.v1"
        ]
        assert len(told) == len(set(told))

    @invariant()
    def a_late_resolution_was_told_as_a_breach(self):
        breached = {
            fact.data["cycle"]
            for fact in self.facts
            if fact.type == "service_desk.ticket.clock_breached.v1" and fact.data["clock"] == "resolution"
        }
        for fact in self.facts:
            if fact.type == "service_desk.ticket.resolved.v1":
                assert fact.data["on_time"] is (fact.data["cycle"] not in breached)

    @invariant()
    def a_resolved_ticket_was_arranged_and_has_cause_and_fault(self):
        if self.ticket.state in {State.RESOLVED, State.ARCHIVED}:
            assert not self.ticket.clocks[ClockName.ARRANGED].is_running
            assert None not in {self.ticket.cause, self.ticket.fault, self.ticket.resolved_at}

    @invariant()
    def each_cycle_is_resolved_once(self):
        cycles = [fact.data["cycle"] for fact in self.facts if fact.type == "service_desk.ticket.resolved.v1"]
        assert cycles == list(range(1, len(cycles) + 1))
        assert self.ticket.cycle - len(cycles) in {0, 1}


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyOrder = pytest.mark.requirement("D5", "D6", "D7", "D10")(TestAnyOrder)


@pytest.mark.requirement("D5")
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(
    "action",
    ["acknowledge", "assign", "contact", "propose", "agree", "execute", "resolve", "archive", "reopen"],
)
def test_a_step_in_a_wrong_state_is_refused_by_its_own_name(action, state):
    allowed, refusal = ALLOWED_IN[{"agree": "consent"}.get(action, action)]
    ticket = a_ticket()
    ticket.state, ticket.handler, ticket.resolved_at = state, "agent", START
    if state in allowed:
        ACTIONS[action](ticket, MANAGER, START)
    else:
        with pytest.raises(refusal):
            ACTIONS[action](ticket, MANAGER, START)
        assert ticket.state is state


def test_each_step_has_a_refusal_of_its_own():
    codes = [refusal.code for _, refusal in ALLOWED_IN.values()]
    assert len(codes) == len(set(codes))


@pytest.mark.requirement("D27")
def test_an_agent_neither_assigns_nor_reopens():
    ticket = a_ticket()
    with pytest.raises(rules.AuthorityMissing):
        ticket.assign(AGENT, handler="agent", role="cs_agent", at=START)
    ticket.state, ticket.resolved_at = State.RESOLVED, START
    with pytest.raises(rules.AuthorityMissing):
        ticket.reopen(AGENT, at=START)


@pytest.mark.requirement("D27")
def test_only_the_handler_or_a_manager_proposes():
    ticket = a_ticket()
    ticket.assign(MANAGER, handler="agent", role="cs_agent", at=START)
    with pytest.raises(rules.NotTheHandler):
        ticket.propose(STRANGER)
    ticket.propose(AGENT)


@pytest.mark.requirement("D18", "D19", "D23")
@pytest.mark.parametrize("kind", sorted(states.QUALITY))
def test_a_quality_matter_is_handled_by_qa_alone(kind):
    ticket = a_ticket(kind=kind)
    with pytest.raises(rules.QualityBelongsToQa):
        ticket.assign(MANAGER, handler="agent", role="cs_agent", at=START)
    ticket.assign(QA, handler="qa", role="qa", at=START)
    with pytest.raises(rules.QualityBelongsToQa):
        ticket.propose(MANAGER)
    ticket.propose(QA)


@pytest.mark.requirement("D9")
def test_a_major_complaint_is_escalated_at_once_and_a_normal_one_is_not():
    assert a_ticket(severity=Severity.MAJOR).is_escalated_at_once
    assert not a_ticket(severity=Severity.NORMAL).is_escalated_at_once
    assert not a_ticket(severity=Severity.MAJOR, kind=Kind.CONSULTATION).is_escalated_at_once


@pytest.mark.requirement("D5")
def test_a_refused_solution_states_its_reason_and_is_proposed_anew():
    ticket = a_ticket()
    ticket.assign(MANAGER, handler="agent", role="cs_agent", at=START)
    ticket.propose(AGENT)
    with pytest.raises(rules.RefusalReasonMissing):
        ticket.consent(AGENT, agreed=False, reason=" ", at=START)
    ticket.consent(AGENT, agreed=False, reason="I want it replaced", at=START)
    assert ticket.state is State.ASSIGNED
    with pytest.raises(states.SolutionNotAgreed):
        ticket.execute(AGENT)


@pytest.mark.requirement("D6")
def test_a_file_is_closed_by_the_customers_word_or_after_three_failed_attempts():
    ticket = a_ticket()
    ticket.state, ticket.handler = State.RESOLVED, "agent"
    for _ in range(3):
        with pytest.raises(states.CustomerNotConfirmed):
            ticket.archive(AGENT, customer_confirmed=False, at=START)
        ticket.contact(reached=False, at=START)
    ticket.archive(AGENT, customer_confirmed=False, at=START)
    assert ticket.state is State.ARCHIVED


def test_a_ticket_is_reopened_within_thirty_days_of_its_resolution():
    ticket = a_ticket()
    ticket.state, ticket.resolved_at = State.ARCHIVED, START
    with pytest.raises(states.ReopenWindowClosed):
        ticket.reopen(MANAGER, at=START + timedelta(days=30, seconds=1))
    ticket.reopen(MANAGER, at=START + timedelta(days=30))
    assert (ticket.state, ticket.cycle) == (State.REOPENED, 2)
    assert ticket.clocks[ClockName.RESOLUTION].cycle == 2
    assert ticket.clocks[ClockName.RESOLUTION].is_running


NEW_YEARS_EVE = datetime(2026, 12, 31, 2, 0, tzinfo=UTC)
ANNOUNCED_2027 = InForce(calendar=Calendar(days={date(2027, 1, 1): False}, years=frozenset({2027})), number=1)


def a_ticket_to_resolve(**odd):
    ticket = a_ticket(**odd)
    ticket.state, ticket.handler = State.EXECUTING, "agent"
    return ticket


def resolved(ticket, at):
    return ticket.resolve(AGENT, cause=Cause.OTHER, fault=Fault.OURS, at=at)[-1].data["on_time"]


@pytest.mark.requirement("D10")
def test_a_deadline_in_a_year_not_announced_is_dated_by_the_notice():
    ticket = a_ticket_to_resolve(received_at=NEW_YEARS_EVE)
    assert ticket.clocks[ClockName.RESOLUTION].due_at is None
    with pytest.raises(CalendarUnknown):
        ticket.compute_due()
    ticket.holidays = ANNOUNCED_2027
    ticket.compute_due()
    clock = ticket.clocks[ClockName.RESOLUTION]
    assert clock.due_at == datetime(2027, 1, 8, 16, tzinfo=UTC), (
        "five working days after the last of the year"
    )
    assert clock.calendar_no == 1


def test_a_matter_is_resolved_in_time_though_nobody_announced_the_days_to_come():
    assert resolved(a_ticket_to_resolve(received_at=NEW_YEARS_EVE), NEW_YEARS_EVE + timedelta(hours=9))


def test_whether_it_was_in_time_is_not_guessed_where_days_that_passed_were_not_announced():
    ticket = a_ticket_to_resolve(received_at=NEW_YEARS_EVE)
    with pytest.raises(CalendarUnknown):
        resolved(ticket, NEW_YEARS_EVE + timedelta(days=12))
    ticket.holidays = ANNOUNCED_2027
    assert not resolved(ticket, NEW_YEARS_EVE + timedelta(days=12))
