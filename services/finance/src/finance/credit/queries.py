"""What a customer may still owe."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import open_items
from finance.credit.rules import refusal_of
from finance.credit.store import positions
from shared.clock import business_date
from shared.transaction import Tx


def credit_of(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """What a customer may still owe, as an order is judged now.

    Debts are those of the token's branches; what orders hold is told to who sees every branch.
    """
    today = business_date(tx.now)
    position = positions(tx.conn, [customer_id], today)[customer_id]
    branches = tx.actor.branch_filter()
    mine = tx.conn.execute(
        text(
            "select coalesce(sum(open_fen), 0)::bigint as outstanding_fen,"
            " coalesce(sum(open_fen) filter (where open_fen > 0 and due_on < :today), 0)::bigint as overdue_fen"
            f" from {open_items.ITEMS} i where customer_id = :customer and open_fen <> 0"
            " and (cast(:branches as text[]) is null or branch_id = any(:branches))"
        ),
        {"customer": customer_id, "today": today, "branches": branches},
    ).one()
    refusal = refusal_of(position, 1, today)
    limit_fen = position.limit_fen
    return {
        "is_whole": branches is None,
        "limit_fen": limit_fen,
        "overdue_tolerance_fen": position.overdue_tolerance_fen,
        "on_hold": position.on_hold,
        "valid_until": position.valid_until,
        "outstanding_fen": mine.outstanding_fen,
        "overdue_fen": mine.overdue_fen,
        "reserved_fen": position.reserved_fen if branches is None else None,
        "available_fen": max((limit_fen or 0) - position.used_fen, 0),
        "refusal": None if refusal is None else refusal.code,
    }
