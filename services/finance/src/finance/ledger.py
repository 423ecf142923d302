"""What the books say: trial balance, journal, periods, and their closing.

Open months always follow closed ones (a month made before a closed month is born closed), so a balance is the
frozen sums of closed months plus the lines of open partitions, exact at every instant.
Source: F1, F2, G29, model 3.2
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from finance import repository
from finance.booking import BOOK, book_of
from finance.domain.period import (
    EarlierPeriodOpen,
    JournalNotSealed,
    JournalUnbalanced,
    PeriodNotClosed,
    PeriodNotOpen,
    PeriodState,
    PeriodUnknown,
    month_text,
    require_over,
)
from finance.events import period_closed
from shared import audit, outbox
from shared.approvals import SamePerson
from shared.clock import business_date, next_month
from shared.paging import decode_cursor, encode_cursor
from shared.transaction import Tx

_SUMS = """
select account, sum(debit_fen)::bigint as debit_fen, sum(credit_fen)::bigint as credit_fen from (
    select account, debit_fen, credit_fen from period_balances
    where month >= :first and month < :until and (cast(:branches as text[]) is null or branch_id = any(:branches))
    union all
    select account, debit_fen, credit_fen from journal_lines
    where booked_on >= :open_from and booked_on < :until
      and (cast(:branches as text[]) is null or branch_id = any(:branches))
) parts group by account
"""
_BEGINNING = date(1970, 1, 1)
closing_checks: list[Callable[[Connection, date], None]] = []
"""What areas ask before a month may close, such as counted drawers; each raises its refusal. `app` names them."""


def sums(tx: Tx, first: date, until: date, branches: Sequence[str] | None) -> dict[str, tuple[int, int]]:
    """Debits and credits per account of the months from `first` to before `until`, in fen.

    `branches` None means all of them.
    """
    open_from = _open_from(tx)
    rows = tx.conn.execute(
        text(_SUMS),
        {
            "first": first,
            "until": until,
            "open_from": until if open_from is None else max(first, open_from),
            "branches": None if branches is None else list(branches),
        },
    )
    return {row.account: (row.debit_fen, row.credit_fen) for row in rows}


def _open_from(tx: Tx) -> date | None:
    first: date | None = tx.conn.execute(
        text("select min(month) from periods where state = 'open'")
    ).scalar_one()
    return first


def trial_balance(tx: Tx, month: date, branch_id: str | None) -> dict[str, Any]:
    """Opening, movement and closing of every account that moved. Raises PeriodUnknown, ForeignBranch."""
    branches = _branches(tx, branch_id)
    state = _period(tx, month)["state"]
    opening = sums(tx, _BEGINNING, month, branches)
    movement = sums(tx, month, next_month(month), branches)
    chart = book_of(tx.conn).chart
    rows = []
    for code in sorted(opening.keys() | movement.keys()):
        debit, credit = movement.get(code, (0, 0))
        before = opening.get(code, (0, 0))
        opened = before[0] - before[1]
        rows.append(
            {
                "account": code,
                "zh": chart.by_code[code].zh,
                "en": chart.by_code[code].en,
                "opening_fen": opened,
                "debit_fen": debit,
                "credit_fen": credit,
                "closing_fen": opened + debit - credit,
            }
        )
    return {
        "month": month_text(month),
        "branch_id": branch_id,
        "state": state,
        "rows": rows,
        "debit_fen": sum(row["debit_fen"] for row in rows),
        "credit_fen": sum(row["credit_fen"] for row in rows),
    }


def _branches(tx: Tx, branch_id: str | None) -> list[str] | None:
    if branch_id is None:
        return tx.actor.branch_filter()
    tx.actor.require_branch(branch_id)
    return [branch_id]


def entries(tx: Tx, month: date, args: Mapping[str, Any]) -> dict[str, Any]:
    """The journal of a month, entries in the order they were written. Keyset by id."""
    after = decode_cursor(args["cursor"], int)
    span = {"first": month, "until": next_month(month)}
    found = tx.conn.execute(
        text(
            "select id, chain_no as voucher_no, booked_on, branch_id, kind, source_id, total_fen, reference, actor,"
            " recorded_at from journal_entries where booked_on >= :first and booked_on < :until and id > :after"
            " and (cast(:branches as text[]) is null or branch_id = any(:branches)) order by id limit :limit"
        ),
        {
            **span,
            "after": after[0] if after else 0,
            "branches": _branches(tx, args["branch_id"]),
            "limit": args["limit"] + 1,
        },
    ).mappings()
    items = [{**row, "lines": []} for row in found]
    more = len(items) > args["limit"]
    items = items[: args["limit"]]
    by_id = {item["id"]: item for item in items}
    lines = tx.conn.execute(
        text(
            "select entry_id, account, customer_id, debit_fen, credit_fen from journal_lines"
            " where booked_on >= :first and booked_on < :until and entry_id = any(:ids) order by entry_id, no"
        ),
        {**span, "ids": list(by_id)},
    ).mappings()
    for line in lines:
        by_id[line["entry_id"]]["lines"].append(dict(line))
    return {"items": items, "next_cursor": encode_cursor(items[-1]["id"]) if more else None}


# --- periods ----------------------------------------------------------------------------------------


def _period(tx: Tx, month: date, *, lock: bool = False) -> dict[str, Any]:
    row = (
        tx.conn.execute(
            text("select * from periods where month = :month" + (" for update" if lock else "")),
            {"month": month},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise PeriodUnknown(f"nothing was ever booked to {month_text(month)}")
    return dict(row)


def view(period: Mapping[str, Any]) -> dict[str, Any]:
    return {**period, "month": month_text(period["month"])}


def periods(tx: Tx) -> list[dict[str, Any]]:
    """Every month that has something, oldest first: a dozen a year."""
    rows = tx.conn.execute(text("select * from periods order by month limit 1200")).mappings()
    return [view(dict(row)) for row in rows]


def close_period(tx: Tx, month: date) -> dict[str, Any]:
    """Open → soft_closed: over by the calendar, all earlier months closed, all of it sealed, Σ debit = Σ credit.

    Freezes the month's sums per account and branch. Waits for tills that are writing to the month.
    Raises PeriodNotOver, PeriodUnknown, PeriodNotOpen, EarlierPeriodOpen, JournalNotSealed, JournalUnbalanced.
    """
    require_over(month, business_date(tx.now))
    repository.hold_month_alone(tx.conn, month)
    period = _period(tx, month, lock=True)
    if period["state"] != PeriodState.OPEN:
        raise PeriodNotOpen(f"{month_text(month)} is {period['state']}")
    span = {"month": month, "until": next_month(month)}
    earlier = tx.conn.execute(
        text("select min(month) from periods where state = 'open' and month < :month"), span
    ).scalar_one()
    if earlier is not None:
        raise EarlierPeriodOpen(f"close {month_text(earlier)} first", month=month_text(earlier))
    _require_sealed(tx, span)
    for check in closing_checks:
        check(tx.conn, month)
    tx.conn.execute(
        text(
            "insert into period_balances (month, account, branch_id, debit_fen, credit_fen)"
            " select :month, account, branch_id, sum(debit_fen), sum(credit_fen) from journal_lines"
            " where booked_on >= :month and booked_on < :until group by account, branch_id"
        ),
        span,
    )
    debit, credit = tx.conn.execute(
        text(
            "select coalesce(sum(debit_fen), 0), coalesce(sum(credit_fen), 0) from period_balances"
            " where month = :month"
        ),
        span,
    ).one()
    if debit != credit:
        raise JournalUnbalanced(f"debits {debit} fen, credits {credit} fen")
    tx.conn.execute(
        text(
            "update periods set state = 'soft_closed', version = version + 1, closed_by = :person, closed_at = :now"
            " where month = :month"
        ),
        {"month": month, "person": tx.actor.id, "now": tx.now},
    )
    closed = _period(tx, month)
    outbox.append(
        tx,
        period_closed(
            book=BOOK,
            month=month_text(month),
            version=closed["version"],
            day=next_month(month) - timedelta(days=1),
        ),
    )
    audit.record(tx, "period.close", month_text(month), before=period, after=closed)
    return view(closed)


def _require_sealed(tx: Tx, span: Mapping[str, date]) -> None:
    unsealed = tx.conn.execute(
        text(
            "select 1 from journal_entries where booked_on >= :month and booked_on < :until"
            " and chain_no is null limit 1"
        ),
        span,
    ).first()
    if unsealed is not None:
        raise JournalNotSealed("vouchers of the month are still being numbered", retry_after_s=2)


def lock_period(tx: Tx, month: date) -> dict[str, Any]:
    """soft_closed → locked, for ever, by another person than who closed it. Raises PeriodNotClosed, SamePerson."""
    period = _period(tx, month, lock=True)
    if period["state"] != PeriodState.SOFT_CLOSED:
        raise PeriodNotClosed(f"{month_text(month)} is {period['state']}")
    if period["closed_by"] == tx.actor.id:
        raise SamePerson("who closed the month does not lock it")
    tx.conn.execute(
        text(
            "update periods set state = 'locked', version = version + 1, locked_by = :person, locked_at = :now"
            " where month = :month"
        ),
        {"month": month, "person": tx.actor.id, "now": tx.now},
    )
    locked = _period(tx, month)
    audit.record(tx, "period.lock", month_text(month), before=period, after=locked)
    return view(locked)
