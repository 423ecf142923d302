"""Price a receipt: the one function that till and bulk upload share, and every rule it can break.

Prices hold the tax. Per line gross = quantity × unit price − discount, tax = gross × bp ÷ (10 000 + bp) rounded
half up, net = gross − tax; totals are sums of lines. Money is fen.
Source: F1, F15, F24, G15, model 3.0 and 3.2
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

from msgspec import json
from msgspec.structs import replace
from uuid_utils import uuid7

from finance.kernel import dated, posting
from finance.kernel.chart import Chart
from finance.kernel.period import BeforeTheBooks
from finance.kernel.posting import PostingLine
from finance.kernel.receipt import SALE_FEN_MAX, WITHOUT_CHANNEL, LotExpired, Receipt, Tender, payment_of
from finance.kernel.sale import Booked, PricedSale
from finance.kernel.vat import VatRateUnknown, rates_on, tax_inside
from finance.sales.rules import carried
from finance.sales.rules.carried import Fault
from shared.categories import meaning
from shared.clock import business_date
from shared.errors import Conflict, Invalid
from shared.languages import Text

CLOCKS_DIFFER_S_MAX = 300
"""A till's clock may run ahead of ours by this much."""


class TendersDiffer(Invalid):
    code = "tenders_differ"
    cure = "Let the tenders sum to what the receipt comes to."


class TenderRepeated(Invalid):
    code = "tender_repeated"
    cure = (
        "Add up cash, credit and points to one each; name the channel's id of each other payment of one kind."
    )


class ChannelTransactionMisplaced(Invalid):
    """Cash, credit and points go through no channel."""

    code = "channel_transaction_misplaced"
    cure = "Name the channel's id with what its channel paid, and leave it out with cash, credit and points."


class DiscountTooLarge(Invalid):
    code = "discount_too_large"
    cure = "Take off at most the price."


class SaleTooLarge(Invalid):
    """More than a receipt can be about: what was meant are other units."""

    code = "sale_too_large"
    cure = "Split the receipt."


class SoldInFuture(Invalid):
    code = "sold_in_future"
    cure = "Correct `sold_at`; check the clock of the till."


class CreditNeedsCustomer(Invalid):
    code = "credit_needs_customer"
    cure = "Name the customer, or let it be paid at once."


class PointsNeedCustomer(Invalid):
    code = "points_need_customer"
    cure = "Name the customer whose points pay."


class RedemptionMissing(Invalid):
    """Points pay by a redemption that customers made for this receipt."""

    code = "redemption_missing"
    cure = "Ask customers for a redemption and name it in the tender."


class RedemptionMisplaced(Invalid):
    """Only the tender `points` names a redemption."""

    code = "redemption_misplaced"
    cure = "Name a redemption only where points pay."


class PointsForMedicine(Conflict):
    """Prescription drugs and class A OTC drugs are never a reward. Source: G18"""

    code = "points_not_for_these_goods"
    cure = "Let these goods be paid without points."


def price(receipt: Receipt, *, now: datetime, begins_on: date) -> PricedSale:
    """The amounts of a receipt. Raises the first rule it breaks, listing all of them under `errors`."""
    sold_at, day = _moment(receipt.sold_at, now, begins_on)
    faults: list[Fault] = []
    known_rates = rates_on(day)
    nets, taxes, cost = [], [], 0
    for index, line in enumerate(receipt.lines):
        gross = line.quantity * line.unit_price.fen - line.discount.fen
        if gross < 0:
            faults.append((DiscountTooLarge, f"lines.{index}.discount", "the discount exceeds the price"))
            gross = 0
        if line.tax_bp not in known_rates:
            faults.append(
                (
                    VatRateUnknown,
                    f"lines.{index}.tax_bp",
                    Text("no VAT rate of {day} is {tax_bp} bp", day=day, tax_bp=line.tax_bp),
                )
            )
        if line.expiry < day:
            faults.append(
                (LotExpired, f"lines.{index}.expiry", Text("the lot expired before {day}", day=day))
            )
        tax = tax_inside(gross, line.tax_bp)
        nets.append(gross - tax)
        taxes.append(tax)
        cost += line.cost.fen
    net, tax = sum(nets), sum(taxes)
    if max(net + tax, cost) > SALE_FEN_MAX:
        faults.append(
            (
                SaleTooLarge,
                "lines",
                Text("a receipt and its cost are at most {sale_fen_max} fen each", sale_fen_max=SALE_FEN_MAX),
            )
        )
    _check_tenders(receipt, net + tax, faults)
    _check_rewards(receipt, day, faults)
    faults += carried.carried_faults(receipt)
    if faults:
        _refuse(faults)
    if receipt.sold_at.tzinfo is not UTC:
        receipt = replace(receipt, sold_at=sold_at)
    receipt = carried.as_kept(receipt)
    return PricedSale(receipt, day, nets, taxes, net, tax, net + tax, cost, content_hash(receipt))


