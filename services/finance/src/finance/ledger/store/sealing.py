"""How entries are sealed, and SQL of what is not folded into balances yet or what lines sum to."""

from typing import NamedTuple

from finance.periods import OPEN_FROM
from shared.chain import Chain, moment

_UNSEALED = """
    select l.account, l.branch_id, l.booked_on, e.kind in ('year_result', 'year_transfer') as is_transfer,
        l.debit_fen, l.credit_fen
    from journal_entries e cross join lateral (
        select account, branch_id, booked_on, debit_fen, credit_fen from journal_lines
        where entry_id = e.id and booked_on = e.booked_on
          and booked_on >= '{unsealed_from}' and booked_on < '{until}'
        offset 0
    ) l
    where e.chain_no is null and e.booked_on >= '{unsealed_from}' and e.booked_on < '{until}'
"""
_UNSEALED_ON_ACCOUNT = f"""(
    select sum(l.debit_fen - l.credit_fen) from journal_entries e cross join lateral (
        select debit_fen, credit_fen from journal_lines where entry_id = e.id and booked_on = e.booked_on
        and account = :account offset 0) l
    where e.chain_no is null and e.branch_id = :branch_id
        and e.booked_on >= coalesce({OPEN_FROM}, 'infinity'::date)
)"""
_SUMS = """(
    select account, branch_id, sum(debit_fen) as debit_fen, sum(credit_fen) as credit_fen from journal_lines
    where booked_on >= :month and booked_on < :until group by account, branch_id
)"""
_CHAIN = Chain(
    name="journal",
    table="journal_entries",
    partition_key="booked_on",
    partition_type="date",
    at="recorded_at",
    content_sql="json_build_array(t.id, t.booked_on, t.branch_id, t.kind, t.source_id, t.total_fen, t.reference,"
    f" t.corrects_id, t.actor, {moment('t.recorded_at')},"
    " (select json_agg(json_build_array(l.no, l.branch_id, l.account, l.customer_id, l.debit_fen, l.credit_fen)"
    " order by l.no) from journal_lines l where l.entry_id = t.id and l.booked_on = t.booked_on))::text",
)


class Sealing(NamedTuple):
    """How entries are sealed, and SQL for who folds them into balances."""

    chain: Chain
    unsealed: str
    """The lines of entries of some days that are committed and not sealed yet.

    `offset 0` keeps the join a look-up per unsealed entry, whatever the statistics of a growing table say. The days are
    written out, never bound: a prepared plan then holds the partitions of open months alone, however long the history.
    """
    unsealed_on_account: str
    """Debit less credit of what is not sealed yet on `:account` in `:branch_id`."""
    sums: str
    """What the lines of the days from `:month` to before `:until` sum to."""


SEALING = Sealing(_CHAIN, _UNSEALED, _UNSEALED_ON_ACCOUNT, _SUMS)
