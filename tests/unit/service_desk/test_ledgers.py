"""A feedback ledger is compiled after its month, signed by another person, closed by the fifth working day."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from service_desk.feedback import model
from service_desk.feedback.model import FeedbackLedger, LedgerState
from shared.approvals import RoleNotAwaited, SamePerson
from shared.calendar import Calendar, CalendarUnknown
from shared.identity import Actor

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
COMPILER = Actor("compiler", frozenset({"cs_manager"}), frozenset({"*"}))
MANAGER = Actor("manager", frozenset({"cs_manager"}), frozenset({"*"}))
AGENT = Actor("agent", frozenset({"cs_agent"}), frozenset({"*"}))


def a_ledger(month=date(2026, 2, 1)):
    return FeedbackLedger(
        id=UUID(int=4),
        branch_id="B001",
        month=month,
        state=LedgerState.COMPILED,
        compiled_by="compiler",
        compiled_at=AT,
        records=2,
        late_records=0,
        entries_hash=model.hash_entries([UUID(int=1), UUID(int=2)]),
    )


@pytest.mark.requirement("D22")
def test_who_compiled_a_ledger_does_not_sign_it():
    ledger = a_ledger()
    with pytest.raises(SamePerson):
        ledger.sign(COMPILER, missing=0, at=AT)
    with pytest.raises(RoleNotAwaited):
        ledger.sign(AGENT, missing=0, at=AT)
    ledger.sign(MANAGER, missing=0, at=AT)
    assert ledger.signed_by == "manager"


@pytest.mark.requirement("D22")
def test_a_ledger_that_misses_a_record_is_neither_signed_nor_closed():
    ledger = a_ledger()
    with pytest.raises(model.LedgerIncomplete):
        ledger.sign(MANAGER, missing=1, at=AT)
    ledger.sign(MANAGER, missing=0, at=AT)
    with pytest.raises(model.LedgerIncomplete):
        ledger.close(MANAGER, calendar=Calendar(), missing=1, at=AT)


def test_the_steps_of_a_ledger_come_in_order():
    ledger = a_ledger()
    with pytest.raises(model.LedgerNotSigned):
        ledger.close(MANAGER, calendar=Calendar(), missing=0, at=AT)
    ledger.sign(MANAGER, missing=0, at=AT)
    with pytest.raises(model.LedgerNotCompiled):
        ledger.sign(MANAGER, missing=0, at=AT)
    ledger.close(MANAGER, calendar=Calendar(), missing=0, at=AT)
    with pytest.raises(model.LedgerClosed):
        ledger.recompile(COMPILER, AT)


def test_compiling_again_voids_the_signature():
    ledger = a_ledger()
    ledger.sign(MANAGER, missing=0, at=AT)
    ledger.recompile(COMPILER, AT)
    assert (ledger.state, ledger.signed_by) == (LedgerState.COMPILED, None)


@pytest.mark.requirement("D22")
@pytest.mark.parametrize(
    ("month", "due"),
    [
        (date(2026, 2, 1), date(2026, 3, 6)),
        (date(2026, 1, 1), date(2026, 2, 6)),
        (date(2026, 9, 1), date(2026, 10, 13)),  # the National Day week does not count, its make-up day does
    ],
)
def test_a_ledger_is_due_on_the_fifth_working_day_of_the_next_month(month, due):
    assert model.due_on(Calendar(), month) == due


@pytest.mark.requirement("D22")
def test_a_ledger_closed_on_its_due_day_is_in_time_and_a_day_later_is_not():
    for day, on_time in ((6, True), (7, False)):
        ledger = a_ledger()
        ledger.sign(MANAGER, missing=0, at=AT)
        fact = ledger.close(
            MANAGER, calendar=Calendar(), missing=0, at=datetime(2026, 3, day, 4, 0, tzinfo=UTC)
        )
        assert fact.data["on_time"] is on_time


def test_a_month_whose_due_day_no_calendar_knows_is_not_closed():
    ledger = a_ledger(month=date(2097, 12, 1))
    ledger.sign(MANAGER, missing=0, at=AT)
    with pytest.raises(CalendarUnknown):
        ledger.close(MANAGER, calendar=Calendar(), missing=0, at=AT)
    assert ledger.state is LedgerState.SIGNED


def test_a_running_month_is_not_compiled():
    with pytest.raises(model.MonthNotOver):
        model.require_month_over(date(2026, 2, 1), date(2026, 2, 28))
    model.require_month_over(date(2026, 2, 1), date(2026, 3, 1))


def test_the_hash_of_entries_does_not_depend_on_their_order():
    ids = [UUID(int=3), UUID(int=1), UUID(int=2)]
    assert model.hash_entries(ids) == model.hash_entries(sorted(ids))
