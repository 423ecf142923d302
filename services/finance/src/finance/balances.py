"""Balances that are exact at every instant, at a cost that neither the month's entries nor the history decide.

A balance is what the last closed month before it carried (`period_balances`), plus the sums of sealed entries of the
months since (`running_balances`), plus the few entries of open months that are committed but not sealed yet. The
sealing moves an entry from the last part to the second in one transaction, so a snapshot counts it exactly once, and
tills never meet on a row of sums.
Source: F1, F4, model 3.2
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, TextClause, text

from shared.clock import month_of

_MINE = "(cast(:branches as text[]) is null or branch_id = any(:branches))"

_OPEN_FROM = text("select min(month) from periods where state = 'open'")
# `offset 0` keeps the join a look-up per unsealed entry, whatever the statistics of a growing table say. The days are
# written out, never bound: a prepared plan then holds the partitions of open months alone, however long the history.
_TAIL = """
    union all
    select {tail_keys}, {tail_sums} from (
        select l.account, l.branch_id, l.booked_on, e.kind in ('year_result', 'year_transfer') as is_transfer,
            l.debit_fen, l.credit_fen
        from journal_entries e cross join lateral (
            select account, branch_id, booked_on, debit_fen, credit_fen from journal_lines
            where entry_id = e.id and booked_on = e.booked_on
              and booked_on >= '{unsealed_from}' and booked_on < '{until}'
            offset 0
        ) l
        where e.chain_no is null and e.booked_on >= '{unsealed_from}' and e.booked_on < '{until}'
          and (cast(:branches as text[]) is null or e.branch_id = any(:branches))
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
        sums = _SPLIT if opening else "debit_fen, credit_fen"
        tail = _TAIL.format(tail_keys=keys, tail_sums=sums, unsealed_from=unsealed_from, until=until)
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
    rows = _rows(conn, "account", first, until, branches, opening=opening, transfers=transfers)
    return {row.account: Moved(row.opening_fen, row.debit_fen, row.credit_fen) for row in rows}


def closings_by_branch(conn: Connection, until: date) -> dict[str, dict[str, int]]:
    """Debit less credit, in fen, per branch and account, of everything booked before the month `until`."""
    found: dict[str, dict[str, int]] = {}
    for row in _rows(conn, "branch_id, account", until, until, None, opening=True, transfers=True):
        found.setdefault(row.branch_id, {})[row.account] = row.opening_fen
    return found


def _rows(
    conn: Connection,
    keys: str,
    first: date,
    until: date,
    branches: Sequence[str] | None,
    *,
    opening: bool,
    transfers: bool,
) -> CursorResult[Any]:
    unsealed_from = conn.execute(_OPEN_FROM).scalar_one() or until
    if not opening:
        unsealed_from = max(unsealed_from, first)
    return conn.execute(
        _statement(keys, unsealed_from, until, opening=opening),
        {
            "first": first,
            "until": until,
            "branches": None if branches is None else list(branches),
            "transfers": transfers,
        },
    )


def balance(conn: Connection, account: str, branches: Sequence[str] | None, *, until: date) -> int:
    """Debit less credit of one account, in fen, of everything booked before the month `until`."""
    month = month_of(until)
    return accounts(conn, month, month, branches).get(account, Moved(0, 0, 0)).closing_fen
