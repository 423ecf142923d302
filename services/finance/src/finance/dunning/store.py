"""The statements that hold and change cases, actions and letters.

Everything waits on the case's row; the item's row is locked before it, as allocations do.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from finance import open_items
from finance.dunning.model import Done, Held, Letter, Overdue
from finance.dunning.rules import Case, CaseState, DunningCaseUnknown
from finance.open_items import Item
from shared import audit
from shared.clock import business_date, new_id
from shared.transaction import Tx

_COLUMNS = tuple(each.name for each in fields(Case))
_OVERDUE = ", ".join(each.name for each in fields(Overdue))


def _held(row: Row[Any]) -> Held:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return Held(row.case_id, Case(**{**values, "state": CaseState(row.state)}))


def active(tx: Tx, item_id: UUID) -> Held | None:
    """The case of a debt that is not settled, locked."""
    row = tx.conn.execute(
        text("select * from dunning_cases where item_id = :id and state <> 'settled' for update"),
        {"id": item_id},
    ).one_or_none()
    return None if row is None else _held(row)


def lock(tx: Tx, case_id: UUID) -> tuple[Held, Item]:
    """The case and its item, locked item first. Raises DunningCaseUnknown."""
    known = tx.conn.execute(
        text("select item_id, branch_id from dunning_cases where case_id = :id"), {"id": case_id}
    ).one_or_none()
    if known is None or not tx.actor.may_see(known.branch_id):
        raise DunningCaseUnknown("no such dunning case")
    item = open_items.lock(tx.conn, [known.item_id])[known.item_id]
    found = tx.conn.execute(
        text("select * from dunning_cases where case_id = :id for update"), {"id": case_id}
    ).one()
    return _held(found), item


def keep(tx: Tx, case_id: UUID, case: Case, reason: str | None = None) -> int:
    """Write the case and say its new version."""
    assignments = ", ".join(f"{name} = :{name}" for name in _COLUMNS)
    version: int = tx.conn.execute(
        text(
            f"update dunning_cases set {assignments}, reason = :reason, version = version + 1"
            " where case_id = :case_id returning version"
        ),
        {**{name: getattr(case, name) for name in _COLUMNS}, "case_id": case_id, "reason": reason},
    ).scalar_one()
    return version


def without_case(tx: Tx, limit: int) -> list[Overdue]:
    """Overdue, undisputed debts without one, locked; interest only once its principal is paid (I29)."""
    rows = tx.conn.execute(
        text(
            f"select {_OVERDUE} from {open_items.ITEMS} i"
            " where open_fen > 0 and due_on < :today and disputed_at is null and (kind <> 'interest' or not exists"
            f"  (select from {open_items.ITEMS} p where p.item_id = i.principal_id and p.open_fen > 0))"
            " and not exists (select from dunning_cases c where c.item_id = i.item_id and c.state <> 'settled')"
            " order by due_on limit :batch for update skip locked"
        ),
        {"today": business_date(tx.now), "batch": limit},
    )
    return [Overdue(*row) for row in rows]


def add(tx: Tx, debt: Overdue, case: Case) -> None:
    tx.conn.execute(
        text(
            "insert into dunning_cases (case_id, item_id, customer_id, branch_id, state, level, done_level,"
            " next_on, opened_on) values (:case_id, :item, :customer, :branch, :state, 0, 0, :next, :today)"
        ),
        {
            "case_id": new_id(),
            "item": debt.item_id,
            "customer": debt.customer_id,
            "branch": debt.branch_id,
            "state": case.state,
            "next": case.next_on,
            "today": business_date(tx.now),
        },
    )


def due(tx: Tx, limit: int) -> list[UUID]:
    """The items of cases whose day has come."""
    rows = tx.conn.execute(
        text(
            "select c.item_id from dunning_cases c where c.state in ('waiting', 'promised')"
            " and c.next_on <= :today order by c.next_on, c.case_id limit :batch"
        ),
        {"today": business_date(tx.now), "batch": limit},
    )
    return list(rows.scalars())


def untold(tx: Tx, bounds: Sequence[int], limit: int) -> list[Overdue]:
    """Overdue debts that entered an older bucket of these bounds since they were told, locked."""
    rows = tx.conn.execute(
        text(
            f"select {_OVERDUE} from {open_items.ITEMS} i"
            " where open_fen > 0 and due_on < :today and told_days < ("
            "  select coalesce(max(b), 0) + 1 from unnest(cast(:bounds as int[])) b where b < :today - i.due_on)"
            " order by due_on limit :batch for update skip locked"
        ),
        {"today": business_date(tx.now), "bounds": list(bounds), "batch": limit},
    )
    return [Overdue(*row) for row in rows]


def overdue_of(tx: Tx, customer_id: UUID) -> list[Overdue]:
    """All of a customer's that is overdue and undisputed, locked."""
    rows = tx.conn.execute(
        text(
            f"select {_OVERDUE} from {open_items.ITEMS} i"
            " where customer_id = :customer and open_fen > 0 and due_on < :today and disputed_at is null"
            " order by item_id for update"
        ),
        {"customer": customer_id, "today": business_date(tx.now)},
    )
    return [Overdue(*row) for row in rows]


