"""Statements of account as they are read, and the numbers that documents have there."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import open_items, receipts
from finance.account_statements.rules import CustomerStatementUnknown
from finance.receivables import PAYMENTS
from finance.refunds import REFUNDED
from shared.paging import decode_cursor, page
from shared.transaction import Tx


def statement(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Raises CustomerStatementUnknown."""
    row = (
        tx.conn.execute(
            text("select * from customer_statements where statement_id = :id"), {"id": statement_id}
        )
        .mappings()
        .one_or_none()
    )
    if row is None or not all(tx.actor.may_see(branch) for branch in row["branches"]):
        raise CustomerStatementUnknown("no such statement of account")
    rows = tx.conn.execute(
        text("select * from customer_statement_items where statement_id = :id order by due_on, item_id"),
        {"id": statement_id},
    ).mappings()
    return {**row, "items": [dict(each) for each in rows]}


def statements(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Statements of account, newest last; those with items of a branch the token does not cover are left out.

    With `branch_id` those that have items of the branch. Raises ForeignBranch.
    """
    if args["branch_id"] is not None:
        tx.actor.require_branch(args["branch_id"])
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from customer_statements where (cast(:customer as uuid) is null or customer_id = :customer)"
            " and (cast(:branches as text[]) is null or branches <@ to_jsonb(cast(:branches as text[])))"
            " and (cast(:branch as text) is null or branches @> to_jsonb(cast(:branch as text)))"
            " and (cast(:after as text) is null or statement_id > cast(:after as uuid))"
            " order by statement_id limit :limit"
        ),
        {
            "customer": args["customer_id"],
            "branches": tx.actor.branch_filter(),
            "branch": args["branch_id"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "statement_id")


def documents(tx: Tx, items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The number under which the customer knows each item: of its receipt, or of its payment."""
    rows = tx.conn.execute(
        text(
            f"select i.item_id::text, coalesce(r.receipt_number, p.reference) as number from {open_items.ITEMS} i"
            f" left join {open_items.ITEMS} principal on principal.item_id = i.principal_id"
            f" left join {REFUNDED} f on f.refund_id = i.source_id and i.kind = 'credit_note'"
            f" left join {receipts.RECEIPTS} r on r.sale_id = coalesce(f.sale_id, principal.source_id, i.source_id)"
            f" left join {PAYMENTS} p on p.payment_id = i.source_id"
            " where i.item_id = any(cast(:ids as uuid[]))"
        ),
        {"ids": [str(each["item_id"]) for each in items]},
    )
    return {row.item_id: row.number for row in rows if row.number is not None}
