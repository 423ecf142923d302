"""Statements of account (对账函): what a customer owes on a day, sent, then confirmed or disputed item by item.

Source: F16, model 3.2 (CustomerStatement)
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from finance import open_items, receivables
from finance.account_statements.rules import CustomerStatementUnknown
from finance.kernel import debts
from finance.kernel.debts import last_quarter_end
from finance.open_items import ReceivableUnknown
from finance.receivables import OPEN_AT
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
    items = tx.conn.execute(
        text(f"{OPEN_AT} and i.customer_id = :customer order by i.due_on, i.item_id"),
        {"as_of": as_of, "customer": customer_id},
    ).all()
    items = [row for row in items if row.open_at_fen]
    if not items:
        raise CustomerStatementEmpty(Text("nothing is open on {as_of}", as_of=as_of))
    for row in items:
        tx.actor.require_branch(row.branch_id)
    statement_id = new_id()
    _insert(tx, statement_id, customer_id, as_of, items)
    audit.record(tx, "customer_statement.issue", str(statement_id), after=[str(customer_id), str(as_of)])
    return statement_id


def _insert(tx: Tx, statement_id: UUID, customer_id: UUID, as_of: date, items: Sequence[Row[Any]]) -> None:
    content = [[str(row.item_id), row.due_on.isoformat(), row.open_at_fen] for row in items]
    statement = text(
        "insert into customer_statements (statement_id, customer_id, as_of, branches, state, total_fen,"
        " content_hash, issued_by, issued_at) values (:id, :customer, :as_of, :branches, 'issued', :total, :hash,"
        " :actor, :now) on conflict (customer_id, as_of) do nothing returning 1"
    ).bindparams(bindparam("branches", type_=JSONB))
    added = tx.conn.execute(
        statement,
        {
            "id": statement_id,
            "customer": customer_id,
            "as_of": as_of,
            "branches": sorted({row.branch_id for row in items}),
            "total": sum(row.open_at_fen for row in items),
            "hash": audit.digest(orjson.loads(orjson.dumps(content))),
            "actor": tx.actor.id,
            "now": tx.now,
        },
    ).first()
    if added is None:
        raise CustomerStatementExists(Text("the account of {as_of} was stated before", as_of=as_of))
    tx.conn.execute(
        text(
            "insert into customer_statement_items (statement_id, item_id, branch_id, kind, booked_on, due_on,"
            " amount_fen, open_fen) values (:id, :item, :branch, :kind, :booked, :due, :amount, :open)"
        ),
        [
            {
                "id": statement_id,
                "item": row.item_id,
                "branch": row.branch_id,
                "kind": row.kind,
                "booked": row.booked_on,
                "due": row.due_on,
                "amount": row.amount_fen,
                "open": row.open_at_fen,
            }
            for row in items
        ],
    )


def _lock(tx: Tx, statement_id: UUID) -> Row[Any]:
    row = tx.conn.execute(
        text("select * from customer_statements where statement_id = :id for update"), {"id": statement_id}
    ).one_or_none()
    if row is None or not all(tx.actor.may_see(branch) for branch in row.branches):
        raise CustomerStatementUnknown("no such statement of account")
    return row


def send(tx: Tx, statement_id: UUID, channel: str) -> None:
    """Raises CustomerStatementUnknown, CustomerStatementStateWrong."""
    row = _lock(tx, statement_id)
    if row.state != "issued":
        raise CustomerStatementStateWrong(Text("it is {state}", state=row.state))
    tx.conn.execute(
        text(
            "update customer_statements set state = 'sent', channel = :channel, sent_at = :now"
            " where statement_id = :id"
        ),
        {"channel": channel, "now": tx.now, "id": statement_id},
    )
    audit.record(tx, "customer_statement.send", str(statement_id), after=channel)


def answer(tx: Tx, statement_id: UUID, contact_id: UUID | None, answers: Sequence[dict[str, Any]]) -> None:
    """The customer's word on every item; disputed debts that are still open are disputed from now on.

    Raises CustomerStatementUnknown, CustomerStatementStateWrong, AnswersIncomplete.
    """
    row = _lock(tx, statement_id)
    if row.state != "sent":
        raise CustomerStatementStateWrong(Text("it is {state}", state=row.state))
    items = tx.conn.execute(
        text("select item_id from customer_statement_items where statement_id = :id"), {"id": statement_id}
    ).scalars()
    asked, answered = set(items), [each["item_id"] for each in answers]
    if asked != set(answered) or len(answered) != len(asked):
        raise AnswersIncomplete(
            "answer every item of the statement, once",
            missing=sorted(str(each) for each in asked - set(answered)),
        )
    unexplained = [
        index for index, each in enumerate(answers) if each["answer"] == "disputed" and not each["reason"]
    ]
    if unexplained:
        raise AnswersIncomplete(
            "a disputed item has its reason",
            errors=[{"path": f"answers.{index}.reason", "message": "required"} for index in unexplained],
        )
    for each in sorted(answers, key=lambda one: one["item_id"]):
        tx.conn.execute(
            text(
                "update customer_statement_items set answer = :answer, reason = :reason"
                " where statement_id = :id and item_id = :item_id"
            ),
            {**each, "id": statement_id},
        )
        if each["answer"] == "disputed":
            _dispute(tx, each["item_id"], each["reason"])
    is_disputed = any(each["answer"] == "disputed" for each in answers)
    tx.conn.execute(
        text(
            "update customer_statements set state = :state, contact_id = :contact, answered_at = :now"
            " where statement_id = :id"
        ),
        {
            "state": "disputed" if is_disputed else "confirmed",
            "contact": contact_id,
            "now": tx.now,
            "id": statement_id,
        },
    )
    audit.record(tx, "customer_statement.answer", str(statement_id), after=list(answers))


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
    customers = tx.conn.execute(
        text(
            f"select distinct customer_id from {open_items.ITEMS} i where booked_on <= :as_of and open_fen > 0"
            " and not exists (select from customer_statements s where s.customer_id = i.customer_id"
            " and s.as_of = :as_of) limit :batch"
        ),
        {"as_of": as_of, "batch": BATCH},
    ).scalars()
    issued = 0
    for customer_id in list(customers):
        try:
            issue(tx, customer_id, as_of)
        except CustomerStatementEmpty:
            continue
        issued += 1
    return issued
