"""What may be invoiced of sales, and what a red invoice may take back. Pure; money is fen, per VAT rate.

    left of a sale = (sold − given back) − (blue − red)
    too much       = the same below 0: goods came back after they were invoiced

A blue invoice takes at most what is left; a red one for a return at most what is too much, of that return, and of
the blue one it names; a red one for an error takes the whole rest of the blue one.
Source: F15, F22, INV-5
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from finance.kernel import dated
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.money import tax_of

FEBRUARY, LEAP_DAY = 2, 29


class InvoiceUnknown(NotFound):
    code = "invoice_unknown"
    cure = "Look it up in the list of invoices."


class InvoiceSaleUnknown(NotFound):
    code = "invoice_sale_unknown"
    cure = "Check the ids of the sales."


class InvoiceRefundUnknown(NotFound):
    """There is no such refund of a sale on the blue invoice."""

    code = "invoice_refund_unknown"
    cure = "Name a refund of a sale that the invoice is about."


class InvoiceNumberUnfit(Invalid):
    code = "invoice_number_unfit"
    cure = "Check the number against the invoice: 20 digits, or 8 with a code before them."


class InvoiceNumberUsed(Conflict):
    code = "invoice_number_used"
    cure = "Use the invoice that is recorded under this number."


class InvoiceDayUnfit(Invalid):
    """An invoice is issued from the day of its sales (a red one: of its blue one) until today."""

    code = "invoice_day_unfit"
    cure = "State a day between the sale and today."


class InvoiceSalesMixed(Invalid):
    """One invoice is of one sale, or of sales of one customer in one branch and month."""

    code = "invoice_sales_mixed"
    cure = "Write one invoice for each customer, branch and month."


class InvoiceSpecialUnfit(Invalid):
    """A special invoice is for an institution: it lets the buyer deduct the tax."""

    code = "invoice_special_unfit"
    cure = "Write a normal invoice, or name the institution as customer."


class InvoiceExceedsSale(Conflict):
    """More than what is left to invoice of a sale, or nothing is left."""

    code = "invoice_exceeds_sale"
    cure = "Invoice at most what is left of the sale."


class InvoiceAmountsDiffer(Invalid):
    """The invoice's amounts per rate are not those of the sales."""

    code = "invoice_amounts_differ"
    cure = "State net and tax of each rate as the sales have them."


class InvoiceRedExceeds(Conflict):
    """A red invoice takes back no more than its return, its blue invoice and what was invoiced too much."""

    code = "invoice_red_exceeds"
    cure = "Take back at most what came back of what the blue invoice says."


class InvoiceNotBlue(Conflict):
    code = "invoice_not_blue"
    cure = "Name the blue invoice that is to be taken back."


@dataclass(frozen=True, slots=True)
class Fen:
    net: int
    tax: int

    def __add__(self, other: "Fen") -> "Fen":
        return Fen(self.net + other.net, self.tax + other.tax)

    def __sub__(self, other: "Fen") -> "Fen":
        return Fen(self.net - other.net, self.tax - other.tax)


NOTHING = Fen(0, 0)
Rates = Mapping[int, Fen]
"""Net and tax per VAT rate in basis points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A sale as far as invoices are concerned."""

    sold: Rates
    returned: Rates
    blue: Rates
    red: Rates

    def left(self) -> dict[int, Fen]:
        """What may still be invoiced; a part that is too much already counts as nothing."""
        return {
            bp: at_least_nothing(fen) for bp, fen in self._open().items() if at_least_nothing(fen) != NOTHING
        }

    def too_much(self) -> dict[int, Fen]:
        """What is invoiced of goods that came back."""
        found = {bp: at_least_nothing(NOTHING - fen) for bp, fen in self._open().items()}
        return {bp: fen for bp, fen in found.items() if fen != NOTHING}

    def _open(self) -> dict[int, Fen]:
        return {
            bp: self.sold.get(bp, NOTHING)
            - self.returned.get(bp, NOTHING)
            - self.blue.get(bp, NOTHING)
            + self.red.get(bp, NOTHING)
            for bp in {*self.sold, *self.blue}
        }


def at_least_nothing(fen: Fen) -> Fen:
    return Fen(max(fen.net, 0), max(fen.tax, 0))


