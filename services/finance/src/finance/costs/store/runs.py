"""The rows of cost runs: what happened to purchased lots, and what runs took out of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, text

from finance import sold
from finance.costs.model import Change, CostRun, Lot, Span
from finance.costs.rules import Day, Stock
from finance.costs.tables import cost_runs, stock_moves
from finance.refunds import RETURNED_LINES
from finance.samples import GIVEN_OUT
from shared.transaction import Tx

_HAPPENED = f"""
select product_id, lot, day, sum(received)::bigint as received, sum(received_fen)::bigint as received_fen,
    sum(returned)::bigint as returned, sum(returned_cost_fen)::bigint as returned_cost_fen,
    sum(sold)::bigint as sold, sum(sold_cost_fen)::bigint as sold_cost_fen, sum(given)::bigint as given,
    sum(given_cost_fen)::bigint as given_cost_fen
from (
    select product_id, lot, day, quantity as received, value_fen as received_fen, 0 as returned,
        0 as returned_cost_fen, 0 as sold, 0 as sold_cost_fen, 0 as given, 0 as given_cost_fen
    from stock_moves where branch_id = :branch and kind = 'receipt' and day between :first and :last
    union all
    select l.product_id, s.lot, l.booked_on, 0, 0, 0, 0, l.quantity, l.cost_fen, 0, 0
    from {sold.LINES} l join lot_stock s on s.branch_id = :branch and s.product_id = l.product_id and s.lot = l.lot_key
    where l.branch_id = :branch and l.booked_on between :first and :last
    union all
    select l.product_id, s.lot, b.booked_on, 0, 0, b.quantity, b.cost_fen, 0, 0, 0, 0
    from {RETURNED_LINES} b join {sold.LINES_BY_SALE} l on l.sale_id = b.sale_id and l.line_id = b.sale_line_id
    join lot_stock s on s.branch_id = :branch and s.product_id = l.product_id and s.lot = l.lot_key
    where b.branch_id = :branch and b.booked_on between :first and :last and b.disposition = 'restock'
    union all
    select l.product_id, s.lot, l.booked_on, 0, 0, 0, 0, 0, 0, l.quantity, l.cost_fen
    from {GIVEN_OUT} l join lot_stock s on s.branch_id = :branch and s.product_id = l.product_id and s.lot = l.lot_key
    where l.branch_id = :branch and l.booked_on between :first and :last
) happened
"""
_OF_ALL = f"{_HAPPENED} group by product_id, lot, day"
_OF_ONE = f"{_HAPPENED} where product_id = :product and lot = :lot group by product_id, lot, day"
_STOCK_BEFORE = """
select product_id, lot, sum(quantity)::bigint as quantity, sum(value_fen)::bigint as value_fen
from stock_moves where branch_id = :branch and day < :first group by product_id, lot
"""
_ALREADY_OUT = """
select product_id, lot, -sum(quantity)::bigint as quantity, -sum(value_fen)::bigint as value_fen,
    sum(adjustment_fen)::bigint as adjustment_fen, sum(samples_fen)::bigint as samples_fen
from stock_moves where branch_id = :branch and kind = 'cost_run' and day between :first and :last
group by product_id, lot
"""


def hold_branch(tx: Tx, branch_id: str) -> None:
    """Runs of one branch follow each other."""
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended('finance:cost_run:' || :branch, 0))"),
        {"branch": branch_id},
    )


def hold_lots(tx: Tx, branch_id: str) -> None:
    """Receipts into the branch's lots wait, so that what is replayed is what is written."""
    tx.conn.execute(
        text(
            "select 1 from lot_stock where branch_id = :branch order by branch_id, product_id, lot for update"
        ),
        {"branch": branch_id},
    )


def hold_lot(tx: Tx, branch_id: str, lot: Lot) -> bool:
    """Other issues of the lot wait, tills do not; false when the branch never purchased it."""
    known = tx.conn.execute(
        text(
            "select 1 from lot_stock where branch_id = :branch and product_id = :product and lot = :lot"
            " for update"
        ),
        {"branch": branch_id, "product": lot[0], "lot": lot[1]},
    )
    return known.first() is not None


def is_later_costed(tx: Tx, branch_id: str, month: date) -> bool:
    """Whether a month after this one is costed."""
    later = tx.conn.execute(
        text("select 1 from cost_runs where branch_id = :branch and month > :month limit 1"),
        {"branch": branch_id, "month": month},
    )
    return later.first() is not None


def known_runs(tx: Tx, branch_id: str, month: date) -> tuple[int, date | None, date | None]:
    """How many runs the month has had, their first day, and the last day of the months before."""
    row = tx.conn.execute(
        text(
            "select count(*) filter (where month = :month) as runs,"
            " min(from_day) filter (where month = :month) as same,"
            " max(until_day) filter (where month < :month) as before from cost_runs where branch_id = :branch"
        ),
        {"branch": branch_id, "month": month},
    ).one()
    return row.runs, row.same, row.before


