"""A month's cost of goods: what tills took for purchased lots is brought to their moving average.

Tills write the cost they know, because no till may wait for another over the row of a lot. When the month is over a
run replays each purchased lot of a branch day by day, takes what was sold from its stock at the moving average, and
posts the difference to the tills' cost in one entry: cost of goods against merchandise. Samples leave a lot as sales
do, at the average of the moment they were issued; what the run finds them to differ by is selling expense, as they are.
Source: F1, F5, M25
"""

from datetime import date, timedelta
from uuid import UUID

from finance import entries, periods
from finance.book import book_of
from finance.costs.events import cost_run_posted
from finance.costs.model import Change, CostRun, Lot, Span
from finance.costs.rules import (
    EMPTY,
    Issued,
    LaterMonthCosted,
    NothingPurchased,
    Stock,
    adjustment_posting,
    replay,
)
from finance.costs.store import runs as store
from finance.kernel.period import PeriodNotOpen, PeriodState, month_text, require_over
from shared import audit, outbox
from shared.clock import business_date, new_id, next_month
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx


def run(tx: Tx, branch_id: str, month: date) -> UUID:
    """Cost a month of a branch, and all days before it that no run has covered yet.

    May be repeated while the month is open: what came late is posted then, and nothing twice. Raises ForeignBranch,
    PeriodNotOver, PeriodNotOpen, NothingPurchased, LaterMonthCosted.
    """
    tx.actor.require_branch(branch_id)
    require_over(month, business_date(tx.now))
    store.hold_branch(tx, branch_id)
    last = next_month(month) - timedelta(days=1)
    if periods.hold_months(tx.conn, [month])[month] != PeriodState.OPEN:
        raise PeriodNotOpen(Text("{month} is closed: cost it before it closes", month=month_text(month)))
    store.hold_lots(tx, branch_id)
    no, first = _window(tx, branch_id, month, last)
    lots = _changes(tx, Span(branch_id, first, last))
    run_id = new_id()
    adjustment, samples = sum(lot[2] for lot in lots.values()), sum(lot[3] for lot in lots.values())
    store.add_moves(tx, run_id, branch_id, last, lots)
    made = CostRun(
        run_id=run_id,
        branch_id=branch_id,
        month=month,
        no=no,
        from_day=first,
        until_day=last,
        lots=len(lots),
        adjustment_fen=adjustment,
        samples_fen=samples,
    )
    store.add_run(tx, made)
    outbox.append(tx, cost_run_posted(made))
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
    if store.is_later_costed(tx, branch_id, month):
        raise LaterMonthCosted("a later month of this branch is costed")
    runs, same, before = store.known_runs(tx, branch_id, month)
    if same is not None:
        return runs + 1, same
    if before is not None:
        return 1, before + timedelta(days=1)
    begun = store.first_purchase(tx, branch_id, last)
    if begun is None:
        raise NothingPurchased("nothing was purchased for this branch up to the month")
    return 1, begun


def _changes(tx: Tx, span: Span) -> dict[Lot, Change]:
    """Per lot what this run takes out, less what earlier runs of the month took."""
    opening, days, done = (
        store.stock_before(tx, span),
        store.days_of_lots(tx, span),
        store.already_out(tx, span),
    )
    changes = {}
    for lot in sorted(days):
        change = _less(replay(opening.get(lot, EMPTY), days[lot]), done.get(lot, (0, 0, 0, 0)))
        if any(change):
            changes[lot] = change
    return changes


def stock_of(tx: Tx, branch_id: str, lot: tuple[str, str], until: date) -> Stock | None:
    """What a purchased lot holds at the end of a day, all that runs have not costed yet counted, its row locked.

    None for a lot that the branch never purchased. Tills do not wait for the lock, other issues of the lot do.
    """
    kept = (lot[0], canonical(lot[1]))
    if not store.hold_lot(tx, branch_id, kept):
        return None
    first = store.first_uncosted(tx, branch_id)
    opening = store.stock_of_lot_before(tx, branch_id, kept, first)
    return replay(opening, store.days_of_lot(tx, Span(branch_id, first, until), kept)).stock


def _less(out: Issued, done: Change) -> Change:
    return (
        out.quantity - done[0],
        out.value_fen - done[1],
        out.adjustment_fen - done[2],
        out.samples_fen - done[3],
    )
