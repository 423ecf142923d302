"""Balances that are exact at every instant, at a cost that neither the month's entries nor the history decide.

A balance is what the last closed month before it carried (`period_balances`), plus the sums of sealed entries of the
months since (`running_balances`), plus the few entries of open months that are committed but not sealed yet. The
sealing moves an entry from the last part to the second in one transaction, so a snapshot counts it exactly once, and
tills never meet on a row of sealing.
Source: F1, F4, model 3.2
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, TextClause, text

from finance.kernel.period import JournalNotSealed, JournalUnbalanced
from finance.ledger import LINES, SEALING
from finance.periods import OPEN_FROM
from shared.clock import month_of, next_month
from shared.row_log import Proof

_LINES_DIFFER = f"""
with lines as {SEALING.sums}, folded as (
    select account, branch_id, sum(debit_fen) as debit_fen, sum(credit_fen) as credit_fen from running_balances
    where month = :month group by account, branch_id
)
select
    (select count(*) from lines full join folded using (account, branch_id)
     where (lines.debit_fen, lines.credit_fen) is distinct from (folded.debit_fen, folded.credit_fen)),
    (select coalesce(sum(debit_fen) - sum(credit_fen), 0) from lines)
"""
_CARRY = """
insert into period_balances (month, account, branch_id, debit_fen, credit_fen, closing_fen)
select :month, account, branch_id, sum(debit_fen), sum(credit_fen), sum(opening_fen + debit_fen - credit_fen)
from (
    select account, branch_id, closing_fen as opening_fen, 0 as debit_fen, 0 as credit_fen from period_balances
    where month = (select max(month) from period_balances where month < :month)
    union all
    select account, branch_id, 0, debit_fen, credit_fen from running_balances where month = :month
) parts group by account, branch_id
"""


def require_agreement(conn: Connection, month: date) -> None:
    """All of the month is sealed, its lines balance, and its folded sums are those of its lines.

    Raises JournalNotSealed, JournalUnbalanced.
    """
    span = {"month": month, "until": next_month(month)}
    _require_sealed(conn, month, span["until"])
    differing, imbalance = conn.execute(text(_LINES_DIFFER), span).one()
    if differing or imbalance:
        raise JournalUnbalanced(
            "the month's lines do not balance, or differ from its sums",
            differing=differing,
            imbalance_fen=int(imbalance),
        )


def carry(conn: Connection, month: date) -> None:
    """Write what every account holds at the end of a month that closes: a later figure starts there."""
    conn.execute(text(_CARRY), {"month": month})


def forget(conn: Connection, month: date) -> None:
    """Take away what a month carried that is opened again."""
    conn.execute(text("delete from period_balances where month = :month"), {"month": month})


def _require_sealed(conn: Connection, month: date, until: date) -> None:
    unsealed = text(f"select 1 from ({SEALING.unsealed.format(unsealed_from=month, until=until)}) u limit 1")
    if conn.execute(unsealed).first() is not None:
        raise JournalNotSealed("vouchers of the month are still being numbered", retry_after_s=2)


_MINE = "(cast(:branches as text[]) is null or branch_id = any(:branches))"
_OPEN_FROM = text(f"select {OPEN_FROM}")
_TAIL = f"""
    union all
    select {{tail_keys}}, {{tail_sums}} from (
        {SEALING.unsealed} and (cast(:branches as text[]) is null or e.branch_id = any(:branches))
    ) tail
    where booked_on < :first or :transfers or not is_transfer
"""
_CLOSINGS = f"""
with carried as materialized (select max(month) as month from period_balances where month < :first)
select {{keys}}, sum(opening_fen)::bigint as opening_fen, sum(debit_fen)::bigint as debit_fen,
    sum(credit_fen)::bigint as credit_fen
