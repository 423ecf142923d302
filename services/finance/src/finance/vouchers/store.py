"""The rows of vouchers and reversals."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from finance import trade_permissions
from finance.vouchers.model import Draft, Entry, Voucher
from finance.vouchers.rules import VoucherLine, VoucherNotFound
from shared.transaction import Tx

_DRAFT = text(
    "insert into vouchers (voucher_id, state, booked_on, branch_id, summary, lines, total_fen, subject_hash,"
    " drafted_by, drafted_at, department, campaign) values (:voucher_id, 'draft', :booked_on, :branch_id, :summary, :lines,"
    " :total, :hash, :person, :now, :department, :campaign)"
).bindparams(bindparam("lines", type_=JSONB))
Stored = list[list[str | int]]
"""A voucher's lines in their column: account, debit, credit, and of what is owed its customer and day."""


def stored(draft: Draft) -> Stored:
    """The lines that have an amount."""
    return [
        [each.account, each.debit_fen, each.credit_fen, *_owed(each)]
        for each in draft.lines
        if each.debit_fen or each.credit_fen
    ]


def _owed(line: VoucherLine) -> list[str]:
    return [str(line.customer_id), str(line.due_on)] if line.customer_id else []


def known_of(tx: Tx, customers: Collection[UUID]) -> set[UUID]:
    """Those of the customers that finance has been told of."""
    known = tx.conn.execute(
        text(f"select p.customer_id from {trade_permissions.KINDS} p where p.customer_id = any(:ids)"),
        {"ids": sorted(customers)},
    ).scalars()
    return set(known)


def insert(tx: Tx, voucher_id: UUID, draft: Draft, total_fen: int, subject_hash: str | None) -> None:
    tx.conn.execute(
        _DRAFT,
        {
            "voucher_id": voucher_id,
            "booked_on": draft.booked_on,
            "branch_id": draft.branch_id,
            "summary": draft.summary,
            "lines": stored(draft),
            "total": total_fen,
            "hash": subject_hash,
            "person": tx.actor.id,
            "now": tx.now,
            "department": draft.department,
            "campaign": draft.campaign,
        },
    )


def voucher(tx: Tx, voucher_id: UUID, *, lock: bool = False) -> Voucher:
    """Raises VoucherNotFound, also for a branch the token does not cover."""
    row = tx.conn.execute(
        text("select * from vouchers where voucher_id = :id" + (" for update" if lock else "")),
        {"id": voucher_id},
    ).one_or_none()
    if row is None or not tx.actor.may_see(row.branch_id):
        raise VoucherNotFound("no such voucher")
    return _voucher(row)


def vouchers(conn: Connection, voucher_ids: list[UUID]) -> list[Voucher]:
    """Those of these ids, in their order."""
    rows = conn.execute(text("select * from vouchers where voucher_id = any(:ids)"), {"ids": voucher_ids})
    found = {row.voucher_id: _voucher(row) for row in rows}
    return [found[each] for each in voucher_ids]


def _voucher(row: Row[Any]) -> Voucher:
    return Voucher(
        voucher_id=row.voucher_id,
        state=row.state,
        booked_on=row.booked_on,
        branch_id=row.branch_id,
        summary=row.summary,
        department=row.department,
        campaign=row.campaign,
        lines=[
            VoucherLine(
                account,
                debit,
                credit,
                customer_id=UUID(owed[0]) if owed else None,
                due_on=date.fromisoformat(owed[1]) if owed else None,
            )
            for account, debit, credit, *owed in row.lines
        ],
        total_fen=row.total_fen,
        subject_hash=row.subject_hash,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decided_reason=row.decided_reason,
    )


def posted_fen(conn: Connection) -> int:
    """A side of every voucher that is posted; who posts another meanwhile waits, and counts this one."""
    conn.execute(text("select pg_advisory_xact_lock(hashtextextended('finance:vouchers', 0))"))
    found = conn.execute(
        text("select coalesce(sum(total_fen), 0)::bigint from vouchers where state = 'posted'")
    )
    return int(found.scalar_one())


def end(tx: Tx, voucher_id: UUID, state: str, reason: str | None) -> None:
    """A draft is posted or rejected by the actor, whose decision it was."""
    tx.conn.execute(
        text(
            "update vouchers set state = :state, decided_by = :person, decided_at = :now, decided_reason = :reason"
            " where voucher_id = :voucher_id"
        ),
        {
            "state": state,
            "person": tx.actor.id,
            "now": tx.now,
            "reason": reason,
            "voucher_id": voucher_id,
        },
    )


def claim_reversal(tx: Tx, entry: Entry, reversal_id: UUID, today: date, reason: str) -> bool:
    """Whether the entry was not reversed before."""
    claimed = tx.conn.execute(
        text(
            "insert into reversals (entry_id, entry_booked_on, reversal_id, booked_on, reason, reversed_by, reversed_at)"
            " values (:entry_id, :entry_booked_on, :reversal_id, :today, :reason, :person, :now)"
            " on conflict (entry_id) do nothing"
        ),
        {
            "entry_id": entry.id,
            "entry_booked_on": entry.booked_on,
            "reversal_id": reversal_id,
            "today": today,
            "reason": reason,
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    return bool(claimed.rowcount)
