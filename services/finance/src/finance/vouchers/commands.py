"""Manual vouchers from draft to posting, reversals, and the year's transfer of profit.

Source: F1, F15, F27, G28, model 3.2 (JournalEntry, AccountingPeriod), I26, I27
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from finance import balances, budget_control, entries, ledger, periods, trade_permissions
from finance.book import book_of, stream_of
from finance.kernel import period
from finance.kernel.company import require_company
from finance.kernel.period import EarlierPeriodOpen, PeriodNotOpen, PeriodState, month_text, require_over
from finance.kernel.posting import PostingLine
from finance.open_items import NewItem
from finance.vouchers import queries, rules, store
from finance.vouchers.model import Draft, Entry, Transferred, Voucher
from finance.vouchers.rules import (
    EntryHasOwnCorrection,
    EntryNotFound,
    EntryReversed,
    NothingToTransfer,
    VoucherDecided,
    VoucherLine,
)
from finance.vouchers.tables import voucher_decisions
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, month_of, new_id, next_month
from shared.languages import Text
from shared.transaction import Tx

APPROVER = "finance_head"


def draft(tx: Tx, said: Draft) -> UUID:
    """Write a voucher down; nothing is booked until another person approves it.

    Dated the day before the books it is their opening. Raises ForeignBranch, VoucherInvalid, VoucherInFuture,
    CustomerUnknown, CustomerNotYetKnown, PeriodNotOpen.
    """
    tx.actor.require_branch(said.branch_id)
    book = book_of(tx.conn)
    kind = rules.kind_of(said.booked_on, book.begins_on)
    postings = rules.postings_of(book.chart, said.lines, kind)
    rules.require_bookable(said.booked_on, begins_on=book.begins_on, today=business_date(tx.now))
    _require_known(tx, {UUID(line.customer_id) for line in postings if line.customer_id})
    _require_open(tx, said.booked_on)
    subject = {
        "booked_on": said.booked_on,
        "branch_id": said.branch_id,
        "summary": said.summary,
        "charged_to": [said.department, said.campaign],
        "lines": store.stored(said),
    }
    voucher_id = new_id()
    total_fen = sum(line.debit_fen for line in postings)
    store.insert(tx, voucher_id, said, total_fen, audit.digest(subject))
    audit.record(tx, "voucher.draft", str(voucher_id), after=subject)
    return voucher_id


def _require_known(tx: Tx, customers: set[UUID]) -> None:
    trade_permissions.require_told(tx, customers - store.known_of(tx, customers))


def _opened(lines: Sequence[VoucherLine]) -> list[NewItem]:
    """What customers owed, or had paid too much, when the books began."""
    return [
        NewItem(
            fen=each.debit_fen - each.credit_fen,
            due_on=each.due_on,
            kind="other",
            customer_id=str(each.customer_id),
        )
        for each in lines
        if each.customer_id and each.due_on
    ]


def _require_open(tx: Tx, day: date) -> None:
    state = periods.hold_months(tx.conn, [day])[month_of(day)]
    if state != PeriodState.OPEN:
        raise PeriodNotOpen(Text("{month} is {state}", month=month_text(day), state=state))


def decide(tx: Tx, voucher_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Draft → posted or rejected, by a finance head who did not write it.

    What was no control account when it was written may be one now. What it spends draws on the budgets. Raises
    VoucherNotFound, VoucherDecided, VoucherSumsTooLarge, SamePerson, ReasonMissing, PeriodNotOpen, ForeignBranch, VoucherInvalid,
    Unbudgeted, BudgetExceeded, OverrunNotApproved.
    """
    voucher = _undecided(tx, voucher_id)
    decide_and_store(
        tx,
        voucher_decisions,
        {"voucher_id": voucher_id},
        Approval(
            required=frozenset({APPROVER}),
            excluded=frozenset({voucher.drafted_by}),
            subject_hash=voucher.subject_hash,
        ),
        approved=approved,
        reason=reason,
    )
    if approved:
        _post(tx, voucher)
    _end(tx, voucher, "posted" if approved else "rejected", reason)


def _post(tx: Tx, voucher: Voucher) -> None:
    _require_open(tx, voucher.booked_on)
    rules.require_exact_sums(store.posted_fen(tx.conn), voucher.total_fen)
    book = book_of(tx.conn)
    kind = rules.kind_of(voucher.booked_on, book.begins_on)
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=voucher.booked_on,
            branch_id=voucher.branch_id,
            kind=kind,
            source_id=str(voucher.voucher_id),
            postings=rules.postings_of(book.chart, voucher.lines, kind),
            reference=voucher.summary,
        ),
        items=_opened(voucher.lines),
        charged_to=(voucher.department, voucher.campaign),
    )


def decide_overrun(tx: Tx, voucher_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and management let a draft exceed its budgets when it is posted, or reject it.

    Raises VoucherNotFound, VoucherDecided and the refusals of shared.approvals.
    """
    voucher = _undecided(tx, voucher_id)
    state, decision = budget_control.decide_overrun(
        tx,
        budget_control.Overrunning(
            kind="voucher",
            source_id=voucher_id,
            asked_by=voucher.drafted_by,
            subject_hash=voucher.subject_hash,
        ),
        approved=approved,
        reason=reason,
    )
    if state == "rejected":
        _end(tx, voucher, state, decision.reason)


def _undecided(tx: Tx, voucher_id: UUID) -> Voucher:
    voucher = store.voucher(tx, voucher_id, lock=True)
    if voucher.state != "draft":
        raise VoucherDecided(Text("the voucher is {state}", state=voucher.state))
    return voucher


def _end(tx: Tx, voucher: Voucher, state: str, reason: str | None) -> None:
    store.end(tx, voucher.voucher_id, state, reason)
    audit.record(
        tx, f"voucher.{state}", str(voucher.voucher_id), before="draft", after=[state, voucher.subject_hash]
    )


def reverse(tx: Tx, entry_id: int, reason: str) -> None:
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
    if not store.claim_reversal(tx, entry, reversal_id, today, reason):
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


def _name(entry: Entry) -> str:
    number = entry.chain_no
    return f"{stream_of(entry.booked_on)} #{number}" if number else f"{entry.booked_on} entry {entry.id}"


def transfer_year(tx: Tx, year: int) -> Transferred:
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
    return Transferred(
        year=year,
        entries=posted,
        profit_fen=-queries.transferred(tx, month, distribution),
        distribution_fen=-left[distribution].opening_fen if distribution in left else 0,
    )
