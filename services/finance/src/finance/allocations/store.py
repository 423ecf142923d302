"""Rows of what was set against what; taking one back is a row of the opposite amount."""

from datetime import date
from uuid import UUID

from sqlalchemy import insert

from finance.allocations.rules import Match
from finance.allocations.tables import receivable_allocations
from shared.transaction import Tx

ALLOCATIONS = "(select * from receivable_allocations)"
"""SQL: every allocation, for those who set something beside them."""


def add(tx: Tx, match: Match, day: date) -> UUID:
    """Keep what was set against what, effective on a day."""
    made: UUID = tx.conn.execute(
        insert(receivable_allocations)
        .values(
            credit_id=match.credit_id,
            debt_id=match.debt_id,
            fen=match.fen,
            allocated_on=day,
            undoes=match.undoes,
            actor=tx.actor.id,
            at=tx.now,
        )
        .returning(receivable_allocations.c.allocation_id)
    ).scalar_one()
    return made
