"""Manual vouchers from draft to posting, reversals, and the year's transfer of profit.

Source: F1, F15, F27, G28, model 3.2 (JournalEntry, AccountingPeriod), I26, I27
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from finance import balances, budget_control, entries, ledger, periods, trade_permissions
from finance.book import book_of, stream_of
from finance.kernel import period
from finance.kernel.company import require_company
from finance.kernel.period import EarlierPeriodOpen, PeriodNotOpen, PeriodState, month_text, require_over
from finance.kernel.posting import PostingLine
from finance.ledger import Entry
from finance.open_items import NewItem
from finance.trade_permissions import CustomerUnknown
from finance.vouchers import queries, rules
from finance.vouchers.rules import (
    EntryHasOwnCorrection,
    EntryNotFound,
    EntryReversed,
    NothingToTransfer,
    VoucherDecided,
)
from shared import audit
from shared.approvals import Approval, Decision
from shared.clock import business_date, month_of, new_id, next_month
from shared.languages import Text
from shared.transaction import Tx

APPROVER = "finance_head"
_DRAFT = text(
    "insert into vouchers (voucher_id, state, booked_on, branch_id, summary, lines, total_fen, subject_hash,"
    " drafted_by, drafted_at, department, campaign) values (:voucher_id, 'draft', :booked_on, :branch_id, :summary, :lines,"
    " :total, :hash, :person, :now, :department, :campaign)"
).bindparams(bindparam("lines", type_=JSONB))


def draft(tx: Tx, body: Mapping[str, Any]) -> dict[str, Any]:
    """Write a voucher down; nothing is booked until another person approves it.

    Dated the day before the books it is their opening. Raises ForeignBranch, VoucherInvalid, VoucherInFuture,
    CustomerUnknown, PeriodNotOpen.
    """
    tx.actor.require_branch(body["branch_id"])
    book = book_of(tx.conn)
    kind = rules.kind_of(body["booked_on"], book.begins_on)
    postings = rules.postings_of(book.chart, body["lines"], kind)
    rules.require_bookable(body["booked_on"], begins_on=book.begins_on, today=business_date(tx.now))
    _require_known(tx, {line.customer_id for line in postings if line.customer_id})
    _require_open(tx, body["booked_on"])
    subject = {
        "booked_on": body["booked_on"],
        "branch_id": body["branch_id"],
        "summary": body["summary"],
        "charged_to": [body["department"], body["campaign"]],
        "lines": [
            [line["account"], line["debit"], line["credit"], *_owed(line)]
            for line in body["lines"]
            if line["debit"] or line["credit"]
        ],
    }
    voucher_id = new_id()
    tx.conn.execute(
        _DRAFT,
        {
            "voucher_id": voucher_id,
            "booked_on": body["booked_on"],
            "branch_id": body["branch_id"],
            "summary": body["summary"],
            "lines": subject["lines"],
            "total": sum(line.debit_fen for line in postings),
            "hash": audit.digest(subject),
            "person": tx.actor.id,
            "now": tx.now,
            "department": body["department"],
            "campaign": body["campaign"],
        },
    )
    audit.record(tx, "voucher.draft", str(voucher_id), after=subject)
    return queries.voucher(tx, voucher_id)


def _owed(line: Mapping[str, Any]) -> list[str]:
    """Who owes an opening debt and since when it is due; other lines say nothing more."""
    return [str(line["customer_id"]), str(line["due_on"])] if line["customer_id"] else []


def _require_known(tx: Tx, customers: set[str]) -> None:
    known = tx.conn.execute(
        text(
            f"select count(*) from {trade_permissions.KINDS} p where p.customer_id = any(cast(:ids as uuid[]))"
        ),
        {"ids": sorted(customers)},
    ).scalar_one()
    if known < len(customers):
        raise CustomerUnknown("nobody told us of a customer of the voucher")


def _opened(lines: Sequence[Mapping[str, Any]]) -> list[NewItem]:
    """What customers owed, or had paid too much, when the books began."""
    return [
        NewItem(
            fen=each["debit_fen"] - each["credit_fen"],
            due_on=each["due_on"],
            kind="other",
            customer_id=str(each["customer_id"]),
        )
        for each in lines
        if each["customer_id"]
    ]


def _require_open(tx: Tx, day: date) -> None:
    state = periods.hold_months(tx.conn, [day])[month_of(day)]
    if state != PeriodState.OPEN:
        raise PeriodNotOpen(Text("{month} is {state}", month=month_text(day), state=state))


def decide(tx: Tx, voucher_id: UUID, *, approved: bool, reason: str | None) -> dict[str, Any]:
    """Draft → posted or rejected, by a finance head who did not write it.

    What was no control account when it was written may be one now. What it spends draws on the budgets. Raises
    VoucherNotFound, VoucherDecided, VoucherSumsTooLarge, SamePerson, ReasonMissing, PeriodNotOpen, ForeignBranch, VoucherInvalid,
    Unbudgeted, BudgetExceeded, OverrunNotApproved.
    """
    row = _undecided(tx, voucher_id)
    approval = Approval(
        required=frozenset({APPROVER}),
        excluded=frozenset({row["drafted_by"]}),
        subject_hash=row["subject_hash"],
    )
    decision = approval.decide(
        person=tx.actor.id, roles={APPROVER} & tx.actor.roles, approved=approved, reason=reason, at=tx.now
    )
    state = "posted" if approved else "rejected"
    if approved:
        _require_open(tx, row["booked_on"])
        # who approves another voucher meanwhile waits, and counts this one
        tx.conn.execute(text("select pg_advisory_xact_lock(hashtextextended('finance:vouchers', 0))"))
        posted_fen = tx.conn.execute(
            text("select coalesce(sum(total_fen), 0)::bigint from vouchers where state = 'posted'")
        ).scalar_one()
        rules.require_exact_sums(posted_fen, row["total_fen"])
        book = book_of(tx.conn)
        kind = rules.kind_of(row["booked_on"], book.begins_on)
        lines = [{**each, "debit": each["debit_fen"], "credit": each["credit_fen"]} for each in row["lines"]]
        entries.add_entry(
            tx,
            entries.NewEntry(
                booked_on=row["booked_on"],
                branch_id=row["branch_id"],
                kind=kind,
                source_id=str(voucher_id),
                postings=rules.postings_of(book.chart, lines, kind),
                reference=row["summary"],
            ),
            items=_opened(lines),
            charged_to=(row["department"], row["campaign"]),
        )
    _decided(tx, row, state, decision)
    return queries.voucher(tx, voucher_id)


def decide_overrun(tx: Tx, voucher_id: UUID, *, approved: bool, reason: str | None) -> dict[str, Any]:
    """Finance head and management let a draft exceed its budgets when it is posted, or reject it.

    Raises VoucherNotFound, VoucherDecided and the refusals of shared.approvals.
    """
    row = _undecided(tx, voucher_id)
    state, decision = budget_control.decide_overrun(
        tx,
        "voucher",
        voucher_id,
        excluded=frozenset({row["drafted_by"]}),
        subject_hash=row["subject_hash"],
        approved=approved,
        reason=reason,
    )
    if state == "rejected":
        _decided(tx, row, state, decision)
    return queries.voucher(tx, voucher_id)


def _undecided(tx: Tx, voucher_id: UUID) -> dict[str, Any]:
    row = queries.voucher(tx, voucher_id, lock=True)
    if row["state"] != "draft":
        raise VoucherDecided(Text("the voucher is {state}", state=row["state"]))
    return row


def _decided(tx: Tx, row: Mapping[str, Any], state: str, decision: Decision) -> None:
    tx.conn.execute(
        text(
            "update vouchers set state = :state, decided_by = :person, decided_at = :now, decided_reason = :reason"
            " where voucher_id = :voucher_id"
        ),
        {
            "state": state,
            "person": decision.person,
            "now": decision.at,
            "reason": decision.reason,
            "voucher_id": row["voucher_id"],
        },
    )
    audit.record(
        tx, f"voucher.{state}", str(row["voucher_id"]), before="draft", after=[state, row["subject_hash"]]
    )


def reverse(tx: Tx, entry_id: int, reason: str) -> dict[str, Any]:
    """Mirror a manual voucher into today's open period, once, naming what it corrects and why.

    Raises EntryNotFound, EntryHasOwnCorrection, EntryReversed, PeriodNotOpen.
    """
    entry = queries.entry(tx, entry_id)
    if entry is None:
        raise EntryNotFound("no such entry")
    if entry.kind != period.MANUAL:
        raise EntryHasOwnCorrection(
            Text("an entry of kind {kind} is corrected by its document", kind=entry.kind)
        )
    today = business_date(tx.now)
    _require_open(tx, today)
    reversal_id = new_id()
    claimed = tx.conn.execute(
        text(
            "insert into reversals (entry_id, entry_booked_on, reversal_id, booked_on, reason, reversed_by, reversed_at)"
            " values (:entry_id, :entry_booked_on, :reversal_id, :today, :reason, :person, :now)"
            " on conflict (entry_id) do nothing"
        ),
        {
            "entry_id": entry_id,
            "entry_booked_on": entry.booked_on,
            "reversal_id": reversal_id,
            "today": today,
            "reason": reason,
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    if not claimed.rowcount:
        raise EntryReversed("the entry was reversed before")
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=today,
            branch_id=entry.branch_id,
            kind=period.REVERSAL,
            source_id=str(reversal_id),
            postings=rules.mirrored(ledger.postings(tx.conn, entry_id, entry.booked_on)),
            reference=f"{_name(entry)}: {reason}",
            corrects_id=entry_id,
        ),
    )
    audit.record(tx, "entry.reverse", str(entry_id), after=[str(reversal_id), reason])
    return queries.reversal(tx, entry_id)


def _name(entry: Entry) -> str:
    number = entry.chain_no
    return f"{stream_of(entry.booked_on)} #{number}" if number else f"{entry.booked_on} entry {entry.id}"


def transfer_year(tx: Tx, year: int) -> dict[str, Any]:
    """Empty income and expense of the year into the distribution of profit, branch by branch, dated 31 December.

    What is booked after a transfer is transferred by the next one. December must be over and open, every earlier
    month closed. Raises PeriodNotOver, PeriodNotOpen, EarlierPeriodOpen, NothingToTransfer,
    CompanyNotCovered.
    """
    require_company(tx.actor)
    month, last = date(year, 12, 1), date(year, 12, 31)
    require_over(month, business_date(tx.now))
    periods.hold_month_alone(tx.conn, month)
    state = periods.period_state(tx.conn, month)
    if state != PeriodState.OPEN:
        raise PeriodNotOpen(Text("{month} is {state}", month=month_text(month), state=state or "unknown"))
    earlier = periods.open_before(tx.conn, month)
    if earlier is not None:
        raise EarlierPeriodOpen(
            Text("close {month} first", month=month_text(earlier)), month=month_text(earlier)
        )
    chart = book_of(tx.conn).chart
    posted = 0
    for branch_id, sums in sorted(balances.closings_by_branch(tx.conn, next_month(month)).items()):
        kinds: Sequence[tuple[str, Sequence[PostingLine]]] = tuple(
            zip(("year_result", "year_transfer"), rules.year_result(chart, sums), strict=True)
        )
        for kind, postings in kinds:
            if not postings:
                continue
            posted += 1
            entries.add_entry(
                tx,
                entries.NewEntry(
                    booked_on=last,
                    branch_id=branch_id,
                    kind=kind,
                    source_id=str(new_id()),
                    postings=postings,
                    reference=f"{year}",
                ),
            )
    if not posted:
        raise NothingToTransfer("income and expense are empty")
    audit.record(tx, "year.transfer", str(year), after=posted)
    until = next_month(month)
    left = balances.accounts(tx.conn, until, until, None)
    distribution = chart.code("profit_distribution")
    return {
        "year": year,
        "entries": posted,
        "profit_fen": -queries.transferred(tx, month, distribution),
        "distribution_fen": -left[distribution].opening_fen if distribution in left else 0,
    }
