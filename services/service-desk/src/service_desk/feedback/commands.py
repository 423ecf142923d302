"""Record feedback, and compile, sign and close a month of it."""

from datetime import date

from service_desk.feedback import events, model, store
from service_desk.feedback.model import FeedbackLedger, LedgerState
from service_desk.tickets import Ticket
from shared import audit, holidays, outbox
from shared.clock import business_date, month_of, new_id
from shared.events import Event
from shared.transaction import Tx


def compile_ledger(tx: Tx, branch_id: str, month: date) -> None:
    """Enter every record of the month, once; repeatable until the ledger is closed.

    Raises ForeignBranch, MonthNotOver, LedgerClosed.
    Source: D22
    """
    tx.actor.require_branch(branch_id)
    model.require_month_over(month, business_date(tx.now))
    store.lock(tx, branch_id, to_add=False)
    ledger = store.find_ledger(tx, branch_id, month)
    if ledger is None:
        ledger = FeedbackLedger(
            id=new_id(),
            branch_id=branch_id,
            month=month,
            state=LedgerState.COMPILED,
            compiled_by=tx.actor.id,
            compiled_at=tx.now,
            records=0,
            late_records=0,
            entries_hash=model.hash_entries([]),
        )
    ledger.recompile(tx.actor, tx.now)
    store.save_ledger(tx, ledger)
    own, late = store.enter_records(tx, ledger)
    ledger.records, ledger.late_records = len(own), len(late)
    ledger.entries_hash = model.hash_entries([*own, *late])
    _save(tx, ledger, "compile")


def sign_ledger(tx: Tx, branch_id: str, month: date) -> None:
    """Raises ForeignBranch, LedgerNotFound and what FeedbackLedger.sign raises."""
    ledger = _held_ledger(tx, branch_id, month)
    ledger.sign(tx.actor, missing=store.count_missing(tx, ledger), at=tx.now)
    _save(tx, ledger, "sign")


def close_ledger(tx: Tx, branch_id: str, month: date) -> None:
    """Raises ForeignBranch, LedgerNotFound and what FeedbackLedger.close raises."""
    ledger = _held_ledger(tx, branch_id, month)
    fact = ledger.close(
        tx.actor, calendar=holidays.calendar(tx.conn), missing=store.count_missing(tx, ledger), at=tx.now
    )
    _save(tx, ledger, "close")
    outbox.append(tx, fact)


def record(tx: Tx, ticket: Ticket) -> Event:
    """市场信息反馈记录 (REC-FY006R00): one per ticket, of the month of its intake in Shanghai.

    Source: D17
    """
    taken_on = business_date(ticket.received_at)
    feedback_id, month = new_id(), month_of(taken_on)
    store.add_feedback_record(tx, feedback_id=feedback_id, ticket=ticket, month=month, taken_on=taken_on)
    return events.feedback_recorded(
        feedback_id=feedback_id,
        ticket_id=ticket.id,
        branch_id=ticket.branch_id,
        month=month,
        channel=ticket.channel,
        kind=ticket.kind,
        taken_on=taken_on,
    )


def _held_ledger(tx: Tx, branch_id: str, month: date) -> FeedbackLedger:
    tx.actor.require_branch(branch_id)
    store.lock(tx, branch_id, to_add=False)
    return store.lock_ledger(tx, branch_id, month)


def _save(tx: Tx, ledger: FeedbackLedger, action: str) -> None:
    store.save_ledger(tx, ledger)
    audit.record(
        tx,
        f"feedback_ledger.{action}",
        str(ledger.id),
        after={"state": ledger.state, "entries_hash": ledger.entries_hash},
    )
