"""Where the figures of a statement come from: the folded balances, or the journal as it was numbered once.

Both answer the same questions; the second reads nothing but journal lines of sealed entries, and so proves the first.
"""

import json
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, text

from finance import allocations, balances, open_items
from finance.book import book_of
from finance.kernel.period import OPENING, PeriodState, eve_of
from finance.statement_figures import store
from finance.statement_figures.rules import cash_flow, equity
from finance.statement_figures.rules.cash_flow import Movement
from shared.clock import month_of, next_month

TRANSFERS = ("year_result", "year_transfer")
ROWS_AT_ONCE = 5_000
# Kinds that are for one thing, receipt or payment, are summed as a whole.
_SUMMED = """
select e.kind, sum(l.debit_fen - l.credit_fen)::bigint as fen
from journal_lines l join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
where l.booked_on >= :first and l.booked_on < :until and l.account = any(:accounts)
  and e.booked_on >= :first and e.booked_on < :until and e.kind = any(:summed)
group by e.kind
"""
# What else moved cash, summed where the counter lines say what it was for without sharing anything out; only entries
# whose cash has to be shared out come one by one, with the counter lines that explain it.
_CASH = """
with known as materialized (
    select e.id, e.booked_on, e.kind, sum(l.debit_fen - l.credit_fen)::bigint as net
    from journal_lines l join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
    where l.booked_on >= :first and l.booked_on < :until and l.account = any(:accounts)
      and e.booked_on >= :first and e.booked_on < :until and e.kind <> all(:summed) {as_of}
    group by e.id, e.booked_on, e.kind having sum(l.debit_fen - l.credit_fen) <> 0
), counters as (
    select k.id, k.kind, k.net, l.account, sum(l.credit_fen - l.debit_fen)::bigint as fen
    from known k join journal_lines l on l.entry_id = k.id and l.booked_on = k.booked_on
    where l.booked_on >= :first and l.booked_on < :until and k.kind <> all(:wholes) and l.account <> all(:accounts)
    group by k.id, k.kind, k.net, l.account having sum(l.credit_fen - l.debit_fen) <> 0
), explaining as materialized (
    select *, sum(fen) over each = net
        and (count(*) over each = 1 or not bool_or(account = any(:followers)) over each) as is_exact
    from counters where (fen > 0) = (net > 0) window each as (partition by id)
)
select 0 as id, kind, '' as account, sum(net)::bigint as fen, 0 as net from known where kind = any(:wholes)
group by kind, net > 0
union all
select 0, kind, account, sum(fen)::bigint, 0 from explaining where is_exact group by kind, account, net > 0
union all
select id, kind, account, fen, net from explaining where not is_exact
order by 1
"""
_EQUITY = """
with touched as materialized (
    select distinct entry_id, booked_on from journal_lines
    where booked_on >= :first and booked_on < :until and account = any(:accounts)
)
select e.id, e.kind, l.account, sum(l.credit_fen - l.debit_fen)::bigint as fen from touched t
join journal_entries e on e.id = t.entry_id and e.booked_on = t.booked_on
join journal_lines l on l.entry_id = t.entry_id and l.booked_on = t.booked_on
where e.booked_on >= :first and e.booked_on < :until and l.booked_on >= :first and l.booked_on < :until
  and e.kind <> all(:wholes) {as_of}
group by e.id, e.kind, l.account order by e.id
"""
_OPENING = """
select l.account, sum(l.debit_fen - l.credit_fen)::bigint as fen
from journal_entries e join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on
where e.booked_on = :eve and l.booked_on = :eve and e.kind = 'opening' {as_of} group by l.account
"""
_AS_OF = "and e.chain_no <= (cast(:as_of as jsonb) ->> e.stream)::bigint"
_JOURNAL = """
select l.account, e.kind,
    coalesce(sum(l.debit_fen - l.credit_fen) filter (where l.booked_on = e.booked_on), 0)::bigint as fen
from journal_lines l join journal_entries e on e.id = l.entry_id
where l.booked_on >= :first and l.booked_on < :until and e.booked_on >= :first and e.booked_on < :until
  and e.chain_no <= (cast(:as_of as jsonb) ->> e.stream)::bigint
group by 1, 2
"""
# What is open now, with the matches made since put back: a customer's items as they stood, and nothing that was settled
# before.
_AHEAD = f"""
select coalesce(-sum(fen), 0)::bigint from (
    select sum(fen) as fen from (
        select customer_id, open_fen as fen from {open_items.ITEMS} i where open_fen > 0 and booked_on < :until
        union all
        select customer_id, open_fen from {open_items.ITEMS} i where open_fen < 0 and booked_on < :until
        union all
        select i.customer_id, case when i.item_id = a.debt_id then a.fen else -a.fen end
        from {allocations.ALLOCATIONS} a join {open_items.ITEMS} i on i.item_id in (a.debt_id, a.credit_id)
        where a.allocated_on >= :until and i.booked_on < :until
    ) items group by customer_id having sum(fen) < 0
) ahead
"""
_OF_CUSTOMERS = """
select l.customer_id, sum(l.debit_fen - l.credit_fen)::bigint as fen
from journal_lines l join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
where l.booked_on >= :first and l.booked_on < :until and e.booked_on >= :first and e.booked_on < :until
  and l.account = :receivables and e.chain_no <= (cast(:as_of as jsonb) ->> e.stream)::bigint
group by l.customer_id
"""
# A voucher number is its place in a chain without gaps, so numbers up to one are as many as it says, and sum up to it.
_GAPS = """
select known.key as stream, known.value::bigint as numbered, found.entries
from jsonb_each_text(cast(:as_of as jsonb)) known cross join lateral (
    select count(*) as entries, coalesce(sum(chain_no), 0) as total from journal_entries e
    where e.stream = known.key and e.chain_no <= known.value::bigint
) found
where found.entries <> known.value::bigint
    or found.total <> known.value::numeric * (known.value::bigint + 1) / 2
order by 1
"""


