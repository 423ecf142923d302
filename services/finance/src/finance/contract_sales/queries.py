"""What a contract left to be paid, and what became of it.

Source: F13
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from finance import open_items
from shared.clock import business_date
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Collected:
    """Fen of what was to be paid on credit, and what of it is paid, open and past due."""

    billed_fen: int
    paid_fen: int
    open_fen: int
    past_due_fen: int


_COLLECTED = f"""
select coalesce(sum(i.amount_fen), 0)::bigint as billed_fen,
    coalesce(sum(i.amount_fen - i.open_fen - i.written_off_fen), 0)::bigint as paid_fen,
    coalesce(sum(i.open_fen), 0)::bigint as open_fen,
    coalesce(sum(i.open_fen) filter (where i.due_on < :today), 0)::bigint as past_due_fen
from contract_sales s join {open_items.ITEMS} i on i.source_id = s.sale_id and i.kind = 'sale' and i.amount_fen > 0
where s.contract_id = :id
"""


def collected(tx: Tx, contract_id: UUID) -> Collected:
    """A sale of a contract is of its goods alone: billed = paid + open + what was written off."""
    found = tx.conn.execute(text(_COLLECTED), {"today": business_date(tx.now), "id": contract_id})
    return Collected(*found.one())
