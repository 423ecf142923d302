"""Manual vouchers and reversals: what an accountant may write into the journal by hand.

Accounts that a sub-ledger explains (receivables, cash drawers, points) are moved by their own documents alone, so that
the sub-ledger and its control account never part. A document's entry is corrected by the document's own correction.
What the books begin with is a voucher dated the day before them (期初余额): it moves nothing, and may name cash in the
safe and what each customer owes.
Source: F1, F15, F27, model 3.2 (JournalEntry), I26, I28
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from finance.kernel import dated
from finance.kernel.chart import Chart
from finance.kernel.period import MANUAL, OPENING, eve_of
from finance.kernel.posting import PostingLine, balanced
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.money import FEN_MAX
from shared.texts import SUM_MAX

OPENED_BY_HAND = frozenset({"receivables", "cash_on_hand", "year_profit"})
"""Control accounts that an opening may name: its lines bring the rows of the sub-ledger with them."""


CONTROL_ACCOUNTS: frozenset[str] = frozenset(row["meaning"] for row in dated.read("control_accounts"))


@dataclass(frozen=True, slots=True)
class VoucherLine:
    """One side has an amount. In an opening a line on 1122 says who owes it and since when it is due."""

    account: str
    debit_fen: int = 0
    credit_fen: int = 0
    customer_id: UUID | None = None
    due_on: date | None = None


class VoucherInvalid(Invalid):
    """Lines that make no entry; each fault is listed."""

    code = "voucher_invalid"
    cure = "Mend what the sentence names in the voucher."


class VoucherNotFound(NotFound):
    code = "voucher_not_found"
    cure = "Look it up in the list of vouchers."


class VoucherDecided(Conflict):
    code = "voucher_decided"
    cure = "Write a new voucher."


class VoucherSumsTooLarge(Conflict):
    """With this voucher the books would hold sums that no reader of JSON takes exactly."""

    code = "voucher_sums_too_large"
    cure = "Write smaller amounts, in several vouchers."


class VoucherInFuture(Invalid):
    code = "voucher_in_future"
    cure = "Date the voucher today or before."


class EntryNotFound(NotFound):
    code = "journal_entry_not_found"
    cure = "Look it up in the list of journal entries."


class EntryReversed(Conflict):
    code = "journal_entry_reversed"
    cure = "Nothing needs doing: the entry was reversed."


class EntryHasOwnCorrection(Conflict):
    """The entry belongs to a document: a sale is corrected by a return, a claim by its own step."""

    code = "journal_entry_has_own_correction"
    cure = "Correct the document that made the entry: the sale by a return, the payment by its reversal."


class NothingToTransfer(Conflict):
    code = "nothing_to_transfer"
    cure = "Nothing needs doing: the year's accounts of income and expense are empty."


def kind_of(booked_on: date, begins_on: date) -> str:
    """A voucher of the day before the books is their opening."""
    return OPENING if booked_on == eve_of(begins_on) else MANUAL


def postings_of(chart: Chart, lines: Sequence[VoucherLine], kind: str = MANUAL) -> list[PostingLine]:
    """The posting of a voucher.

    Raises VoucherInvalid, listing every fault: an account that is unknown, not a leaf, or a control account; a line
    with both sides or none; sides that differ or exceed FEN_MAX; a debt without customer and day, or another line with them.
    """
    faults: list[tuple[str, str | Text]] = []
    receivables = chart.code("receivables")
    for index, line in enumerate(lines):
        account = chart.by_code.get(line.account)
        if account is None or not account.leaf:
            faults.append((f"lines.{index}.account", "no such leaf account"))
        elif account.meaning in CONTROL_ACCOUNTS and not (
            kind == OPENING and account.meaning in OPENED_BY_HAND
        ):
            faults.append((f"lines.{index}.account", "a sub-ledger explains this account; use its documents"))
        owed = [line.customer_id is not None, line.due_on is not None]
        if owed != [line.account == receivables] * 2:
            faults.append(
                (f"lines.{index}.customer_id", "customer and day belong to what is owed, and to it alone")
            )
        if (line.debit_fen > 0) == (line.credit_fen > 0):
            faults.append((f"lines.{index}", "a line has one side"))
    if sum(line.debit_fen for line in lines) != sum(line.credit_fen for line in lines):
        faults.append(("lines", "debits and credits differ"))
    if sum(line.debit_fen for line in lines) > FEN_MAX:
        faults.append(("lines", Text("a voucher is of at most {fen_max} fen a side", fen_max=FEN_MAX)))
    if faults:
        raise VoucherInvalid(
            faults[0][1], errors=[{"path": path, "message": message} for path, message in faults]
        )
    return balanced(
        PostingLine(
            line.account,
            line.debit_fen,
            line.credit_fen,
            line.account == receivables,
            str(line.customer_id) if line.customer_id else None,
        )
        for line in lines
    )


def require_exact_sums(posted_fen: int, total_fen: int) -> None:
    """Whatever accounts they name, vouchers together stay within SUM_MAX fen a side. Raises VoucherSumsTooLarge."""
    if posted_fen + total_fen > SUM_MAX:
        raise VoucherSumsTooLarge(
            Text("all vouchers together are of at most {sum_max} fen a side", sum_max=SUM_MAX)
        )


def require_bookable(booked_on: date, *, begins_on: date, today: date) -> None:
    """Raises VoucherInFuture, or VoucherInvalid for a day before the books; the day before them opens them."""
    if booked_on > today:
        raise VoucherInFuture(
            "a voucher is not dated ahead", errors=[{"path": "booked_on", "message": "after today"}]
        )
    if booked_on < eve_of(begins_on):
        raise VoucherInvalid(
            "the day is before the books",
            errors=[{"path": "booked_on", "message": Text("before {begins_on}", begins_on=begins_on)}],
        )


def mirrored(lines: Sequence[PostingLine]) -> list[PostingLine]:
    """The same accounts and amounts, sides exchanged."""
    return balanced(line._replace(debit_fen=line.credit_fen, credit_fen=line.debit_fen) for line in lines)


def year_result(chart: Chart, sums: Mapping[str, int]) -> tuple[list[PostingLine], list[PostingLine]]:
    """The two entries of the year's end from balances (debit less credit, fen) by account code.

    The first empties income and expense into the profit of the year (4103 or 3103), the second moves that, and any
    adjustment of prior years, to the distribution of profit (4104 or 3104). Either may be empty.
    """
    profit, distribution = chart.code("year_profit"), chart.code("profit_distribution")
    prior = {each.code for each in chart.accounts if each.meaning == "prior_year_adjustment"}
    results = {
        code: fen
        for code, fen in sums.items()
        if fen and code not in prior and chart.by_code[code].type in {"income", "expense"}
    }
    earned = sum(results.values())
    first = [_moved(code, -fen) for code, fen in sorted(results.items())]
    moving = {profit: sums.get(profit, 0) + earned} | {code: sums.get(code, 0) for code in prior}
    second = [_moved(code, -fen) for code, fen in sorted(moving.items())]
    return (
        balanced([*first, _moved(profit, earned)]),
        balanced([*second, _moved(distribution, sum(moving.values()))]),
    )


def _moved(account: str, fen: int) -> PostingLine:
    return PostingLine(account, max(fen, 0), max(-fen, 0))