class _Entries(ABC):
    """What both read from the entries themselves; `as_of` gives the last number of each stream, None means all."""

    def __init__(self, conn: Connection, as_of: Mapping[str, int] | None) -> None:
        self.conn = conn
        book = book_of(conn)
        self.chart, self._eve = book.chart, eve_of(book.begins_on)
        self._as_of = as_of

    def cash(self, first: date, until: date) -> dict[Movement, int]:
        found: Counter[Movement] = Counter()
        for month in self.months(first, until):
            for movement, fen in self.cash_of(month).items():
                found[movement] += fen
        return {movement: fen for movement, fen in found.items() if fen}

    def months(self, first: date, until: date) -> list[date]:
        """Month by month, so that no single question takes long, however many years are asked for."""
        rows = self.conn.execute(
            text("select month from periods where month >= :first and month < :until order by month"),
            {"first": first, "until": until},
        )
        return [row.month for row in rows]

    def cash_of(self, month: date) -> dict[Movement, int]:
        codes, followers = cash_flow.cash_accounts(self.chart), cash_flow.following(self.chart)
        rows = self._rows(
            _CASH,
            month,
            next_month(month),
            codes,
            list(cash_flow.WHOLE_KINDS),
            summed=[*cash_flow.ONE_FLOW_KINDS, OPENING],
            followers=followers,
        )
        sums = [(kind, "", fen) for kind, fen in self._summed_cash(month, codes).items()]

        def shared_out() -> Iterator[tuple[str, int, dict[str, int]]]:
            for (number, kind, net), each in groupby(rows, key=attrgetter("id", "kind", "net")):
                if number:
                    yield kind, net, {row.account: row.fen for row in each}
                else:
                    sums.extend((kind, row.account, row.fen) for row in each)

        return cash_flow.movements_of(shared_out(), sums, followers)

    @abstractmethod
    def _summed_cash(self, month: date, codes: list[str]) -> dict[str, int]:
        """What cash moved in a month for each kind of entry that is for one thing."""

    def equity(self, first: date, until: date) -> dict[str, dict[str, int]]:
        entries: defaultdict[tuple[int, str], dict[str, int]] = defaultdict(dict)
        for row in self._rows(_EQUITY, first, until, equity.accounts(self.chart), [*TRANSFERS, OPENING]):
            entries[row.id, row.kind][row.account] = row.fen
        return equity.moves_of(self.chart, ((kind, lines) for (_, kind), lines in entries.items()))

    def opening(self, first: date, until: date) -> dict[str, int]:
        if not first <= self._eve < until:
            return {}
        as_of = "" if self._as_of is None else _AS_OF
        rows = self.conn.execute(
            text(_OPENING.format(as_of=as_of)), {"eve": self._eve, "as_of": json.dumps(self._as_of)}
        )
        return {row.account: row.fen for row in rows}

    def _rows(
        self, sql: str, first: date, until: date, accounts: list[str], wholes: list[str], **more: list[str]
    ) -> Iterator[Any]:
        as_of = "" if self._as_of is None else _AS_OF
        given: dict[str, Any] = {
            "first": first,
            "until": until,
            "accounts": accounts,
            "wholes": wholes,
            **more,
        }
        if self._as_of is not None:
            given["as_of"] = json.dumps(self._as_of)
        yield from self.conn.execute(
            text(sql.format(as_of=as_of)), given, execution_options={"yield_per": ROWS_AT_ONCE}
        )


