"""What documents drew on budgets, as corrections need it."""

from uuid import UUID

from sqlalchemy import text

from finance.budget_control.model import Drawn
from finance.budgets import DRAWN
from finance.ledger import ENTRIES
from shared.transaction import Tx


def source_of_entry(tx: Tx, entry_id: int | None) -> UUID | None:
    """The document that an entry is of."""
    found: UUID | None = tx.conn.execute(
        text(f"select e.source_id from {ENTRIES} e where e.id = :id"), {"id": entry_id}
    ).scalar_one_or_none()
    return found


def drawn_by(tx: Tx, source_id: UUID) -> list[Drawn]:
    """What the document drew on each budget, in the order of their ids."""
    rows = tx.conn.execute(
        text(
            f"select m.budget_id, m.category, sum(m.actual_fen)::bigint as fen from {DRAWN} m"
            " where m.source_id = :source group by m.budget_id, m.category order by m.budget_id"
        ),
        {"source": source_id},
    )
    return [Drawn(*row) for row in rows]