def add_action(tx: Tx, held: Held, level: int, done: Done, letter_id: UUID | None = None) -> UUID:
    action_id = new_id()
    tx.conn.execute(
        text(
            "insert into dunning_actions (action_id, case_id, level, channel, outcome, contact_id, text_version,"
            " promise_fen, promise_on, letter_id, done_on, actor, at) values (:id, :case_id, :level, :channel,"
            " :outcome, :contact, :version, :fen, :day, :letter, :today, :actor, :now)"
        ),
        {
            "id": action_id,
            "case_id": held.case_id,
            "level": level,
            "channel": done.channel,
            "outcome": done.outcome,
            "contact": done.contact_id,
            "version": done.text_version,
            "fen": done.promise.amount_fen if done.promise else None,
            "day": done.promise.date if done.promise else None,
            "letter": letter_id,
            "today": business_date(tx.now),
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )
    return action_id


def add_letter(tx: Tx, letter: Letter) -> None:
    today = business_date(tx.now)
    lines = [
        {
            "item_id": str(debt.item_id),
            "branch_id": debt.branch_id,
            "kind": debt.kind,
            "booked_on": debt.booked_on.isoformat(),
            "due_on": debt.due_on.isoformat(),
            "days": (today - debt.due_on).days,
            "amount_fen": debt.amount_fen,
            "open_fen": debt.open_fen,
        }
        for debt in sorted(letter.items, key=lambda each: (each.due_on, each.item_id))
    ]
    content = {"kind": letter.level.kind, "text_version": letter.text_version, "items": lines}
    statement = text(
        "insert into dunning_letters (letter_id, customer_id, branches, level, language, text_version, issued_on,"
        " total_fen, content, content_hash, issued_by, issued_at) values (:id, :customer, :branches, :level,"
        " :language, :version, :today, :total, :content, :hash, :actor, :now)"
    ).bindparams(bindparam("content", type_=JSONB), bindparam("branches", type_=JSONB))
    tx.conn.execute(
        statement,
        {
            "id": letter.letter_id,
            "customer": letter.customer_id,
            "branches": sorted({debt.branch_id for debt in letter.items}),
            "level": letter.level.level,
            "language": letter.language,
            "version": letter.text_version,
            "today": today,
            "total": sum(debt.open_fen for debt in letter.items),
            "content": orjson.loads(orjson.dumps(content)),
            "hash": audit.digest(content),
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )


def settle(tx: Tx, item_id: UUID, on: date) -> None:
    """The debt is paid, credited or written off: its case ends."""
    tx.conn.execute(
        text(
            "update dunning_cases set state = 'settled', closed_on = :day, version = version + 1"
            " where item_id = :id and state <> 'settled'"
        ),
        {"day": on, "id": item_id},
    )
