"""What is open between bank and books: lines, entries and days of clearing accounts, and what was matched.

Source: F3, F16, M24
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import bank_statements, channel_transactions, ledger, sold
from finance.bank_matching import rules
from finance.bank_matching.rules import Batch, Item, MatchKind
from finance.bank_matching.store import line_of
from finance.bank_statements import LINES, OPENING
from finance.book import book_of
from shared import holidays
from shared.calendar import Calendar
from shared.clock import business_date
from shared.paging import decode_cursor, page, page_of
from shared.transaction import Tx

OWN_ENTRIES = ["bank_settlement", "bank_transit", "bank_undone"]
"""Entries that empty clearing and transit accounts: they are not items to be matched there."""


def unmatched_lines(conn: Connection, account_id: UUID) -> int:
    """How many lines of the account nobody matched."""
    found: int = conn.execute(
        text(
            f"select count(*) from {LINES} l where l.account_id = :id and l.fen <> 0 and not exists"
            " (select from bank_matches m where m.line_id = l.line_id and m.undone_at is null)"
        ),
        {"id": account_id},
    ).scalar_one()
    return found


def open_items(
    conn: Connection, kind: MatchKind, first: date, last: date, *, branch_id: str | None
) -> list[Item]:
    """Entries on 1002 (book) or cash in transit booked in these days that no bank line has shown."""
    chart = book_of(conn).chart
    account_code, known = {
        MatchKind.BOOK: (chart.code("bank"), "bank_book_items"),
        MatchKind.TRANSIT: (chart.code("cash_in_transit"), "bank_transits"),
    }[kind]
    rows = conn.execute(
        text(
            "select e.source_id, e.kind, e.of_branch as branch_id, e.booked_on, e.reference, sum(e.fen)::bigint as fen"
            f" from {ledger.LINES} e"
            " where e.account = :account and e.booked_on between :first and :last"
            " and (:all_kinds or e.kind <> all(:own))"
            " and (cast(:branch_id as text) is null or e.branch_id = :branch_id)"
            f" and not exists (select from {known} k where k.source_id = e.source_id and k.entry_kind = e.kind)"
            " and not exists (select from bank_matches u where e.kind = 'bank_direct' and u.match_id = e.source_id"
            "  and u.undone_at is not null)"
            " group by e.entry_id, e.source_id, e.kind, e.of_branch, e.booked_on, e.reference"
            " having sum(e.fen) <> 0 order by e.booked_on, e.entry_id"
        ),
        {
            "account": account_code,
            "first": first,
            "last": last,
            "own": OWN_ENTRIES,
            "all_kinds": kind is MatchKind.BOOK,
            "branch_id": branch_id,
        },
    )
    return [
        Item(
            kind=kind,
            source_id=row.source_id,
            entry_kind=row.kind,
            branch_id=row.branch_id,
            booked_on=row.booked_on,
            fen=row.fen,
            reference=row.reference,
        )
        for row in rows
    ]


def open_batches(
    conn: Connection, clearing: str, first: date, last: date, *, branch_id: str | None
) -> list[Batch]:
    """What each branch's day left on a clearing account and nobody settled; days that are even are left out."""
    rows = conn.execute(
        text(
            "select branch_id, day, sum(fen)::bigint as fen from ("
            f" select l.branch_id, l.booked_on as day, l.fen from {ledger.LINES} l"
            " where l.account = :account and l.booked_on between :first and :last and l.kind <> all(:own)"
            " union all select branch_id, day, -fen from bank_settled"
            " where clearing = :clearing and day between :first and :last) parts"
            " where (cast(:branch_id as text) is null or branch_id = :branch_id)"
            " group by branch_id, day having sum(fen) <> 0 order by day, branch_id"
        ),
        {
            "account": rules.clearing_account(book_of(conn).chart, clearing),
            "clearing": clearing,
            "first": first,
            "last": last,
            "own": OWN_ENTRIES,
            "branch_id": branch_id,
        },
    )
    return [Batch(clearing=clearing, branch_id=row.branch_id, day=row.day, fen=row.fen) for row in rows]


def open_payments(
    conn: Connection, clearing: str, ids: Collection[str], *, branch_id: str | None
) -> list[Batch]:
    """The payments of receipts that channels call so, those left out that were settled one by one."""
    rows = conn.execute(
        text(
            "select p.branch_id, p.booked_on, sum(t.fen)::bigint as fen, p.channel_transaction_id"
            f" from {channel_transactions.PAYMENTS} p join {sold.TENDERS} t on t.sale_id = p.sale_id"
            " and t.booked_on = p.booked_on and t.tender = p.tender"
            " and t.channel_transaction_id = p.channel_transaction_id"
            " where p.tender = :clearing and p.channel_transaction_id = any(:ids)"
            " and (cast(:branch_id as text) is null or p.branch_id = :branch_id)"
            " and not exists (select from bank_settled s where s.clearing = p.tender and s.branch_id = p.branch_id"
            "  and s.day = p.booked_on and s.channel_transaction_id = p.channel_transaction_id)"
            " group by p.branch_id, p.booked_on, p.channel_transaction_id"
            " order by p.booked_on, p.branch_id, p.channel_transaction_id"
        ),
        {"clearing": clearing, "ids": list(ids), "branch_id": branch_id},
    )
    return [
        Batch(
            clearing=clearing,
            branch_id=row.branch_id,
            day=row.booked_on,
            fen=row.fen,
            channel_transaction_id=row.channel_transaction_id,
        )
        for row in rows
    ]


