"""Vouchers, entries and their reversals as they stand; live figures of any span of months."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import balances, budget_control, ledger
from finance.book import book_of
from finance.kernel.period import DraftsPending, month_text
from finance.kernel.posting import PostingLine
from finance.statement_figures import income_lines
from finance.vouchers import store
from finance.vouchers.model import Entry, Voucher
from finance.vouchers.rules import CONTROL_ACCOUNTS, EntryNotFound
from shared.clock import next_month
from shared.paging import JUDGED_ROWS_MAX, page_of, page_of_judged
from shared.transaction import Tx

ENTRY_ID_MAX = 2**63 - 1
DRAFTED = "(select voucher_id, drafted_by from vouchers)"
"""Who wrote each voucher down, as SQL."""


def accounts(tx: Tx) -> dict[str, Any]:
    """By which standard the books are kept, since when, and in which accounts, by code."""
    book = book_of(tx.conn)
    items = [
        {
            "account": each.code,
            "zh": each.zh,
            "en": each.en,
            "type": each.type,
            "leaf": each.leaf,
            "by_hand": each.leaf and each.meaning not in CONTROL_ACCOUNTS,
        }
        for each in sorted(book.chart.accounts, key=lambda account: account.code)
    ]
    return {"standard": book.chart.standard.value, "begins_on": book.begins_on, "items": items}


def voucher(tx: Tx, voucher_id: UUID) -> dict[str, Any]:
    """One voucher; with what its budgets would refuse if a draft were posted now. Raises VoucherNotFound."""
    found = store.voucher(tx, voucher_id)
    [warnings] = _warnings(tx, [found])
    return {**asdict(found), "warnings": warnings}


def _warnings(tx: Tx, found: Sequence[Voucher]) -> list[list[budget_control.Foreseen]]:
    drafts = [each for each in found if each.state == "draft"]
    warned = budget_control.foreseen(
        tx,
        [
            budget_control.Spending(
                source_id=each.voucher_id,
                branch_id=each.branch_id,
                department=each.department,
                campaign=each.campaign,
                booked_on=each.booked_on,
                postings=[PostingLine(line.account, line.debit_fen, line.credit_fen) for line in each.lines],
            )
            for each in drafts
        ],
    )
    by_id = {each.voucher_id: warnings for each, warnings in zip(drafts, warned, strict=True)}
    return [by_id.get(each.voucher_id, []) for each in found]


def vouchers(tx: Tx, month: date | None, args: Mapping[str, Any]) -> dict[str, Any]:
    """Vouchers (None: of any month) in the order they were written. Keyset by id. Raises ForeignBranch."""
    found = _ids(tx, month, args)
    return {**found, "items": _of(tx, found["items"])}


def _of(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[Voucher]:
    return store.vouchers(tx.conn, [row["voucher_id"] for row in rows])


def _ids(tx: Tx, month: date | None, args: Mapping[str, Any]) -> dict[str, Any]:
    return page_of(
        tx.conn,
        "select voucher_id from vouchers",
        {
            "booked_on >= :first": month,
            "booked_on < :until": None if month is None else next_month(month),
            "state = :state": args["state"],
            "branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
        },
        {"voucher_id": UUID},
        args,
    )


def over_budget(tx: Tx, month: date | None, args: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the drafts that wait for a word on what exceeds their budgets, judged together as one is.

    Judged after reading, so a page may hold fewer than were asked for. Raises ForeignBranch.
    """

    def exceeding(rows: Sequence[Mapping[str, Any]]) -> Iterator[Voucher | None]:
        drafts = _of(tx, rows)
        for draft, warnings in zip(drafts, _warnings(tx, drafts), strict=True):
            exceeds = any(each.code == budget_control.OverrunNotApproved.code for each in warnings)
            yield draft if exceeds else None

    read = _ids(tx, month, {**args, "state": "draft", "limit": JUDGED_ROWS_MAX})
    return page_of_judged(read, exceeding, args["limit"], "voucher_id")


def entry(tx: Tx, entry_id: int) -> Entry | None:
    """The head of a journal entry of the token's branches."""
    if entry_id > ENTRY_ID_MAX:
        return None
    row = tx.conn.execute(
        text(f"select id, booked_on, branch_id, kind, chain_no from {ledger.ENTRIES} e where id = :id"),
        {"id": entry_id},
    ).one_or_none()
    return Entry(*row) if row is not None and tx.actor.may_see(row.branch_id) else None


def reversal(tx: Tx, entry_id: int) -> dict[str, Any]:
    """How an entry was reversed. Raises EntryNotFound."""
    row = (
        tx.conn.execute(text("select * from reversals where entry_id = :id"), {"id": entry_id})
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise EntryNotFound("no such reversal")
    return dict(row)


def transferred(tx: Tx, month: date, account: str) -> int:
    """Debit less credit that the year's end moved on an account in a December, in fen."""
    until = next_month(month)
    every = balances.accounts(tx.conn, month, until, None, opening=False)
    rest = balances.accounts(tx.conn, month, until, None, opening=False, transfers=False)
    all_fen, rest_fen = (moved[account].closing_fen if account in moved else 0 for moved in (every, rest))
    return all_fen - rest_fen


def income(tx: Tx, first: date, last: date, branch_id: str | None) -> dict[str, Any]:
    """The income statement of the months `first` to `last` as the books stand now. Raises ForeignBranch."""
    branches = tx.actor.branch_filter(branch_id)
    moved = balances.accounts(tx.conn, first, next_month(last), branches, opening=False, transfers=False)
    sums = {code: each.debit_fen - each.credit_fen for code, each in moved.items()}
    return {
        "from_month": month_text(first),
        "until_month": month_text(last),
        "branch_id": branch_id,
        "lines": income_lines(book_of(tx.conn).chart, sums, last),
    }


def require_decided(conn: Connection, month: date) -> None:
    """What closing a month asks of vouchers. Raises DraftsPending."""
    drafts = conn.execute(
        text(
            "select count(*) from vouchers where state = 'draft' and booked_on >= :month and booked_on < :until"
        ),
        {"month": month, "until": next_month(month)},
    ).scalar_one()
    if drafts:
        raise DraftsPending("vouchers of the month are neither approved nor rejected", drafts=drafts)
