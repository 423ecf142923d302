"""Letters of a level, each with what is overdue then."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from finance import open_items
from finance.dunning import rules
from finance.dunning.commands.cases import active, case_of, insert_action, keep
from finance.dunning.rules import CaseState, Outcome
from finance.kernel import dated
from shared import audit
from shared.clock import business_date, new_id
from shared.errors import Conflict, NotFound
from shared.transaction import Tx


class LetterUnknown(NotFound):
    code = "dunning_letter_unknown"
    cure = "Look it up in the list of letters."


class LetterNotDue(Conflict):
    """No case of the customer awaits this letter, or one does not yet."""

    code = "dunning_letter_not_due"
    cure = "Wait until a case of the customer reaches a level that is done by letter."


def issue_letter(tx: Tx, customer_id: UUID, level_no: int, language: str) -> UUID:
    """One letter for all overdue items of the customer, frozen; it does the action of every case it was due for.

    Raises LetterNotDue, ForeignBranch, DunningRoleMissing.
    """
    today = business_date(tx.now)
    level = next((each for each in rules.levels(today) if each.level == level_no and each.level > 1), None)
    if level is None:
        raise LetterNotDue("no such level is done by letter")
    items = _overdue(tx, customer_id, today)
    for row in items:
        tx.actor.require_branch(row.branch_id)
    cases = [active(tx, row.item_id) for row in items]
    due = [
        (each, row)
        for each, row in zip(cases, items, strict=True)
        if each is not None and each.state == CaseState.ACTION_DUE and each.level == level.level
    ]
    if not due:
        raise LetterNotDue("no case of this customer awaits this letter")
    template = dated.value("dunning_texts", level.kind, today)
    letter_id = new_id()
    for each, row in due:
        case = rules.acted(
            case_of(each),
            channel=level.channels[0],
            outcome=Outcome.DELIVERED,
            roles=tx.actor.roles,
            due_on=row.due_on,
            today=today,
            open_fen=row.open_fen,
            promise=None,
        )
        keep(tx, each.case_id, case)
        insert_action(
            tx,
            each.case_id,
            level=level.level,
            channel=level.channels[0],
            outcome=Outcome.DELIVERED,
            contact_id=None,
            text_version=template["version"],
            letter_id=letter_id,
        )
    _insert_letter(tx, letter_id, customer_id, level, language, template["version"], items)
    audit.record(tx, "dunning.issue_letter", str(letter_id), after=[str(customer_id), level_no])
    return letter_id


def _overdue(tx: Tx, customer_id: UUID, today: date) -> list[Row[Any]]:
    return list(
        tx.conn.execute(
            text(
                f"select item_id, branch_id, kind, booked_on, due_on, amount_fen, open_fen from {open_items.ITEMS} i"
                " where customer_id = :customer and open_fen > 0 and due_on < :today and disputed_at is null"
                " order by item_id for update"
            ),
            {"customer": customer_id, "today": today},
        )
    )


def _insert_letter(
    tx: Tx,
    letter_id: UUID,
    customer_id: UUID,
    level: rules.Level,
    language: str,
    version: str,
    items: Sequence[Row[Any]],
) -> None:
    today = business_date(tx.now)
    lines = [
        {
            "item_id": str(row.item_id),
            "branch_id": row.branch_id,
            "kind": row.kind,
            "booked_on": row.booked_on.isoformat(),
            "due_on": row.due_on.isoformat(),
            "days": (today - row.due_on).days,
            "amount_fen": row.amount_fen,
            "open_fen": row.open_fen,
        }
        for row in sorted(items, key=lambda each: (each.due_on, each.item_id))
    ]
    content = {"kind": level.kind, "text_version": version, "items": lines}
    statement = text(
        "insert into dunning_letters (letter_id, customer_id, branches, level, language, text_version, issued_on,"
        " total_fen, content, content_hash, issued_by, issued_at) values (:id, :customer, :branches, :level,"
        " :language, :version, :today, :total, :content, :hash, :actor, :now)"
    ).bindparams(bindparam("content", type_=JSONB), bindparam("branches", type_=JSONB))
    tx.conn.execute(
        statement,
        {
            "id": letter_id,
            "customer": customer_id,
            "branches": sorted({row.branch_id for row in items}),
            "level": level.level,
            "language": language,
            "version": version,
            "today": today,
            "total": sum(row.open_fen for row in items),
            "content": orjson.loads(orjson.dumps(content)),
            "hash": audit.digest(content),
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )
