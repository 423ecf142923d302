"""What a sample cost that was never bought as stock."""

from msgspec import Struct
from sqlalchemy import Connection, text

from finance import sold


class Cost(Struct, frozen=True):
    """What a line of a sale cost."""

    cost_fen: int
    quantity: int


def last_cost(conn: Connection, branch_id: str, product_id: str, lot_key: str) -> Cost | None:
    """What the till took for a lot when the branch last sold it."""
    row = conn.execute(
        text(
            f"select cost_fen, quantity from {sold.LINES} l where product_id = :product and lot_key = :lot"
            " and branch_id = :branch order by booked_on desc, line_id desc limit 1"
        ),
        {"product": product_id, "lot": lot_key, "branch": branch_id},
    ).one_or_none()
    return None if row is None else Cost(*row)
