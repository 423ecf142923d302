"""The rules of receivables: dated data, ageing, interest for late payment, postings. Pure.

Days past due are whole days after the due day; the due day itself is 0. Money is fen.
Source: F13, F14, F16, regulations 3.0c, metric M19
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from finance.kernel import dated, posting
from finance.kernel.chart import Chart, Standard
from finance.kernel.debts import _since
from finance.kernel.posting import PostingLine
from finance.kernel.vat import tax_inside
from shared.errors import Invalid, NotFound
from shared.money import half_up

SHARES_BP = 10_000
BP = 10_000
PAYMENT_ACCOUNTS = {
    "cash": "cash_on_hand",
    "bank": "bank",
    "wechat": "wechat_clearing",
    "alipay": "alipay_clearing",
    "card": "card_clearing",
    "acceptance_bill": "notes_receivable",
}
"""The meaning of the account that each means of payment comes into."""


class PaymentUnknown(NotFound):
    code = "payment_unknown"
    cure = "Look it up in the list of payments."


class InstalmentsInvalid(Invalid):
    code = "instalments_invalid"
    cure = "Let the shares sum to 10 000 basis points and each instalment be due later than the one before."


def check_instalments(instalments: Sequence[dict[str, int]]) -> None:
    """Raises InstalmentsInvalid unless shares sum to the whole and days rise."""
    if sum(each["share_bp"] for each in instalments) != SHARES_BP:
        raise InstalmentsInvalid("the shares of the instalments sum to 10 000 bp")
    days = [each["days"] for each in instalments]
    if days != sorted(set(days)):
        raise InstalmentsInvalid("each instalment is due later than the one before")


def late_interest_fen(
    *, amount_fen: int, due_on: date, through: date, reductions: Sequence[tuple[date, int]]
) -> int:
    """Simple interest on what was open on each day after `due_on` up to and with `through`.

    `reductions` are (day, fen) by which the debt fell; that day still bears interest on the whole. Rates are
    those in force on each day: one-year LPR plus the surcharge, over the days of the year; days before the first
    known rate bear none.
    Rounding: once, at the end, half up.
    """
    if through <= due_on:
        return 0
    days_of_year = dated.value("late_interest", "days_of_year", through)
    rates = _since("late_interest", "lpr_1y_bp")
    surcharges = _since("late_interest", "surcharge_bp")
    falls = [(day + timedelta(days=1), fen) for day, fen in reductions]
    start, end = due_on + timedelta(days=1), through + timedelta(days=1)
    edges = {start, end}
    edges |= {day for day, _ in [*falls, *rates, *surcharges] if start < day < end}
    ordered = sorted(edges)
    numerator = 0
    for first, until in pairwise(ordered):
        owed = amount_fen - sum(fen for day, fen in falls if day <= first)
        rate = [value for since, value in rates if since <= first]
        if rate:
            surcharge = [value for since, value in surcharges if since <= first][-1]
            numerator += owed * (until - first).days * rate[-1] * (BP + surcharge)
    return half_up(numerator, BP * BP * days_of_year)


def last_month_end(today: date) -> date:
    return today.replace(day=1) - timedelta(days=1)


def payment(chart: Chart, tender: str, fen: int) -> list[PostingLine]:
    """Money against the customer's account; allocation books nothing more."""
    return posting.balanced(
        [
            PostingLine(chart.code(PAYMENT_ACCOUNTS[tender]), fen, 0),
            PostingLine(chart.code("receivables"), 0, fen, is_receivable=True),
        ]
    )


def payment_reversal(chart: Chart, tender: str, fen: int) -> list[PostingLine]:
    """The payment's lines mirrored: it bounced, or was booked in error."""
    return posting.balanced(
        [
            PostingLine(chart.code("receivables"), fen, 0, is_receivable=True),
            PostingLine(chart.code(PAYMENT_ACCOUNTS[tender]), 0, fen),
        ]
    )


def write_off(chart: Chart, fen: int) -> list[PostingLine]:
    """Against the allowance where the standard keeps one (CAS), else straight to expense (small enterprises)."""
    loss = "bad_debt_allowance" if chart.standard is Standard.CAS else "non_operating_expenses"
    return posting.balanced(
        [
            PostingLine(chart.code(loss), fen, 0),
            PostingLine(chart.code("receivables"), 0, fen, is_receivable=True),
        ]
    )


def recovery(chart: Chart, fen: int) -> list[PostingLine]:
    """What was written off stands again: the mirror under CAS, income of a small enterprise."""
    gain = "bad_debt_allowance" if chart.standard is Standard.CAS else "non_operating_income"
    return posting.balanced(
        [
            PostingLine(chart.code("receivables"), fen, 0, is_receivable=True),
            PostingLine(chart.code(gain), 0, fen),
        ]
    )


def interest(chart: Chart, fen: int, day: date) -> list[PostingLine]:
    """Interest for late payment is part of the price: the VAT inside it is due with it."""
    tax = tax_inside(fen, dated.value("late_interest", "vat_inside_bp", day))
    return posting.balanced(
        [
            PostingLine(chart.code("receivables"), fen, 0, is_receivable=True),
            PostingLine(chart.code("non_operating_income"), 0, fen - tax),
            PostingLine(chart.code("output_vat"), 0, tax),
        ]
    )
