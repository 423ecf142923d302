"""Points set against the books: the contract liability is what they are worth."""

from datetime import date

from sqlalchemy import Connection, text

from finance import balances
from finance.book import book_of
from finance.points.rules import PointsNotTied
from shared.languages import Text

_OUTSTANDING = text(
    "select coalesce(sum((e.points - coalesce(t.points, 0) - coalesce(x.points, 0) - coalesce(u.points, 0)"
    " + coalesce(c.points, 0)) * e.fen_per_point), 0)::bigint from points_earned e"
    " left join (select sale_id, sum(points) as points from points_corrections group by sale_id) c using (sale_id)"
    " left join (select sale_id, sum(points) as points from points_taken_back group by sale_id) t using (sale_id)"
    " left join (select sale_id, sum(points) as points from points_expired group by sale_id) x using (sale_id)"
    " left join (select l.sale_id, sum(l.points - l.given_back) as points from points_redemption_lots l"
    "  join points_uses using (redemption_id) group by l.sale_id) u using (sale_id)"
)
FOREVER = date(9999, 1, 1)


def require_tied(conn: Connection, month: date) -> None:
    """A month closes only while the contract liability is what the points say. Raises PointsNotTied.

    Both are read in one snapshot, of a connection of its own: points of today are told while a month closes.
    """
    chart = book_of(conn).chart
    with conn.engine.connect().execution_options(isolation_level="REPEATABLE READ") as snapshot:
        promised = int(snapshot.execute(_OUTSTANDING).scalar_one())
        if "contract_liability" in chart.meanings:
            booked = -balances.balance(snapshot, chart.code("contract_liability"), None, until=FOREVER)
        else:
            booked = 0
        snapshot.rollback()
    if booked != promised:
        raise PointsNotTied(
            Text("booked {booked} fen, promised {promised} fen", booked=booked, promised=promised)
        )