def _moment(sold_at: datetime, now: datetime, begins_on: date) -> tuple[datetime, date]:
    if sold_at.year <= begins_on.year - 1:
        raise BeforeTheBooks(
            Text("the books begin on {begins_on}", begins_on=begins_on), begins_on=str(begins_on)
        )
    if sold_at.year > now.year + 1 or sold_at > now + timedelta(seconds=CLOCKS_DIFFER_S_MAX):
        raise SoldInFuture("the sale lies in the future")
    day = business_date(sold_at)
    if day < begins_on:
        raise BeforeTheBooks(
            Text("the books begin on {begins_on}", begins_on=begins_on), begins_on=str(begins_on)
        )
    return sold_at.astimezone(UTC), day


def _check_tenders(receipt: Receipt, total_fen: int, faults: list[Fault]) -> None:
    paid, kinds, seen = 0, set(), set()
    for index, each in enumerate(receipt.tenders):
        paid += each.amount.fen
        key = each.tender, each.channel_transaction_id
        if key in seen:
            faults.append(
                (
                    TenderRepeated,
                    f"tenders.{index}.tender",
                    "each kind of tender once, or each with its channel's id",
                )
            )
        seen.add(key)
        kinds.add(each.tender)
        if each.channel_transaction_id is not None and each.tender in WITHOUT_CHANNEL:
            path = f"tenders.{index}.channel_transaction_id"
            faults.append((ChannelTransactionMisplaced, path, "this goes through no channel"))
        if (each.redemption_id is None) is (each.tender is Tender.POINTS):
            faults.append(_redemption_fault(index, each.tender))
    if paid != total_fen:
        faults.append(
            (
                TendersDiffer,
                "tenders",
                Text(
                    "tenders sum to {paid} fen, the receipt to {total_fen} fen",
                    paid=paid,
                    total_fen=total_fen,
                ),
            )
        )
    if Tender.CREDIT in kinds and receipt.customer_id is None:
        faults.append((CreditNeedsCustomer, "customer_id", "a sale on credit names its customer"))
    if Tender.POINTS in kinds and receipt.customer_id is None:
        faults.append((PointsNeedCustomer, "customer_id", "a sale paid with points names its customer"))


def _redemption_fault(index: int, tender: Tender) -> Fault:
    path = f"tenders.{index}.redemption_id"
    if tender is Tender.POINTS:
        return RedemptionMissing, path, "points name the redemption that sets them aside"
    return RedemptionMisplaced, path, "only points name a redemption"


def _check_rewards(receipt: Receipt, day: date, faults: list[Fault]) -> None:
    """What points pay is a reward, so none of the receipt's goods may be of a kind that never is one."""
    if payment_of(receipt) is None:
        return
    never = never_for(day)
    for index, line in enumerate(receipt.lines):
        if meaning(line.product.category) in never:
            message = Text(
                "points do not pay a receipt with goods of {category}", category=line.product.category
            )
            faults.append((PointsForMedicine, f"lines.{index}.product.category", message))


@cache
def never_for(day: date) -> frozenset[str]:
    """The categories of goods that points do not pay on this day. Source: G18"""
    begun = dated.in_force("points_tender_rules", day)
    return frozenset(begun[-1]["value"]) if begun else frozenset()


def _refuse(faults: list[Fault]) -> None:
    # What can never be right is told before what a rule forbids.
    refusal, _, message = min(faults, key=lambda fault: issubclass(fault[0], Conflict))
    raise refusal(message, errors=[{"path": path, "message": text} for _, path, text in faults])


_encode: Callable[[Receipt], bytes] = json.Encoder().encode


def content_hash(receipt: Receipt) -> bytes:
    """Of all a receipt says about the sale, defaults filled in; whether it came late is not part of it.

    A receipt that an older release took is known again: what is hashed keeps the name that a product's id had then, and
    leaves out what receipts may carry since, where they do not.
    """
    said = _encode(replace(receipt, late=False) if receipt.late else receipt)
    said = said.replace(b'"product":{"product_id":', b'"product":{"id":')
    for nothing, end in _SINCE:
        said = said.replace(nothing, end)
    return hashlib.sha256(said).digest()


_SINCE = (
    (b',"gtin":null}', b"}"),
    (b',"trace_codes":[],"prescription":null}', b"}"),
    (b',"cashier_id":null,"shift_id":null}', b"}"),
)
"""Ends of objects as they are encoded; no text holds them, since its quotes are escaped."""


def book_sale(
    priced: PricedSale,
    booked_on: date,
    chart: Chart,
    terms: str | None = None,
    points_lines: Sequence[PostingLine] = (),
) -> Booked:
    """Give the sale its ids and its entry. Pure but for the ids.

    `points_lines` are those of the tender `points`, whose value only customers' facts tell.
    """
    receipt = priced.receipt
    sale_id = str(uuid7())
    line_ids = [str(uuid7()) for _ in receipt.lines]
    postings = posting.sale(
        chart,
        [(each.tender.value, each.amount.fen) for each in receipt.tenders if each.redemption_id is None],
        net_fen=priced.net_fen,
        tax_fen=priced.tax_fen,
        cost_fen=priced.cost_fen,
        points=points_lines,
    )
    return Booked(
        priced,
        sale_id,
        line_ids,
        str(uuid7()),
        booked_on,
        postings,
        sum(line.debit_fen for line in postings) if points_lines else priced.total_fen + priced.cost_fen,
        terms,
    )
