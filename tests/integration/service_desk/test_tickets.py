"""Tickets over HTTP on a real database: the whole path, its clocks, its escalations, its refusals."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from service_desk.app import SERVICE
from service_desk.intake import commands as intake
from service_desk.kernel.vocabulary import Kind
from service_desk.tickets import commands, jobs
from shared import migrations
from shared.audit import CHAIN
from shared.calendar import CalendarUnknown
from shared.chain import seal, verify
from shared.consumer import apply_batch
from tests.support import facts


def hear(desk, *told):
    apply_batch(desk.database, SERVICE, told)


RECEIVED = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


def an_order(**odd):
    return {
        "kind": "complaint",
        "channel": "letter",
        "branch_id": "B001",
        "severity": "normal",
        "reporter": "customer",
        "subject": "s",
        **odd,
    }


@pytest.mark.requirement("D5", "D6")
def test_a_ticket_goes_from_intake_to_archive_and_every_step_is_on_record(desk):
    ticket = desk.resolved()
    answer = desk.call("POST", f"/tickets/{ticket['ticket_id']}/archive", {"customer_confirmed": True})
    assert answer.json["state"] == "archived"
    assert [step["action"] for step in answer.json["steps"]] == [
        "open",
        "assign",
        "contact",
        "propose",
        "consent",
        "execute",
        "resolve",
        "archive",
    ]
    told = [kind for kind, _ in desk.facts(ticket["ticket_id"])]
    assert told == [
        "ticket.opened.v1",
        "ticket.handler_changed.v1",
        "ticket.clock_breached.v1",
        "ticket.clock_stopped.v1",
        "ticket.assigned.v1",
        "ticket.clock_breached.v1",
        "ticket.clock_stopped.v1",
        "ticket.resolved.v1",
        "ticket.archived.v1",
    ]
    audited = desk.rows("select action from audit where subject = :id order by id", id=ticket["ticket_id"])
    assert len(audited) == 8


def test_no_event_holds_what_people_wrote(desk):
    ticket = desk.resolved(subject="Frau Li, 138-0000-0000", text="My box was open")
    written = desk.rows("select data::text as data from outbox")
    assert not [row for row in written if "138-0000" in row["data"] or "box was open" in row["data"]]
    assert desk.call("GET", f"/tickets/{ticket['ticket_id']}").json["text"] == "My box was open"


@pytest.mark.requirement("D7")
@pytest.mark.parametrize(
    ("after", "on_time"), [(timedelta(hours=24), True), (timedelta(hours=24, seconds=1), False)]
)
def test_the_24_hour_clock_stops_when_assigned_and_contacted(desk, after, on_time):
    ticket_id = desk.at(RECEIVED, lambda tx: intake.open_ticket(tx, an_order()))
    desk.at(RECEIVED, lambda tx: commands.assign_ticket(tx, ticket_id, handler="agent", role="cs_agent"))
    assert [kind for kind, _ in desk.facts(ticket_id)] == ["ticket.opened.v1", "ticket.handler_changed.v1"]
    desk.at(
        RECEIVED + after,
        lambda tx: commands.contact_customer(tx, ticket_id, channel="phone", reached=True, note=None),
    )
    told = dict(desk.facts(ticket_id))
    assert told["ticket.assigned.v1"]["on_time"] is on_time
    assert told["ticket.assigned.v1"]["arranged_s"] == after.total_seconds()
    assert ("ticket.clock_breached.v1" in told) is not on_time
    stopped = told["ticket.clock_stopped.v1"]
    assert (stopped["clock"], stopped["on_time"], stopped["taken_s"]) == (
        "arranged",
        on_time,
        after.total_seconds(),
    )
    assert stopped["due_at"] == told["ticket.opened.v1"]["arranged_due_at"]
    assert stopped["staff_id"] == told["ticket.handler_changed.v1"]["staff_id"] == "agent"


@pytest.mark.requirement("D7", "D10")
def test_the_job_tells_of_each_breach_once_and_notifies_the_manager(desk):
    ticket_id = desk.at(RECEIVED, lambda tx: intake.open_ticket(tx, an_order(branch_id="B-JOB")))
    day_after = RECEIVED + timedelta(hours=24)
    desk.at(day_after, jobs.breach_clocks)
    assert len(desk.facts(ticket_id)) == 1
    desk.at(day_after + timedelta(seconds=30), jobs.breach_clocks)
    assert desk.at(day_after + timedelta(seconds=60), jobs.breach_clocks) == 0
    desk.at(RECEIVED + timedelta(days=9), jobs.breach_clocks)
    breaches = [data for kind, data in desk.facts(ticket_id) if kind == "ticket.clock_breached.v1"]
    assert [(breach["clock"], breach["cycle"]) for breach in breaches] == [("arranged", 1), ("resolution", 1)]
    assert breaches[0]["late_s"] == 30
    listed = desk.as_manager("GET", "/escalations?branch_id=B-JOB").json["items"]
    assert sorted(each["cause"] for each in listed) == ["breach.arranged", "breach.resolution"]


@pytest.mark.requirement("D9")
def test_a_major_complaint_goes_to_management_at_once_and_only_they_acknowledge_it(desk):
    ticket = desk.opened(severity="major", branch_id="B-MAJOR")
    (notice,) = desk.as_manager("GET", "/escalations?branch_id=B-MAJOR").json["items"]
    assert (notice["ticket_id"], notice["to_role"]) == (ticket["ticket_id"], "management")
    path = f"/escalations/{notice['escalation_id']}/acknowledge"
    assert desk.as_manager("POST", path).json["code"] == "escalation_for_another_role"
    boss = {"person": "boss", "roles": ("management",)}
    assert desk.call("POST", path, **boss).json["acknowledged_by"] == "boss"
    assert desk.call("POST", path, **boss).json["code"] == "escalation_already_acknowledged"


@pytest.mark.requirement("D10")
def test_a_deadline_in_a_year_not_announced_says_so_and_is_computed_when_the_notice_comes(desk):
    new_years_eve = datetime(2090, 12, 29, 2, 0, tzinfo=UTC)
    ticket_id = desk.at(new_years_eve, lambda tx: intake.open_ticket(tx, an_order()))

    def clock():
        told = desk.call("GET", f"/tickets/{ticket_id}").json["clocks"]
        return next(each for each in told if each["name"] == "resolution")

    assert (clock()["due_at"], clock()["awaits_calendar_of"]) == (None, 2090)
    hear(desk, facts.holidays_announced(1, year=2090))
    assert clock()["awaits_calendar_of"] == 2091
    hear(desk, facts.holidays_announced(2, year=2091, rest_days=["2091-01-01"]))
    desk.at(new_years_eve, jobs.breach_clocks)
    assert (clock()["due_at"], clock()["awaits_calendar_of"]) == ("2091-01-08T16:00:00+00:00", None)
    hear(desk, facts.holidays_announced(3, rest_days=["2091-01-04", "2091-01-05"]))
    desk.at(new_years_eve, jobs.breach_clocks)
    assert clock()["due_at"] == "2091-01-10T16:00:00+00:00", "two of its days were taken away"
    hear(desk, facts.holidays_announced(4, workdays=["2091-01-08", "2091-01-09"]))
    desk.at(new_years_eve, jobs.breach_clocks)
    assert clock()["due_at"] == "2091-01-10T16:00:00+00:00", "workdays anyway"
    steps = desk.call("GET", f"/tickets/{ticket_id}").json["steps"]
    assert [each["action"] for each in steps].count("date_clock") == 2, "no step where nothing moved"
    kept = desk.rows(
        "select calendar_no from clocks where ticket_id = :id and name = 'resolution'", id=ticket_id
    )
    assert kept == [{"calendar_no": 4}], "and not looked at again"


def test_what_ended_where_the_days_that_passed_are_not_announced_is_not_judged(desk):
    opened = datetime(2095, 5, 3, 2, 0, tzinfo=UTC)
    ticket_id = desk.at(opened, lambda tx: intake.open_ticket(tx, an_order()))
    path = f"/tickets/{ticket_id}"
    desk.as_manager("POST", f"{path}/assign", {"handler": "agent", "role": "cs_agent"})
    desk.call("POST", f"{path}/propose", {"solution": "x"})

    def work(tx):
        commands.record_consent(tx, ticket_id, agreed=True, reason=None)
        commands.execute_solution(tx, ticket_id)

    def resolve(tx):
        commands.resolve_ticket(tx, ticket_id, cause="other", fault="ours", resolution="x")

    desk.at(opened, work)
    with pytest.raises(CalendarUnknown):
        desk.at(opened + timedelta(days=20), resolve, person="agent", roles=("cs_agent",))
    desk.at(opened + timedelta(hours=3), resolve, person="agent", roles=("cs_agent",))
    assert desk.facts(ticket_id)[-1][1]["on_time"] is True


def test_a_reopened_ticket_has_a_second_cycle_with_its_own_clock(desk):
    ticket = desk.resolved()
    path = f"/tickets/{ticket['ticket_id']}"
    refused = desk.call("POST", f"{path}/reopen", {"reason": "again"})
    assert (refused.status_code, refused.json["code"]) == (403, "role_not_admitted")
    reopened = desk.as_manager("POST", f"{path}/reopen", {"reason": "again"}).json
    assert (reopened["state"], reopened["cycle"], reopened["resolved_at"]) == ("reopened", 2, None)
    assert [(each["name"], each["cycle"]) for each in reopened["clocks"]] == [
        ("arranged", 1),
        ("resolution", 1),
        ("resolution", 2),
    ]


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"received_at": "2999-01-01T00:00:00Z"}, "ticket_received_in_future", 422),
        ({"received_at": "1999-01-01T00:00:00Z"}, "ticket_received_too_early", 422),
        ({"kind": "party"}, "payload_invalid", 422),
        ({"branch_id": "b 1"}, "payload_invalid", 422),
        ({"lot": "L1\n"}, "payload_invalid", 422),
        ({"text": "x" * 4001}, "payload_invalid", 422),
        ({"subject": "a\u0000b"}, "json_nul_character", 422),
    ],
)
def test_a_faulty_ticket_is_refused_and_nothing_is_kept(desk, change, code, status):
    before = desk.rows("select count(*) as n from tickets")
    body = {"kind": "complaint", "channel": "phone", "branch_id": "B001", "subject": "s", **change}
    answer = desk.call("POST", "/tickets", body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert desk.rows("select count(*) as n from tickets") == before


def test_a_foreign_branch_sees_and_changes_nothing(desk):
    ticket = desk.opened(branch_id="B777")
    stranger = {"branches": ("B888",)}
    for method, path, body in (
        ("GET", f"/tickets/{ticket['ticket_id']}", None),
        ("POST", f"/tickets/{ticket['ticket_id']}/acknowledge", None),
        ("POST", "/tickets", {"kind": "feedback", "channel": "store", "branch_id": "B777", "subject": "s"}),
        ("GET", "/tickets?branch_id=B777", None),
        ("GET", "/feedback-ledgers/B777/2026-06", None),
    ):
        answer = desk.call(method, path, body, **stranger)
        assert (answer.status_code, answer.json["code"]) == (403, "foreign_branch"), path
    assert desk.call("GET", "/tickets", **stranger).json["items"] == []


def test_tickets_are_listed_newest_first_in_pages(desk):
    opened = [desk.opened(branch_id="B-LIST")["ticket_id"] for _ in range(5)]
    seen, cursor = [], ""
    while True:
        page = desk.call("GET", f"/tickets?branch_id=B-LIST&limit=2{cursor}").json
        seen += [each["ticket_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == opened[::-1]


def test_numbers_of_a_branch_have_no_gaps_even_after_a_refusal(desk):
    first = desk.opened(branch_id="B-NUM")
    desk.call("POST", "/tickets", an_order(branch_id="B-NUM", subject="\u0000"))
    assert [first["number"], desk.opened(branch_id="B-NUM")["number"]] == [
        "TK-B-NUM-2026-000001",
        "TK-B-NUM-2026-000002",
    ]


def test_an_unknown_ticket_is_not_found(desk):
    assert desk.call("GET", f"/tickets/{uuid4()}").json["code"] == "ticket_not_found"
    assert desk.call("POST", f"/tickets/{uuid4()}/acknowledge").json["code"] == "ticket_not_found"


@pytest.mark.requirement("D2", "D25")
def test_the_service_standards_are_shown_with_their_sources(desk):
    rows = desk.call("GET", "/service-standards").json
    assert {f"resolution.{kind}" for kind in Kind} <= {row["name"] for row in rows}
    assert all(row["source"] and row["mark"] for row in rows)


def test_the_audit_chain_of_the_desk_is_whole(desk):
    desk.opened()
    with desk.database.begin() as conn:
        assert seal(conn, CHAIN) > 0
        assert list(verify(conn, CHAIN)) == []


def test_the_tables_are_what_the_migrations_make_and_can_be_taken_back(postgres):
    url = postgres.create_database()
    migrations.upgrade(SERVICE, url)
    migrations.check(SERVICE, url)
    migrations.downgrade(SERVICE, url)
    migrations.upgrade(SERVICE, url)
    assert migrations.is_at_head(SERVICE, url)
    postgres.drop_database(url)
