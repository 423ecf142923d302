"""The monthly feedback ledger on a real database: every record of the month exactly once, late ones next time."""

import csv
import threading
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from service_desk.feedback import commands
from shared.approvals import SamePerson
from shared.errors import DomainError

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


def a_branch():
    return f"F{uuid4().hex[:8].upper()}"


def take(desk, branch, day, **odd):
    """A matter received on `day` of 2026 (Shanghai noon)."""
    month, number = day
    received_at = datetime(2026, month, number, 4, 0, tzinfo=UTC)
    return desk.opened(branch_id=branch, received_at=received_at.isoformat(), **odd)


def close(desk, branch, month, on):
    """Compile by an agent, sign and close by the manager, all on the day `on`."""
    at = datetime(2026, *on, 4, 0, tzinfo=UTC)
    desk.at(
        at,
        lambda tx: commands.compile_ledger(tx, branch, month),
        person="agent",
        roles=("cs_agent",),
    )
    desk.at(at, lambda tx: commands.sign_ledger(tx, branch, month))
    desk.at(at, lambda tx: commands.close_ledger(tx, branch, month))


def entries(desk, branch, month):
    answer = desk.call("GET", f"/feedback-ledgers/{branch}/{month}/entries?limit=200")
    assert answer.status_code == 200, answer.text
    return {(each["number"], each["addendum"]) for each in answer.json["items"]}


@pytest.mark.requirement("D17")
def test_every_ticket_of_every_channel_leaves_a_record_of_its_shanghai_month(desk):
    branch = a_branch()
    for channel in ("phone", "letter", "visit", "fax", "wechat", "store"):
        desk.opened(branch_id=branch, channel=channel, received_at="2026-06-30T16:30:00Z")
    rows = desk.rows("select month, taken_on, channel from feedback_records where branch_id = :b", b=branch)
    assert len(rows) == 6
    assert {(row["month"], row["taken_on"]) for row in rows} == {(JULY, date(2026, 7, 1))}
    told = desk.rows(
        "select day, data from outbox where type = 'service_desk.feedback.recorded.v1'"
        " and data->>'branch_id' = :b",
        b=branch,
    )
    assert {(row["day"], row["data"]["month"]) for row in told} == {(date(2026, 7, 1), "2026-07-01")}


@pytest.mark.requirement("D22")
def test_a_closed_ledger_holds_each_record_of_its_month_once_and_late_ones_go_into_the_next(desk):
    branch = a_branch()
    first, second = take(desk, branch, (6, 1)), take(desk, branch, (6, 30))
    of_july = take(desk, branch, (7, 1))
    close(desk, branch, JUNE, on=(7, 7))
    late = take(desk, branch, (6, 15))
    close(desk, branch, JULY, on=(8, 10))
    assert entries(desk, branch, "2026-06") == {(first["number"], False), (second["number"], False)}
    assert entries(desk, branch, "2026-07") == {(of_july["number"], False), (late["number"], True)}
    june = desk.call("GET", f"/feedback-ledgers/{branch}/2026-06").json
    july = desk.call("GET", f"/feedback-ledgers/{branch}/2026-07").json
    assert (june["state"], june["records"], june["on_time"], june["due_on"]) == (
        "closed",
        2,
        True,
        "2026-07-07",
    )
    assert (july["records"], july["late_records"], july["on_time"]) == (1, 1, False)
    assert sum(count["records"] for count in june["counts"]) == 2
    assert desk.facts(june["ledger_id"]) == [
        (
            "feedback_ledger.closed.v1",
            {
                "branch_id": branch,
                "month": "2026-06-01",
                "ledger_month": "2026-06",
                "records": 2,
                "on_time": True,
            },
        )
    ]