def first_purchase(tx: Tx, branch_id: str, last: date) -> date | None:
    """The day of the first stock move of the branch, None when it had none up to `last`."""
    day: date | None = tx.conn.execute(
        text("select min(day) from stock_moves where branch_id = :branch and day <= :last"),
        {"branch": branch_id, "last": last},
    ).scalar_one()
    return day


def first_uncosted(tx: Tx, branch_id: str) -> date:
    """The first day of the latest costed month, which may be costed again, else of the first stock move.

    Precondition: the branch purchased something.
    """
    day: date = tx.conn.execute(
        text(
            "select coalesce((select min(from_day) from cost_runs where branch_id = :branch and month ="
            " (select max(month) from cost_runs where branch_id = :branch)),"
            " (select min(day) from stock_moves where branch_id = :branch))"
        ),
        {"branch": branch_id},
    ).scalar_one()
    return day


def stock_before(tx: Tx, span: Span) -> dict[Lot, Stock]:
    """What each purchased lot held before the first day."""
    rows = tx.conn.execute(text(_STOCK_BEFORE), _named(span))
    return {(row.product_id, row.lot): Stock(row.quantity, row.value_fen) for row in rows}


def days_of_lots(tx: Tx, span: Span) -> dict[Lot, list[tuple[date, Day]]]:
    """What happened to each purchased lot day by day."""
    days: dict[Lot, list[tuple[date, Day]]] = defaultdict(list)
    for row in tx.conn.execute(text(_OF_ALL), _named(span)):
        days[row.product_id, row.lot].append((row.day, _day(row)))
    return days


def already_out(tx: Tx, span: Span) -> dict[Lot, Change]:
    """What earlier runs of these days took out of each lot."""
    rows = tx.conn.execute(text(_ALREADY_OUT), _named(span))
    return {
        (row.product_id, row.lot): (row.quantity, row.value_fen, row.adjustment_fen, row.samples_fen)
        for row in rows
    }


def stock_of_lot_before(tx: Tx, branch_id: str, lot: Lot, first: date) -> Stock:
    """What one lot held before the day."""
    row = tx.conn.execute(
        text(
            "select coalesce(sum(quantity), 0)::bigint as quantity, coalesce(sum(value_fen), 0)::bigint as value"
            " from stock_moves where branch_id = :branch and product_id = :product and lot = :lot"
            " and day < :first"
        ),
        {"branch": branch_id, "product": lot[0], "lot": lot[1], "first": first},
    ).one()
    return Stock(row.quantity, row.value)


def days_of_lot(tx: Tx, span: Span, lot: Lot) -> list[tuple[date, Day]]:
    """What happened to one lot day by day."""
    rows = tx.conn.execute(text(_OF_ONE), {**_named(span), "product": lot[0], "lot": lot[1]})
    return [(row.day, _day(row)) for row in rows]


def _named(span: Span) -> Mapping[str, object]:
    return {"branch": span.branch_id, "first": span.first, "last": span.last}


def _day(row: Row[Any]) -> Day:
    return Day(
        received=row.received,
        received_fen=row.received_fen,
        returned=row.returned,
        returned_cost_fen=row.returned_cost_fen,
        sold=row.sold,
        sold_cost_fen=row.sold_cost_fen,
        given=row.given,
        given_cost_fen=row.given_cost_fen,
    )


def add_run(tx: Tx, run: CostRun) -> None:
    """By the person who acts, now."""
    tx.conn.execute(insert(cost_runs).values(**asdict(run), run_by=tx.actor.id, run_at=tx.now))


def add_moves(tx: Tx, run_id: UUID, branch_id: str, day: date, lots: Mapping[Lot, Change]) -> None:
    """What a run takes out of lots, and what is left in them."""
    rows = [
        {
            "branch_id": branch_id,
            "product_id": product,
            "lot": lot,
            "day": day,
            "kind": "cost_run",
            "quantity": -quantity,
            "value_fen": -value,
            "adjustment_fen": adjustment,
            "samples_fen": samples,
            "source_id": run_id,
        }
        for (product, lot), (quantity, value, adjustment, samples) in lots.items()
    ]
    if not rows:
        return
    tx.conn.execute(insert(stock_moves), rows)
    tx.conn.execute(
        text(
            "update lot_stock s set quantity = s.quantity + m.quantity, value_fen = s.value_fen + m.value_fen"
            " from stock_moves m where m.source_id = :run_id and m.branch_id = s.branch_id"
            " and m.product_id = s.product_id and m.lot = s.lot"
        ),
        {"run_id": run_id},
    )