from (
    select {{keys}}, closing_fen as opening_fen, 0 as debit_fen, 0 as credit_fen from period_balances
    where month = (select month from carried) and {_MINE}
    union all
    select {{keys}},
        case when month < :first then debit_fen - credit_fen else 0 end,
        case when month < :first then 0 else debit_fen end,
        case when month < :first then 0 else credit_fen end
    from running_balances
    where month > coalesce((select month from carried), '-infinity') and month < :until and {_MINE}
      and (month < :first or :transfers or not is_transfer)
    {{tail}}
) parts group by {{keys}}
"""
_MOVEMENTS = f"""
select {{keys}}, 0::bigint as opening_fen, sum(debit_fen)::bigint as debit_fen, sum(credit_fen)::bigint as credit_fen
from (
    select {{keys}}, sum(debit_fen)::bigint as debit_fen, sum(credit_fen)::bigint as credit_fen from running_balances
    where month >= :first and month < :until and {_MINE} and (:transfers or not is_transfer)
    group by {{keys}}
    {{tail}}
) parts group by {{keys}}
"""
_SPLIT = (
    "case when booked_on < :first then debit_fen - credit_fen else 0 end,"
    " case when booked_on < :first then 0 else debit_fen end,"
    " case when booked_on < :first then 0 else credit_fen end"
)
STATEMENTS_KEPT_MAX = 256


@lru_cache(STATEMENTS_KEPT_MAX)
def _statement(keys: str, unsealed_from: date, until: date, *, opening: bool) -> TextClause:
    """Without a tail where every month before `until` is closed: nothing of them is unsealed."""
    tail = ""
    if unsealed_from < until:
        each = _SPLIT if opening else "debit_fen, credit_fen"
        tail = _TAIL.format(tail_keys=keys, tail_sums=each, unsealed_from=unsealed_from, until=until)
    return text((_CLOSINGS if opening else _MOVEMENTS).format(keys=keys, tail=tail))


class Moved(NamedTuple):
    """Of one account, in fen: debit less credit before the span, and the sums of each side inside it."""

    opening_fen: int
    debit_fen: int
    credit_fen: int

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.debit_fen - self.credit_fen


def accounts(
    conn: Connection,
    first: date,
    until: date,
    branches: Sequence[str] | None,
    *,
    opening: bool = True,
    transfers: bool = True,
) -> dict[str, Moved]:
    """What each account held before the month `first` and moved until before the month `until`.

    `branches` None means all; without `opening` only the movements are read; without `transfers` what the year's end
    moved out of income and expense is left out of the movements.
    """
    asked = _Asked(first, until, branches, opening=opening, transfers=transfers)
    rows = _rows(conn, "account", asked)
    return {row.account: Moved(row.opening_fen, row.debit_fen, row.credit_fen) for row in rows}


def closings_by_branch(conn: Connection, until: date) -> dict[str, dict[str, int]]:
    """Debit less credit, in fen, per branch and account, of everything booked before the month `until`."""
    found: dict[str, dict[str, int]] = {}
    for row in _rows(conn, "branch_id, account", _Asked(until, until)):
        found.setdefault(row.branch_id, {})[row.account] = row.opening_fen
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which sums are asked for: those of the months `first` up to, not including, `until`."""

    first: date
    until: date
    branches: Sequence[str] | None = None
    opening: bool = True
    transfers: bool = True


def _rows(conn: Connection, keys: str, asked: _Asked) -> CursorResult[Any]:
    unsealed_from = conn.execute(_OPEN_FROM).scalar_one() or asked.until
    if not asked.opening:
        unsealed_from = max(unsealed_from, asked.first)
    return conn.execute(
        _statement(keys, unsealed_from, asked.until, opening=asked.opening),
        {
            "first": asked.first,
            "until": asked.until,
            "branches": None if asked.branches is None else list(asked.branches),
            "transfers": asked.transfers,
        },
    )


def balance(conn: Connection, account: str, branches: Sequence[str] | None, *, until: date) -> int:
    """Debit less credit of one account, in fen, of everything booked before the month `until`."""
    month = month_of(until)
    return accounts(conn, month, month, branches).get(account, Moved(0, 0, 0)).closing_fen


def balance_on(conn: Connection, account: str, branches: Sequence[str] | None, day: date) -> int:
    """Debit less credit of one account, in fen, at the end of a day: what earlier months left, and this one's lines."""
    first = month_of(day)
    of_month: int = conn.execute(
        text(
            f"select coalesce(sum(l.fen), 0)::bigint from {LINES} l"
            f" where l.booked_on >= :first and l.booked_on <= :day and l.account = :account and {_MINE}"
        ),
        {
            "first": first,
            "day": day,
            "account": account,
            "branches": None if branches is None else list(branches),
        },
    ).scalar_one()
    return balance(conn, account, branches, until=first) + of_month


BALANCE_NOW = (
    "select (coalesce((select closing_fen from period_balances where month = carried.month and account = :account"
    "   and branch_id = :branch_id), 0)"
    " + coalesce((select sum(debit_fen - credit_fen) from running_balances where account = :account"
    "   and branch_id = :branch_id and month > coalesce(carried.month, '-infinity')), 0)"
    f" + coalesce({SEALING.unsealed_on_account}, 0))::bigint as fen"
    " from (select max(month) as month from period_balances) carried"
)
"""As finance.balances.balance, of `:account` in `:branch_id`, for a statement that sets it beside something else: carried,
sealed since, and not sealed yet.
"""


FIRST_MONTHS = "(select branch_id, min(month) as month from running_balances where account = :account group by branch_id)"
"""The month in which each branch first had something on `:account`."""


PROOFS = (
    Proof(
        name="running balances are the sums of sealed lines",
        relation="running_balances",
        sql="select concat_ws(' ', month, account, branch_id, is_transfer) from running_balances b full join"
        " (select date_trunc('month', booked_on)::date as month, account, branch_id,"
        " kind in ('year_result', 'year_transfer') as is_transfer, sum(debit_fen) as debit, sum(credit_fen) as credit"
        f" from {LINES} l where chain_no is not null group by 1, 2, 3, 4) j using (month, account, branch_id, is_transfer)"
        " where (b.debit_fen, b.credit_fen) is distinct from (j.debit, j.credit)",
    ),
)
CHAIN = replace(
    SEALING.chain,
    expected_sql="select distinct 'main-' || extract(year from month) from running_balances",
)
"""The journal's chain: sealing an entry folds it into the sums, so that these say which chains there are."""
