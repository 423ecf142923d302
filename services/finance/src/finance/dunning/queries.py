"""Cases and letters as they are read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import open_items
from finance.dunning.rules import DunningCaseUnknown, LetterUnknown
from shared.paging import page_of
from shared.transaction import Tx

CASES = "(select * from dunning_cases)"
"""SQL: every case, for those who set something beside it."""
ACTIONS = "(select * from dunning_actions)"
"""SQL: what was done about the debts of cases."""


def cases(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Dunning cases with what is open of their items; keyset by id."""
    return page_of(
        tx.conn,
        f"select i.*, r.due_on, r.open_fen from dunning_cases i join {open_items.ITEMS} r on r.item_id = i.item_id",
        {
            "i.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "i.customer_id = :customer": args["customer_id"],
            "i.state = :state": args["state"],
        },
        {"i.case_id": UUID},
        args,
    )


def case(tx: Tx, case_id: UUID) -> dict[str, Any]:
    """Raises DunningCaseUnknown."""
    row = (
        tx.conn.execute(
            text(
                f"select c.*, r.due_on, r.open_fen from dunning_cases c join {open_items.ITEMS} r"
                " on r.item_id = c.item_id where case_id = :id"
            ),
            {"id": case_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise DunningCaseUnknown("no such dunning case")
    actions = tx.conn.execute(
        text("select * from dunning_actions where case_id = :id order by action_id"), {"id": case_id}
    ).mappings()
    return {**row, "actions": [dict(each) for each in actions]}


def letter(tx: Tx, letter_id: UUID) -> dict[str, Any]:
    """Raises LetterUnknown."""
    row = (
        tx.conn.execute(text("select * from dunning_letters where letter_id = :id"), {"id": letter_id})
        .mappings()
        .one_or_none()
    )
    if row is None or not all(tx.actor.may_see(branch) for branch in row["branches"]):
        raise LetterUnknown("no such letter")
    return {**row, "kind": row["content"]["kind"], "items": row["content"]["items"]}


def letters(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Letters issued, without their items, those of branches the token does not cover left out; keyset by id."""
    if args["branch_id"] is not None:
        tx.actor.require_branch(args["branch_id"])
    return page_of(
        tx.conn,
        "select l.* from dunning_letters l",
        {
            "l.branches <@ to_jsonb(cast(:branches as text[]))": tx.actor.branch_filter(),
            "l.branches @> to_jsonb(cast(:branch as text))": args["branch_id"],
            "l.customer_id = :customer_id": args["customer_id"],
            "l.level = :level": args["level"],
            "l.issued_on >= :first": args["first"],
            "l.issued_on <= :until": args["until"],
        },
        {"l.letter_id": UUID},
        args,
    )
