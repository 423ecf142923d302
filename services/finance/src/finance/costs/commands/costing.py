"""A month's cost of goods: what tills took for purchased lots is brought to their moving average.

Tills write the cost they know, because no till may wait for another over the row of a lot. When the month is over a
run replays each purchased lot of a branch day by day, takes what was sold from its stock at the moving average, and
posts the difference to the tills' cost in one entry: cost of goods against merchandise. Samples leave a lot as sales
do, at the average of the moment they were issued; what the run finds them to differ by is selling expense, as they are.
Source: F1, F5, M25
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, text

from finance import entries, periods, sold
from finance.book import book_of
from finance.costs.rules import (
    EMPTY,
    Day,
    Issued,
    LaterMonthCosted,
    NothingPurchased,
    Stock,
    adjustment_posting,
    replay,
)
from finance.costs.tables import cost_runs, stock_moves
from finance.kernel.period import PeriodNotOpen, PeriodState, month_text, require_over
from finance.refunds import RETURNED_LINES
from finance.samples import GIVEN_OUT
from shared import audit
from shared.clock import business_date, new_id, next_month
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx

Lot = tuple[str, str]
"""(product_id, lot in canonical spelling)"""
Change = tuple[int, int, int, int]
"""Quantity, value, and what is posted for them to cost of goods and to samples."""

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


def run(tx: Tx, branch_id: str, month: date) -> UUID:
    """Cost a month of a branch, and all days before it that no run has covered yet.

    May be repeated while the month is open: what came late is posted then, and nothing twice. Raises ForeignBranch,
    PeriodNotOver, PeriodNotOpen, NothingPurchased, LaterMonthCosted.
    """
    tx.actor.require_branch(branch_id)
    require_over(month, business_date(tx.now))
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended('finance:cost_run:' || :branch, 0))"),
        {"branch": branch_id},
    )
    last = next_month(month) - timedelta(days=1)
    if periods.hold_months(tx.conn, [month])[month] != PeriodState.OPEN:
        raise PeriodNotOpen(Text("{month} is closed: cost it before it closes", month=month_text(month)))
    # Receipts into these lots wait, so that what is replayed is what is written.
    tx.conn.execute(
        text(
            "select 1 from lot_stock where branch_id = :branch order by branch_id, product_id, lot for update"
        ),
        {"branch": branch_id},
    )
    no, first = _window(tx, branch_id, month, last)
    lots = _changes(tx, {"branch": branch_id, "first": first, "last": last})
    run_id = new_id()
    adjustment, samples = sum(lot[2] for lot in lots.values()), sum(lot[3] for lot in lots.values())
    _write_moves(tx, run_id, branch_id, last, lots)
    tx.conn.execute(
        insert(cost_runs).values(
            run_id=run_id,
            branch_id=branch_id,
            month=month,
            no=no,
            from_day=first,
            until_day=last,
            lots=len(lots),
            adjustment_fen=adjustment,
            samples_fen=samples,
            run_by=tx.actor.id,
            run_at=tx.now,
        )
    )
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=last,
            branch_id=branch_id,
            kind="cost_adjustment",
            source_id=str(run_id),
            postings=adjustment_posting(book_of(tx.conn).chart, adjustment, samples),
        ),
    )
    audit.record(tx, "cost.run", str(run_id), after=[branch_id, month_text(month), no, adjustment, samples])
    return run_id


def _window(tx: Tx, branch_id: str, month: date, last: date) -> tuple[int, date]:
    """The number of this run, and its first day: that of the month's earlier runs, else the day after the last run."""
    key = {"branch": branch_id, "month": month, "last": last}
    later = tx.conn.execute(
        text("select 1 from cost_runs where branch_id = :branch and month > :month limit 1"), key
    ).first()
    if later is not None:
        raise LaterMonthCosted("a later month of this branch is costed")
    known = tx.conn.execute(
        text(
            "select count(*) filter (where month = :month) as runs,"
            " min(from_day) filter (where month = :month) as same,"
            " max(until_day) filter (where month < :month) as before from cost_runs where branch_id = :branch"
        ),
        key,
    ).one()
    if known.same is not None:
        return known.runs + 1, known.same
    if known.before is not None:
        return 1, known.before + timedelta(days=1)
    begun = tx.conn.execute(
        text("select min(day) from stock_moves where branch_id = :branch and day <= :last"), key
    ).scalar_one()
    if begun is None:
        raise NothingPurchased("nothing was purchased for this branch up to the month")
    return 1, begun


def _changes(tx: Tx, span: Mapping[str, Any]) -> dict[Lot, Change]:
    """Per lot what this run takes out, less what earlier runs of the month took."""
    opening: dict[Lot, Stock] = {
        (row.product_id, row.lot): Stock(row.quantity, row.value_fen)
        for row in tx.conn.execute(text(_STOCK_BEFORE), span)
    }
    days: dict[Lot, list[tuple[date, Day]]] = defaultdict(list)
    for row in tx.conn.execute(text(_OF_ALL), span):
        days[row.product_id, row.lot].append((row.day, _day(row)))
    done: dict[Lot, Change] = {
        (row.product_id, row.lot): (row.quantity, row.value_fen, row.adjustment_fen, row.samples_fen)
        for row in tx.conn.execute(text(_ALREADY_OUT), span)
    }
    changes = {}
    for lot in sorted(days):
        out = replay(opening.get(lot, EMPTY), days[lot])
        change = _less(out, done.get(lot, (0, 0, 0, 0)))
        if any(change):
            changes[lot] = change
    return changes


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


def stock_of(tx: Tx, branch_id: str, lot: tuple[str, str], until: date) -> Stock | None:
    """What a purchased lot holds at the end of a day, all that runs have not costed yet counted, its row locked.

    None for a lot that the branch never purchased. Tills do not wait for the lock, other issues of the lot do.
    """
    key = {"branch": branch_id, "product": lot[0], "lot": canonical(lot[1]), "last": until}
    known = tx.conn.execute(
        text(
            "select 1 from lot_stock where branch_id = :branch and product_id = :product and lot = :lot"
            " for update"
        ),
        key,
    ).first()
    if known is None:
        return None
    first = tx.conn.execute(
        text(
            "select coalesce((select min(from_day) from cost_runs where branch_id = :branch and month ="
            " (select max(month) from cost_runs where branch_id = :branch)),"
            " (select min(day) from stock_moves where branch_id = :branch))"
        ),
        key,
    ).scalar_one()
    window = {**key, "first": first}
    opening = tx.conn.execute(
        text(
            "select coalesce(sum(quantity), 0)::bigint as quantity, coalesce(sum(value_fen), 0)::bigint as value"
            " from stock_moves where branch_id = :branch and product_id = :product and lot = :lot"
            " and day < :first"
        ),
        window,
    ).one()
    days = [(row.day, _day(row)) for row in tx.conn.execute(text(_OF_ONE), window)]
    return replay(Stock(opening.quantity, opening.value), days).stock


def _less(out: Issued, done: Change) -> Change:
    return (
        out.quantity - done[0],
        out.value_fen - done[1],
        out.adjustment_fen - done[2],
        out.samples_fen - done[3],
    )


def _write_moves(tx: Tx, run_id: UUID, branch_id: str, day: date, lots: Mapping[Lot, Change]) -> None:
    rows: Sequence[dict[str, Any]] = [
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