def unmatched(tx: Tx, account_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    """Lines without a match, oldest first; `overdue` after the days of M24. Keyset by day and id."""
    bank_statements.account(tx, account_id)
    return _unmatched(tx, account_id, args)


def _unmatched(tx: Tx, account_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    day, after = decode_cursor(args["cursor"], date, UUID)
    rows = tx.conn.execute(
        text(
            f"select l.* from {LINES} l where l.account_id = :id and l.fen <> 0"
            " and not exists (select from bank_matches m where m.line_id = l.line_id and m.undone_at is null)"
            " and (cast(:day as date) is null or (l.booked_on, l.line_id) > (:day, cast(:after as uuid)))"
            " order by l.booked_on, l.line_id limit :limit"
        ),
        {"id": account_id, "day": day, "after": after, "limit": args["limit"] + 1},
    ).mappings()
    today = business_date(tx.now)
    calendar = holidays.calendar(tx.conn)
    items = ({**row, "overdue": _is_overdue(dict(row), today, calendar)} for row in rows)
    return page(items, args["limit"], "booked_on", "line_id")


def _is_overdue(row: Mapping[str, Any], today: date, calendar: Calendar) -> bool | None:
    """After the days of M24; None while the holidays among them are not announced. The opening of an account came before anybody could match, and 0.00 needs no match."""
    if not row["fen"] or bytes(row["line_hash"]) == OPENING:
        return False
    return rules.is_overdue(calendar, row["booked_on"], today)


_LINES = f"""
select l.*, m.match_id from {LINES} l
left join bank_matches m on m.line_id = l.line_id and m.undone_at is null
"""


def lines(tx: Tx, account_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    """Lines of the account, matched or not, by booking day; keyset by day and id. Raises AccountNotFound."""
    bank_statements.account(tx, account_id)
    today = business_date(tx.now)
    found = page_of(
        tx.conn,
        _LINES,
        {
            "l.account_id = :account_id": account_id,
            "l.statement_id = :statement_id": args["statement_id"],
            "l.booked_on >= :first": args["first"],
            "l.booked_on <= :until": args["until"],
            "(m.match_id is not null) = :is_matched": args["is_matched"],
        },
        {"l.booked_on": date, "l.line_id": UUID},
        args,
    )
    calendar = holidays.calendar(tx.conn)
    for row in found["items"]:
        row["overdue"] = False if row["match_id"] else _is_overdue(row, today, calendar)
    return found


_MATCHES = f"""
select * from (
    select m.*, l.booked_on as line_booked_on, l.fen as line_fen, l.reference as line_reference
    from bank_matches m join {LINES} l on l.line_id = m.line_id
) m
"""


def matches(tx: Tx, account_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    """Matches of the account by the line's booking day, those taken back included; keyset by day and id.

    Raises AccountNotFound.
    """
    bank_statements.account(tx, account_id)
    return page_of(
        tx.conn,
        _MATCHES,
        {
            "m.account_id = :account_id": account_id,
            "m.line_id = :line_id": args["line_id"],
            "m.kind = :kind": args["kind"],
            "m.line_booked_on >= :first": args["first"],
            "m.line_booked_on <= :until": args["until"],
            "(m.undone_at is not null) = :is_undone": args["is_undone"],
        },
        {"m.line_booked_on": date, "m.match_id": UUID},
        args,
    )


def proposals(tx: Tx, account_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    """For each unmatched line what it may stand for. Nothing is stored: the next look may propose otherwise."""
    known = bank_statements.account(tx, account_id)
    page = _unmatched(tx, account_id, args)
    if not page["items"]:
        return page
    first, last = page["items"][0]["booked_on"], page["items"][-1]["booked_on"]
    window = timedelta(days=rules.rule("match_window_days", last))
    branch_id = known.branch_id
    items = [
        item
        for kind in (MatchKind.BOOK, MatchKind.TRANSIT)
        for item in open_items(tx.conn, kind, first - window, last + window, branch_id=branch_id)
    ]
    look_back = timedelta(days=rules.rule("settlement_days_max", last))
    batches = [
        batch
        for clearing in sorted({row["clearing"] for row in page["items"]} - {None})
        for batch in open_batches(tx.conn, clearing, first - look_back, last, branch_id=branch_id)
    ]
    told: dict[str, set[str]] = defaultdict(set)
    for row in page["items"]:
        if row["clearing"] is not None:
            told[row["clearing"]] |= rules.ids_in(line_of(row))
    payments = [
        payment
        for clearing, ids in told.items()
        for payment in open_payments(tx.conn, clearing, ids, branch_id=branch_id)
    ]
    for row in page["items"]:
        row["proposals"] = rules.propose(line_of(row), items, batches, payments)
    return page
