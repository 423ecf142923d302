"""What the books say: trial balance, journal, periods, their closing and re-opening.

Open months always follow closed ones: a month made before a closed month is born closed, and the last closed month
alone can be re-opened.
Source: F1, F2, G29, model 3.2, I27
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import balances, repository
from finance.booking import BOOK, book_of
from finance.domain.company import require_company
from finance.domain.period import (
    DraftsPending,
    EarlierPeriodOpen,
    JournalNotSealed,
    JournalUnbalanced,
    LaterPeriodClosed,
    PeriodNotClosed,
    PeriodNotOpen,
    PeriodState,
    PeriodUnknown,
    ReopeningNotFound,
    ReopeningPending,
    YearNotTransferred,
    late_days,
    month_text,
    require_over,
)
from finance.events import period_closed, period_locked, period_reopened
from shared import audit, outbox
from shared.approvals import Approval, Decision, SamePerson
from shared.clock import business_date, new_id, next_month
from shared.paging import decode_cursor, encode_cursor
from shared.transaction import Tx

DECEMBER = 12
closing_checks: list[Callable[[Connection, date], None]] = []
"""What areas ask before a month may close, such as counted drawers; each raises its refusal. `app` names them."""
proofs: list[Callable[[Connection, date], None]] = []
"""Those of them that set a sub-ledger against its control account. They hold at every instant."""


def sums(tx: Tx, first: date, until: date, branches: Sequence[str] | None) -> dict[str, tuple[int, int]]:
    """Debits and credits per account of the months from `first` to before `until`, in fen; branches None means all."""
    moved = balances.accounts(tx.conn, first, until, branches, opening=False, transfers=False)
    return {code: (each.debit_fen, each.credit_fen) for code, each in moved.items()}


def trial_balance(tx: Tx, month: date, branch_id: str | None) -> dict[str, Any]:
    """Opening, movement and closing of every account that moved. Raises PeriodUnknown, ForeignBranch."""
    branches = branches_of(tx, branch_id)
    state = _period(tx, month)["state"]
    moved = balances.accounts(tx.conn, month, next_month(month), branches)
    chart = book_of(tx.conn).chart
    rows = [
        {
            "account": code,
            "zh": chart.by_code[code].zh,
            "en": chart.by_code[code].en,
            "opening_fen": each.opening_fen,
            "debit_fen": each.debit_fen,
            "credit_fen": each.credit_fen,
            "closing_fen": each.closing_fen,
        }
        for code, each in sorted(moved.items())
    ]
    return {
        "month": month_text(month),
        "branch_id": branch_id,
        "state": state,
        "rows": rows,
        "debit_fen": sum(row["debit_fen"] for row in rows),
        "credit_fen": sum(row["credit_fen"] for row in rows),
    }


def branches_of(tx: Tx, branch_id: str | None) -> list[str] | None:
    """The one that was asked for, or all the token covers (None: every one). Raises ForeignBranch."""
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
            "branches": branches_of(tx, args["branch_id"]),
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


def require_period(tx: Tx, month: date) -> None:
    """Raises PeriodUnknown."""
    _period(tx, month)


def view(period: Mapping[str, Any]) -> dict[str, Any]:
    return {**period, "month": month_text(period["month"])}


def periods(tx: Tx) -> list[dict[str, Any]]:
    """Every month that has something, oldest first: a dozen a year."""
    rows = tx.conn.execute(text("select * from periods order by month limit 1200")).mappings()
    return [view(dict(row)) for row in rows]


def close_period(tx: Tx, month: date) -> dict[str, Any]:
    """Open → soft_closed: over by the calendar, all earlier months closed, no draft, all of it sealed, every check.

    Proves that the folded sums are those of the lines, and carries every balance forward. Waits for tills that
    are writing to the month. A late closing is recorded in days, never refused.
    Raises PeriodNotOver, PeriodUnknown, PeriodNotOpen, EarlierPeriodOpen, DraftsPending, YearNotTransferred,
    JournalNotSealed, JournalUnbalanced, CompanyNotCovered, and what the areas' checks raise.
    """
    require_company(tx.actor)
    today = business_date(tx.now)
    require_over(month, today)
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
    _require_no_drafts(tx, span)
    _require_sealed(tx, span)
    for check in closing_checks:
        check(tx.conn, month)
    if month.month == DECEMBER:
        _require_transferred(tx, next_month(month))
    _prove_and_carry(tx, span)
    late = late_days(month, today)
    tx.conn.execute(
        text(
            "update periods set state = 'soft_closed', version = version + 1, closed_by = :person, closed_at = :now,"
            " late_days = :late where month = :month"
        ),
        {"month": month, "person": tx.actor.id, "now": tx.now, "late": late},
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


def _require_no_drafts(tx: Tx, span: Mapping[str, date]) -> None:
    drafts = tx.conn.execute(
        text(
            "select count(*) from vouchers where state = 'draft' and booked_on >= :month and booked_on < :until"
        ),
        span,
    ).scalar_one()
    if drafts:
        raise DraftsPending("vouchers of the month are neither approved nor rejected", drafts=drafts)


def _require_transferred(tx: Tx, until: date) -> None:
    by_code = book_of(tx.conn).chart.by_code
    left = [
        code
        for code, moved in balances.accounts(tx.conn, until, until, None).items()
        if moved.opening_fen and by_code[code].type in {"income", "expense"}
    ]
    if left:
        raise YearNotTransferred("transfer the year's profit first", accounts=sorted(left))


_LINES_DIFFER = """
with lines as (
    select account, branch_id, sum(debit_fen) as debit_fen, sum(credit_fen) as credit_fen from journal_lines
    where booked_on >= :month and booked_on < :until group by account, branch_id
), folded as (
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


def _prove_and_carry(tx: Tx, span: Mapping[str, date]) -> None:
    differing, imbalance = tx.conn.execute(text(_LINES_DIFFER), span).one()
    if differing or imbalance:
        raise JournalUnbalanced(
            "the month's lines do not balance, or differ from its sums",
            differing=differing,
            imbalance_fen=int(imbalance),
        )
    tx.conn.execute(text(_CARRY), span)


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
    """soft_closed → locked, for ever, by another person than who closed it.

    Raises PeriodNotClosed, SamePerson, CompanyNotCovered.
    """
    require_company(tx.actor)
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
    outbox.append(
        tx,
        period_locked(
            book=BOOK, month=month_text(month), version=locked["version"], day=business_date(tx.now)
        ),
    )
    audit.record(tx, "period.lock", month_text(month), before=period, after=locked)
    return view(locked)


# --- re-opening -------------------------------------------------------------------------------------

REOPENERS = frozenset({"finance_head", "management"})


def request_reopening(tx: Tx, month: date, reason: str) -> dict[str, Any]:
    """Ask that the last closed month be opened again; a finance head and management decide, neither of them who asks.

    Raises PeriodUnknown, PeriodNotClosed (also of a locked month, which never opens), LaterPeriodClosed,
    ReopeningPending, CompanyNotCovered.
    """
    require_company(tx.actor)
    period = _period(tx, month, lock=True)
    _require_reopenable(tx, period)
    waiting = tx.conn.execute(
        text("select 1 from period_reopenings where month = :month and state = 'pending'"), {"month": month}
    ).first()
    if waiting is not None:
        raise ReopeningPending("a request for this month waits for its decisions")
    reopening_id = new_id()
    subject = {"month": month_text(month), "version": period["version"], "reason": reason}
    tx.conn.execute(
        text(
            "insert into period_reopenings (reopening_id, month, version, state, reason, subject_hash, requested_by,"
            " requested_at) values (:id, :month, :version, 'pending', :reason, :hash, :person, :now)"
        ),
        {
            "id": reopening_id,
            "month": month,
            "version": period["version"],
            "reason": reason,
            "hash": audit.digest(subject),
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    audit.record(tx, "period.request_reopening", month_text(month), after=subject)
    return reopening(tx, reopening_id)


def _require_reopenable(tx: Tx, period: Mapping[str, Any]) -> None:
    month = period["month"]
    if period["state"] != PeriodState.SOFT_CLOSED:
        raise PeriodNotClosed(
            f"{month_text(month)} is {period['state']}; only a soft-closed month is re-opened"
        )
    later = tx.conn.execute(
        text("select min(month) from periods where state <> 'open' and month > :month"), {"month": month}
    ).scalar_one()
    if later is not None:
        raise LaterPeriodClosed(f"{month_text(later)} is closed; re-open it first", month=month_text(later))


def decide_reopening(tx: Tx, reopening_id: UUID, *, approved: bool, reason: str | None) -> dict[str, Any]:
    """One decision; with the second approval the month is open again, with a rejection it stays closed.

    Raises ReopeningNotFound, PeriodNotClosed, LaterPeriodClosed, CompanyNotCovered, and the refusals of shared.approvals.
    """
    require_company(tx.actor)
    month = tx.conn.execute(
        text("select month from period_reopenings where reopening_id = :id"), {"id": reopening_id}
    ).scalar_one_or_none()
    if month is None:
        raise ReopeningNotFound("no such request")
    period = _period(tx, month, lock=True)
    row = reopening(tx, reopening_id)
    approval = _approval(row)
    decision = approval.decide(
        person=tx.actor.id, roles=tx.actor.roles, approved=approved, reason=reason, at=tx.now
    )
    tx.conn.execute(
        text(
            "insert into period_reopening_decisions (reopening_id, role, person, approved, reason, at, subject_hash)"
            " values (:id, :role, :person, :approved, :reason, :at, :hash)"
        ),
        {
            "id": reopening_id,
            "role": decision.role,
            "person": decision.person,
            "approved": decision.approved,
            "reason": decision.reason,
            "at": decision.at,
            "hash": decision.subject_hash,
        },
    )
    state = _approval(reopening(tx, reopening_id)).state
    tx.conn.execute(
        text("update period_reopenings set state = :state where reopening_id = :id"),
        {"state": state, "id": reopening_id},
    )
    audit.record(
        tx, "period.decide_reopening", month_text(month), before=row["state"], after=[state, decision.role]
    )
    if state == "approved":
        _reopen(tx, period)
    return reopening(tx, reopening_id)


def _approval(row: Mapping[str, Any]) -> Approval:
    return Approval(
        required=REOPENERS,
        excluded=frozenset({row["requested_by"]}),
        subject_hash=row["subject_hash"],
        decisions=[
            Decision(
                role=each["role"],
                person=each["person"],
                approved=each["approved"],
                reason=each["reason"],
                at=each["at"],
                subject_hash=each["subject_hash"],
            )
            for each in row["decisions"]
        ],
    )


def _reopen(tx: Tx, period: Mapping[str, Any]) -> None:
    month = period["month"]
    _require_reopenable(tx, period)
    tx.conn.execute(text("delete from period_balances where month = :month"), {"month": month})
    tx.conn.execute(
        text(
            "update periods set state = 'open', version = version + 1, closed_by = null, closed_at = null,"
            " late_days = null where month = :month"
        ),
        {"month": month},
    )
    opened = _period(tx, month)
    outbox.append(
        tx,
        period_reopened(
            book=BOOK, month=month_text(month), version=opened["version"], day=business_date(tx.now)
        ),
    )
    audit.record(tx, "period.reopen", month_text(month), before=period, after=opened)


def reopening(tx: Tx, reopening_id: UUID) -> dict[str, Any]:
    """One request with its decisions. Raises ReopeningNotFound."""
    row = (
        tx.conn.execute(
            text("select * from period_reopenings where reopening_id = :id"), {"id": reopening_id}
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise ReopeningNotFound("no such request")
    decisions = tx.conn.execute(
        text("select * from period_reopening_decisions where reopening_id = :id order by at"),
        {"id": reopening_id},
    ).mappings()
    return {**row, "month": month_text(row["month"]), "decisions": [dict(each) for each in decisions]}


def reopenings(tx: Tx, month: date) -> list[dict[str, Any]]:
    """Every request for a month, oldest first. Raises CompanyNotCovered."""
    require_company(tx.actor)
    rows = tx.conn.execute(
        text("select reopening_id from period_reopenings where month = :month order by requested_at"),
        {"month": month},
    )
    return [reopening(tx, row.reopening_id) for row in rows]
