"""The numbers of notices; within the caller's transaction."""

from sqlalchemy.dialects.postgresql import insert as upsert

from returns.requests.tables import return_numbers
from shared.clock import business_date
from shared.transaction import Tx


def next_number(tx: Tx, branch_id: str) -> str:
    """`TH-<branch>-<year>-NNNNNN`, without gaps per branch and year: requesters queue on the counter row."""
    year = business_date(tx.now).year
    last = tx.conn.execute(
        upsert(return_numbers)
        .values(branch_id=branch_id, year=year, last=1)
        .on_conflict_do_update(index_elements=["branch_id", "year"], set_={"last": return_numbers.c.last + 1})
        .returning(return_numbers.c.last)
    ).scalar_one()
    return f"TH-{branch_id}-{year}-{last:06d}"