@pytest.mark.requirement("D22")
def test_a_record_that_comes_between_compiling_and_closing_must_be_compiled_and_signed_again(desk):
    branch = a_branch()
    take(desk, branch, (6, 1))
    agent = {"person": "agent", "roles": ("cs_agent",)}
    at = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
    desk.at(at, lambda tx: commands.compile_ledger(tx, branch, JUNE), **agent)
    take(desk, branch, (6, 2))
    with pytest.raises(DomainError) as refusal:
        desk.at(at, lambda tx: commands.sign_ledger(tx, branch, JUNE))
    assert (refusal.value.code, refusal.value.context) == ("ledger_incomplete", {"missing": 1})
    desk.at(at, lambda tx: commands.compile_ledger(tx, branch, JUNE), **agent)
    desk.at(at, lambda tx: commands.sign_ledger(tx, branch, JUNE))
    take(desk, branch, (6, 3))
    with pytest.raises(DomainError, match="1 records"):
        desk.at(at, lambda tx: commands.close_ledger(tx, branch, JUNE))
    close(desk, branch, JUNE, on=(7, 2))
    assert desk.call("GET", f"/feedback-ledgers/{branch}/2026-06").json["records"] == 3


@pytest.mark.requirement("D22")
def test_the_compiler_does_not_sign(desk):
    branch = a_branch()
    at = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
    desk.at(at, lambda tx: commands.compile_ledger(tx, branch, JUNE))
    with pytest.raises(SamePerson):
        desk.at(at, lambda tx: commands.sign_ledger(tx, branch, JUNE))


def test_an_empty_month_has_a_ledger_too(desk):
    branch = a_branch()
    close(desk, branch, JUNE, on=(7, 1))
    assert desk.call("GET", f"/feedback-ledgers/{branch}/2026-06").json["records"] == 0


def test_the_ledger_is_read_as_a_table_without_free_text(desk):
    branch = a_branch()
    ticket = take(desk, branch, (6, 1), subject="Secret words", lot="=L1()")
    close(desk, branch, JUNE, on=(7, 1))
    answer = desk.call("GET", f"/feedback-ledgers/{branch}/2026-06/csv")
    assert answer.mimetype == "text/csv"
    assert "Secret" not in answer.text
    (row,) = csv.DictReader(answer.text.splitlines())
    assert (row["number"], row["taken_on"], row["lot"], row["addendum"]) == (
        ticket["number"],
        "2026-06-01",
        "'=L1()",
        "False",
    )


@pytest.mark.parametrize("month", ["2026-13", "2026-6", "june", "1999-01", "2026-06-01"])
def test_a_month_that_is_none_is_refused(desk, month):
    answer = desk.call("POST", f"/feedback-ledgers/B001/{month}/compile")
    assert (answer.status_code, answer.json["code"]) == (422, "ledger_month_invalid")


def test_a_running_month_and_an_uncompiled_one_are_refused(desk):
    running = desk.call("POST", "/feedback-ledgers/B001/2099-12/compile")
    assert (running.status_code, running.json["code"]) == (409, "ledger_month_not_over")
    for step in ("sign", "close"):
        assert (
            desk.as_manager("POST", f"/feedback-ledgers/NONE/2026-06/{step}").json["code"]
            == "ledger_not_found"
        )


def test_records_taken_in_while_a_month_is_closed_are_lost_in_no_ledger(desk):
    """Six people keep opening tickets of June while June is compiled, signed and closed again and again."""
    branch = a_branch()

    def open_five():
        for _ in range(5):
            take(desk, branch, (6, 5))

    openers = [threading.Thread(target=open_five) for _ in range(6)]
    for opener in openers:
        opener.start()
    while True:
        busy = any(opener.is_alive() for opener in openers)
        try:
            close(desk, branch, JUNE, on=(7, 1))
            break
        except DomainError as refusal:
            if refusal.code != "ledger_incomplete" or not busy:
                raise
    for opener in openers:
        opener.join()
    close(desk, branch, JULY, on=(8, 3))
    numbers = [number for month in ("2026-06", "2026-07") for number, _ in entries(desk, branch, month)]
    assert len(numbers) == len(set(numbers)) == 30
