"""Statements of account (对账函): what a customer owes on a day, sent, then confirmed or disputed item by item.

Source: F16, model 3.2 (CustomerStatement)
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from finance import receivables
from finance.account_statements import store
from finance.account_statements.model import Answer
from finance.kernel import debts
from finance.kernel.debts import last_quarter_end
from finance.open_items import ReceivableUnknown
from shared import audit
from shared.clock import business_date, new_id
from shared.errors import Conflict, Invalid
from shared.languages import Text
from shared.transaction import Tx

BATCH = 100


class CustomerStatementEmpty(Conflict):
    """The customer owes nothing, and is owed nothing, on that day."""

    code = "customer_statement_empty"
    cure = "Nothing needs doing: the customer owes nothing on this day."


class CustomerStatementExists(Conflict):
    code = "customer_statement_exists"
    cure = "Use the statement of this day that was made before."


class CustomerStatementDayInvalid(Invalid):
    """A day to come is not over."""

    code = "customer_statement_day_invalid"
    cure = "State the account as of today or a day before."


class CustomerStatementStateWrong(Conflict):
    """Statements go from issued to sent to answered, once."""

    code = "customer_statement_state_wrong"
    cure = "Read the statement again; its state says what comes next."


class AnswersIncomplete(Invalid):
    """An answer names every item of the statement, once; a disputed item has its reason."""

    code = "customer_statement_answers_incomplete"
    cure = "Answer each item once; a disputed one with its reason."


def issue(tx: Tx, customer_id: UUID, as_of: date) -> UUID:
    """Freeze every item that is open at the end of a day, in all branches.

    Raises CustomerStatementDayInvalid, CustomerStatementEmpty, CustomerStatementExists, ForeignBranch.
    """
    if as_of > business_date(tx.now):
        raise CustomerStatementDayInvalid("the day lies in the future")
    items = store.open_at(tx, customer_id, as_of)
    if not items:
        raise CustomerStatementEmpty(Text("nothing is open on {as_of}", as_of=as_of))
    for item in items:
        tx.actor.require_branch(item.branch_id)
    statement_id = new_id()
    if not store.add(tx, statement_id, customer_id, as_of, items):
        raise CustomerStatementExists(Text("the account of {as_of} was stated before", as_of=as_of))
    audit.record(tx, "customer_statement.issue", str(statement_id), after=[str(customer_id), str(as_of)])
    return statement_id


def send(tx: Tx, statement_id: UUID, channel: str) -> None:
    """Raises CustomerStatementUnknown, CustomerStatementStateWrong."""
    statement = store.lock(tx, statement_id)
    if statement.state != "issued":
        raise CustomerStatementStateWrong(Text("it is {state}", state=statement.state))
    store.send(tx, statement, channel)
    audit.record(tx, "customer_statement.send", str(statement_id), after=channel)


def answer(tx: Tx, statement_id: UUID, contact_id: UUID | None, answers: Sequence[Answer]) -> None:
    """The customer's word on every item; disputed debts that are still open are disputed from now on.

    Raises CustomerStatementUnknown, CustomerStatementStateWrong, AnswersIncomplete.
    """
    statement = store.lock(tx, statement_id)
    if statement.state != "sent":
        raise CustomerStatementStateWrong(Text("it is {state}", state=statement.state))
    asked, answered = store.items_of(tx, statement), [each.item_id for each in answers]
    if asked != set(answered) or len(answered) != len(asked):
        raise AnswersIncomplete(
            "answer every item of the statement, once",
            missing=sorted(str(each) for each in asked - set(answered)),
        )
    unexplained = [
        index for index, each in enumerate(answers) if each.answer == "disputed" and not each.reason
    ]
    if unexplained:
        raise AnswersIncomplete(
            "a disputed item has its reason",
            errors=[{"path": f"answers.{index}.reason", "message": "required"} for index in unexplained],
        )
    for each in sorted(answers, key=lambda one: one.item_id):
        store.keep_answer(tx, statement, each)
        if each.answer == "disputed":
            _dispute(tx, each.item_id, each.reason or "")
    is_disputed = any(each.answer == "disputed" for each in answers)
    store.settle(tx, statement, "disputed" if is_disputed else "confirmed", contact_id)
    audit.record(tx, "customer_statement.answer", str(statement_id), after=[asdict(each) for each in answers])


def _dispute(tx: Tx, item_id: UUID, reason: str) -> None:
    try:
        receivables.dispute(tx, item_id, reason)
    except (receivables.DisputeNotPossible, ReceivableUnknown):
        # paid meanwhile, a credit, or disputed already: the answer is kept, there is nothing to pause
        return


def issue_periodically(tx: Tx) -> int:
    """State the accounts of the last quarter's end, for every customer that still owes from then."""
    today = business_date(tx.now)
    as_of = last_quarter_end(today, debts.house("statement_every_months", today))
    issued = 0
    for customer_id in store.unstated(tx, as_of, BATCH):
        try:
            issue(tx, customer_id, as_of)
        except CustomerStatementEmpty:
            continue
        issued += 1
    return issued