class Folded(_Entries):
    """From the balances that closing carried: what history costs does not grow."""

    def __init__(self, conn: Connection) -> None:
        super().__init__(conn, None)

    def balances(self, until: date) -> dict[str, int]:
        month = month_of(until)
        found = balances.accounts(self.conn, month, month, None)
        return {code: each.opening_fen for code, each in found.items()}

    def movements(self, first: date, until: date) -> dict[str, int]:
        found = balances.accounts(self.conn, first, until, None, opening=False, transfers=False)
        return {code: each.debit_fen - each.credit_fen for code, each in found.items()}

    def ahead(self, until: date) -> int:
        return int(self.conn.execute(text(_AHEAD), {"until": until}).scalar_one())

    def cash_of(self, month: date) -> dict[Movement, int]:
        """Kept for a closed month, until it is opened again: a year is read from what its months were made of."""
        period = self.conn.execute(
            text(
                "select p.version, p.state, k.period_version from periods p"
                " left join cash_flow_months k on k.month = p.month where p.month = :month"
            ),
            {"month": month},
        ).one()
        if period.period_version == period.version:
            rows = self.conn.execute(
                text(
                    "select entry_kind, account, direction, fen from cash_flow_movements where month = :month"
                ),
                {"month": month},
            )
            return {Movement(row.entry_kind, row.account, row.direction): row.fen for row in rows}
        found = super().cash_of(month)
        if period.state != PeriodState.OPEN:
            store.keep_cash(self.conn, month, period.version, found)
        return found

    def _summed_cash(self, month: date, codes: list[str]) -> dict[str, int]:
        given = {
            "first": month,
            "until": next_month(month),
            "accounts": codes,
            "summed": list(cash_flow.ONE_FLOW_KINDS),
        }
        return {row.kind: row.fen for row in self.conn.execute(text(_SUMMED), given)}


class Journal(_Entries):
    """From the lines of every entry numbered up to `as_of`, one reading of the journal for all questions."""

    def __init__(self, conn: Connection, as_of: Mapping[str, int], until: date) -> None:
        super().__init__(conn, as_of)
        self._sums: list[tuple[date, str, str, int]] = []
        for month in self.months(date.min, until):
            given = {"first": month, "until": next_month(month), "as_of": json.dumps(as_of)}
            rows = conn.execute(text(_JOURNAL), given)
            self._sums += [(month, row.account, row.kind, row.fen) for row in rows]

    def ahead(self, until: date) -> int:
        owed: Counter[Any] = Counter()
        for month in self.months(date.min, until):
            given = {
                "first": month,
                "until": next_month(month),
                "receivables": self.chart.code("receivables"),
                "as_of": json.dumps(self._as_of),
            }
            for row in self.conn.execute(text(_OF_CUSTOMERS), given):
                owed[row.customer_id] += row.fen
        return -sum(fen for fen in owed.values() if fen < 0)

    def gaps(self) -> list[dict[str, Any]]:
        """Streams that hold fewer or more entries than the numbers they had reached."""
        rows = self.conn.execute(text(_GAPS), {"as_of": json.dumps(self._as_of)}).mappings()
        return [dict(row) for row in rows]

    def balances(self, until: date) -> dict[str, int]:
        return self._summed(date.min, until, transfers=True)

    def movements(self, first: date, until: date) -> dict[str, int]:
        return self._summed(first, until, transfers=False)

    def _summed(self, first: date, until: date, *, transfers: bool) -> dict[str, int]:
        found: defaultdict[str, int] = defaultdict(int)
        for month, account, kind, fen in self._sums:
            if first <= month < until and (transfers or kind not in TRANSFERS):
                found[account] += fen
        return dict(found)

    def _summed_cash(self, month: date, codes: list[str]) -> dict[str, int]:
        found: defaultdict[str, int] = defaultdict(int)
        for of, account, kind, fen in self._sums:
            if of == month and account in codes and kind in cash_flow.ONE_FLOW_KINDS:
                found[kind] += fen
        return dict(found)
