"""What must hold whatever happened: the sub-ledgers, set against the ledger and against our own reckoning."""

from collections import defaultdict
from datetime import date

from finance.balances import store
from finance.closing.commands import conditions
from finance.ledger_files.queries.general_ledger import KINDS
from shared.clock import next_month
from tests.support.year import cash, debts, expenses, goods, orders
from tests.support.year.desk import BRANCHES, MONTHS, last_day

TIES = (
    debts.debts_tie,
    cash.drawers_and_safes_tie,
    expenses.budgets_tie,
    orders.orders_tie,
    goods.refunds_never_exceed_what_was_accepted,
    goods.samples_tie,
    goods.output_vat_ties,
)


def everything_ties(year):
    def booked(account):
        return year.ask(store.balance, account, None, until=date(9999, 1, 1))

    for tie in (*TIES, year.bank.ties, points_tie, stock_ties):
        tie(year, booked)
    for proof in conditions.PROOFS:
        year.ask(proof, MONTHS[-1])


def points_tie(year, booked):
    """2204 is what the points that customers have are worth, and nothing else."""
    assert -booked("2204") == year.value(
        "select sum(fen_per_point * (points"
        " - coalesce((select sum(points) from points_taken_back t where t.sale_id = e.sale_id), 0)"
        " - coalesce((select sum(points) from points_expired x where x.sale_id = e.sale_id), 0)"
        " - coalesce((select sum(l.points - l.given_back) from points_redemption_lots l"
        "   join points_uses using (redemption_id) where l.sale_id = e.sale_id), 0)))::bigint from points_earned e"
    )


def stock_ties(year, booked):
    """A lot's stock is Σ of its moves, worth nothing when it is empty."""
    parted = year.rows(
        "select * from lot_stock s full join (select branch_id, product_id, lot, sum(quantity) as moved, sum(value_fen)"
        " as worth from stock_moves group by branch_id, product_id, lot) m using (branch_id, product_id, lot)"
        " where quantity is distinct from moved or value_fen is distinct from worth or quantity < 0"
        " or (quantity = 0 and value_fen <> 0)"
    )
    assert parted == []


def trial_balance_is_zero(year, month):
    """Debits are credits in all and in every branch, in the sums and in the lines."""
    for branch in (None, *BRANCHES):
        branches = None if branch is None else [branch]
        found = year.ask(store.accounts, month, next_month(month), branches).values()
        assert sum(each.debit_fen - each.credit_fen for each in found) == 0, branch
        assert sum(each.opening_fen for each in found) == 0, branch


def every_figure_is_that_of_the_lines(year, months):
    """The trial balance of each month, per branch and in all, computed anew by the most tedious way there is."""
    moved = {
        (month, branch, account): (debit, credit)
        for month, branch, account, debit, credit in year.rows(
            "select date_trunc('month', booked_on)::date, branch_id, account, sum(debit_fen)::bigint,"
            " sum(credit_fen)::bigint from journal_lines group by 1, 2, 3"
        )
    }
    for month in months:
        for branch in (None, BRANCHES[month.month % len(BRANCHES)]):
            expected = defaultdict(lambda: [0, 0, 0])
            for (when, where, account), (debit, credit) in moved.items():
                if branch not in {None, where} or when > month:
                    continue
                if when < month:
                    expected[account][0] += debit - credit
                else:
                    expected[account][1] += debit
                    expected[account][2] += credit
            branches = None if branch is None else [branch]
            found = year.ask(store.accounts, month, next_month(month), branches)
            assert {code: list(each) for code, each in found.items()} == expected, (month, branch)


def every_ageing_is_the_ledger_of_its_day(year):
    """However late an item was matched: its buckets and its customers sum to 1122 as it stood."""
    for month in MONTHS[2::3]:
        ageing = year.office.get(f"/v1/ageing-reports?as_of={last_day(month)}").json
        then = year.ask(store.balance, "1122", None, until=next_month(month))
        assert ageing["total"]["fen"] == then == sum(each["open"]["fen"] for each in ageing["buckets"])
        assert then == sum(each["total"]["fen"] for each in ageing["customers"])


def every_entry_balances(year):
    wrong = year.value(
        "select count(*) from (select e.id from journal_entries e left join journal_lines l on l.entry_id = e.id"
        " and l.booked_on = e.booked_on group by e.id, e.total_fen having sum(debit_fen) is distinct from"
        " sum(credit_fen) or sum(debit_fen) <> e.total_fen) x"
    )
    assert wrong == 0
    gaps = year.rows(
        "select stream from journal_entries group by stream"
        " having min(chain_no) <> 1 or max(chain_no) <> count(chain_no) or count(distinct chain_no) <> count(chain_no)"
    )
    assert gaps == []
    assert {row.kind for row in year.rows("select distinct kind from journal_entries")} <= set(KINDS)