def summed(parts: Iterable[Rates]) -> dict[int, Fen]:
    total: dict[int, Fen] = {}
    for part in parts:
        for bp, fen in part.items():
            total[bp] = total.get(bp, NOTHING) + fen
    return {bp: fen for bp, fen in sorted(total.items()) if fen != NOTHING}


def within(wanted: Rates, limit: Rates) -> bool:
    return all(
        fen.net <= limit.get(bp, NOTHING).net and fen.tax <= limit.get(bp, NOTHING).tax
        for bp, fen in wanted.items()
    )


def least(parts: Sequence[Rates]) -> dict[int, Fen]:
    """Per rate the smallest of all."""
    rates = set.intersection(*(set(part) for part in parts))
    found = {
        bp: Fen(min(part[bp].net for part in parts), min(part[bp].tax for part in parts)) for bp in rates
    }
    return {bp: fen for bp, fen in found.items() if fen != NOTHING}


def blue(positions: Mapping[Any, Position], wanted: Mapping[Any, Rates | None]) -> dict[Any, dict[int, Fen]]:
    """What a blue invoice covers of each sale: all that is left unless less is wanted.

    Raises InvoiceExceedsSale, InvoiceAmountsDiffer.
    """
    covered: dict[Any, dict[int, Fen]] = {}
    for sale, position in positions.items():
        left = position.left()
        asked = wanted[sale]
        part = left if asked is None else {bp: fen for bp, fen in asked.items() if fen != NOTHING}
        if not part or not within(part, left):
            raise InvoiceExceedsSale("no more can be invoiced than is left of the sale", sale_id=str(sale))
        _require_proportion(part, left)
        covered[sale] = dict(part)
    return covered


def _require_proportion(part: Rates, whole: Rates) -> None:
    """The tax of a part is its net at the rate, give or take a fen and what rounding per line made of the whole.

    Raises InvoiceAmountsDiffer.
    """
    for bp, fen in part.items():
        if _strays(bp, fen) > _strays(bp, whole[bp]) + 1:
            raise InvoiceAmountsDiffer(
                "the tax of a part is its net at the rate",
                expected=[{"tax_bp": bp, "net_fen": fen.net, "tax_fen": tax_of(fen.net, bp)}],
            )


def _strays(bp: int, fen: Fen) -> int:
    return abs(fen.tax - tax_of(fen.net, bp))


def require_stated(covered: Rates, stated: Rates) -> None:
    """What the invoice says per rate is what it covers, to the fen. Raises InvoiceAmountsDiffer."""
    said = {bp: fen for bp, fen in stated.items() if fen != NOTHING}
    if dict(covered) != said:
        raise InvoiceAmountsDiffer(
            "the amounts per rate are not those of the sales",
            expected=[
                {"tax_bp": bp, "net_fen": fen.net, "tax_fen": fen.tax} for bp, fen in sorted(covered.items())
            ],
        )


def require_red(wanted: Rates, limits: Sequence[Rates]) -> None:
    """Raises InvoiceRedExceeds, InvoiceAmountsDiffer."""
    if not wanted or not within(wanted, least(limits)):
        raise InvoiceRedExceeds(
            "a red invoice takes back no more than came back of what the blue one says",
            most=[
                {"tax_bp": bp, "net_fen": fen.net, "tax_fen": fen.tax}
                for bp, fen in sorted(least(limits).items())
            ],
        )
    _require_proportion(wanted, least(limits))


def require_number(number: str, day: date) -> None:
    """Raises InvoiceNumberUnfit unless the number has a form that was in use on the day."""
    forms = dated.in_force("invoice_rules", day, rule="number")
    if not any(re.fullmatch(row["value"], number, re.ASCII) for row in forms):
        raise InvoiceNumberUnfit(
            "no invoice has a number like this",
            errors=[
                {
                    "path": "number",
                    "message": Text("one of {listed}", listed=", ".join(row["form"] for row in forms)),
                }
            ],
        )


def keep_until(day: date) -> date:
    """The last day that an invoice issued on `day` is kept. Source: INV-5"""
    years = dated.value("invoice_rules", "keep_years", day)
    if (day.month, day.day) == (FEBRUARY, LEAP_DAY):
        return date(day.year + years, 3, 1)
    return day.replace(year=day.year + years)
