"""The statements that keep statements of account and their answers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from finance import open_items
from finance.account_statements.model import Answer, OpenItem, Statement
from finance.account_statements.rules import CustomerStatementUnknown
from finance.receivables import OPEN_AT
from shared import audit
from shared.transaction import Tx


def open_at(tx: Tx, customer_id: UUID, as_of: date) -> list[OpenItem]:
    """Every item of the customer that was open at the end of a day, in all branches, those due first."""
    rows = tx.conn.execute(
        text(f"{OPEN_AT} and i.customer_id = :customer order by i.due_on, i.item_id"),
        {"as_of": as_of, "customer": customer_id},
    )
    return [
        OpenItem(
            row.item_id,
            row.branch_id,
            row.kind,
            row.booked_on,
            row.due_on,
            row.amount_fen,
            row.open_at_fen,
        )
        for row in rows
        if row.open_at_fen
    ]


def add(tx: Tx, statement_id: UUID, customer_id: UUID, as_of: date, items: Sequence[OpenItem]) -> bool:
    """False when the account of this day was stated before."""
    content = [[str(item.item_id), item.due_on.isoformat(), item.open_fen] for item in items]
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
            "branches": sorted({item.branch_id for item in items}),
            "total": sum(item.open_fen for item in items),
            "hash": audit.digest(orjson.loads(orjson.dumps(content))),
            "actor": tx.actor.id,
            "now": tx.now,
        },
    ).first()
    if added is None:
        return False
    tx.conn.execute(
        text(
            "insert into customer_statement_items (statement_id, item_id, branch_id, kind, booked_on, due_on,"
            " amount_fen, open_fen) values (:statement_id, :item_id, :branch_id, :kind, :booked_on, :due_on,"
            " :amount_fen, :open_fen)"
        ),
        [{"statement_id": statement_id, **asdict(item)} for item in items],
    )
    return True


def lock(tx: Tx, statement_id: UUID) -> Statement:
    """Raises CustomerStatementUnknown."""
    row = tx.conn.execute(
        text(
            "select statement_id, branches, state from customer_statements where statement_id = :id for update"
        ),
        {"id": statement_id},
    ).one_or_none()
    if row is None or not all(tx.actor.may_see(branch) for branch in row.branches):
        raise CustomerStatementUnknown("no such statement of account")
    return Statement(*row)


def send(tx: Tx, statement: Statement, channel: str) -> None:
    tx.conn.execute(
        text(
            "update customer_statements set state = 'sent', channel = :channel, sent_at = :now"
            " where statement_id = :id"
        ),
        {"channel": channel, "now": tx.now, "id": statement.statement_id},
    )


def items_of(tx: Tx, statement: Statement) -> set[UUID]:
    found = tx.conn.execute(
        text("select item_id from customer_statement_items where statement_id = :id"),
        {"id": statement.statement_id},
    )
    return set(found.scalars())


def keep_answer(tx: Tx, statement: Statement, said: Answer) -> None:
    tx.conn.execute(
        text(
            "update customer_statement_items set answer = :answer, reason = :reason"
            " where statement_id = :id and item_id = :item_id"
        ),
        {**asdict(said), "id": statement.statement_id},
    )


def settle(tx: Tx, statement: Statement, state: str, contact_id: UUID | None) -> None:
    tx.conn.execute(
        text(
            "update customer_statements set state = :state, contact_id = :contact, answered_at = :now"
            " where statement_id = :id"
        ),
        {"state": state, "contact": contact_id, "now": tx.now, "id": statement.statement_id},
    )


def unstated(tx: Tx, as_of: date, limit: int) -> list[UUID]:
    """Customers that still owe from a day of which their account was not stated."""
    found = tx.conn.execute(
        text(
            f"select distinct customer_id from {open_items.ITEMS} i where booked_on <= :as_of and open_fen > 0"
            " and not exists (select from customer_statements s where s.customer_id = i.customer_id"
            " and s.as_of = :as_of) limit :batch"
        ),
        {"as_of": as_of, "batch": limit},
    )
    return list(found.scalars())
