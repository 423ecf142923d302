"""The rules of orders: what a price needs to be agreed, what an order may say, what may follow from its state. Pure.

Prices are fen of one unit with the tax inside; what is asked is the unit price less the unit discount.
Source: F10, F11, F12, F27, I30, I34, X9, model 3.2 (SalesOrder)
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from finance.kernel import dated
from finance.kernel.receipt import SALE_FEN_MAX, Product
from finance.prices import Prices
from shared.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from shared.languages import Text

BP = 10_000


class OrderNotFound(NotFound):
    code = "order_not_found"
    cure = "Look it up in the list of orders."


class OrderNotReady(Conflict):
    """The step does not follow from the order's state."""

    code = "order_not_ready"
    cure = "Read the order again; its state says what comes next."


class OrderChanged(Conflict):
    """Somebody changed the order since the version that the caller read."""

    code = "order_changed"
    cure = "Read the order again and decide on the version that it has now."


class OrderRefused(Conflict):
    """The checks found faults; `faults` lists all of them, each with the code of its refusal."""

    code = "order_refused"
    cure = "Mend or have approved what `faults` lists, then confirm it again."


class OrderNotYours(Forbidden):
    """Who asked for the order, or for its change, does not confirm it."""

    code = "order_confirmed_by_requester"
    cure = "Let another person confirm it."


class OrderLineRepeated(Invalid):
    code = "order_line_repeated"
    cure = "Give each line a number of its own."


class OrderDiscountTooLarge(Invalid):
    code = "order_discount_too_large"
    cure = "Take off at most the price."


class DeliveryInPast(Invalid):
    code = "order_delivery_in_past"
    cure = "Choose a day that lies ahead."


class OrderTooLarge(Invalid):
    code = "order_too_large"
    cure = "Split the order."


class ContractNotOfCustomer(Conflict):
    """The contract is another customer's, or its line is about another product."""

    code = "order_contract_differs"
    cure = "Name a contract of this customer and branch, and order other goods by themselves."


class QuantityBelowShipped(Conflict):
    """What is shipped stays ordered, as it was called when it was shipped."""

    code = "order_below_shipped"
    cure = "Change the lines to at least what was shipped."


class PriceNotSet(Conflict):
    """No price rule covers the product for this kind of customer; nothing is sold at a price nobody decided."""

    code = "price_not_set"
    cure = "Have a price set for this product first."


class PriceFeigned(Conflict):
    """A price above the list's, to show a discount that is none (价格法 Art 14: no false prices)."""

    code = "order_price_feigned"
    cure = "State the list price and the discount that is taken off it."


class ApprovalNotNeeded(Conflict):
    code = "order_approval_not_needed"
    cure = "Confirm the order: nothing of this matter waits."


class ApprovalUntilInvalid(Invalid):
    """An override of credit ends, and not later than the house allows."""

    code = "order_override_until_invalid"
    cure = "Let the approval end after now and within the time that the sentence names."


class ShipmentExceedsOrder(Conflict):
    code = "shipment_exceeds_order"
    cure = "Ship at most what is ordered and not shipped."


class ShipmentLineUnknown(Invalid):
    code = "shipment_line_unknown"
    cure = "Use a line number of the order."


class LotNotOrdered(Conflict):
    """The order names its lots, and this is none of them."""

    code = "shipment_lot_not_ordered"
    cure = "Ship the lots that the line names, or change the order."


class TraceCodesInvalid(Invalid):
    """More codes than packs, or one code twice."""

    code = "shipment_trace_codes_invalid"
    cure = "Name each code once, at most one for each unit."


class ShippedByConfirmer(Forbidden):
    """Who keeps the goods did not decide that they leave (会计法 Art 25)."""

    code = "shipment_by_confirmer"
    cure = "Let another person ship it."


def rule_on(name: str, day: date) -> Any:
    return dated.value("order_rules", name, day)


class Verdict(StrEnum):
    FREE = "free"
    DISCOUNT = "discount"
    BELOW_FLOOR = "below_floor"


def lowered(list_fen: int, bp: int) -> int:
    """The list price less `bp` of it; the reduction is rounded down to whole fen."""
    return list_fen - list_fen * bp // BP


def lowest_free(prices: Prices, authority_bp: int) -> int:
    """The lowest price that needs nobody's approval: by strategy or by authority, the two never add up, at the floor it ends."""
    return max(prices.floor_fen, lowered(prices.list_fen, max(prices.concession_bp, authority_bp)))


def decide_price(
    asked_fen: int, prices: Prices, authority_bp: int, *, is_contracted: bool = False
) -> Verdict:
    """Whether a price is free, needs a higher role, or the two heads. A price of a signed contract is free down to the floor."""
    if asked_fen < prices.floor_fen:
        return Verdict.BELOW_FLOOR
    if is_contracted or asked_fen >= lowest_free(prices, authority_bp):
        return Verdict.FREE
    return Verdict.DISCOUNT


def authority_of(roles: Collection[str], day: date) -> int:
    """The bp below list that a person of these roles may give."""
    authority: Mapping[str, int] = rule_on("discount_authority", day)
    return max((bp for role, bp in authority.items() if role in roles), default=0)


def roles_for(asked_fen: int, prices: Prices, day: date) -> frozenset[str]:
    """The roles each of which may approve a price at or above the floor by itself."""
    authority: Mapping[str, int] = rule_on("discount_authority", day)
    return frozenset(role for role, bp in authority.items() if lowest_free(prices, bp) <= asked_fen)


class NamedLot(Struct, frozen=True):
    lot: str
    expiry: date


class Line(Struct, frozen=True):
    """One line of an order, with the product as it was called then."""

    no: int
    product: Product
    quantity: int
    unit_price_fen: int
    unit_discount_fen: int
    tax_bp: int
    deliver_on: date
    contract_line: int | None = None
    lots: tuple[NamedLot, ...] = ()

    @property
    def asked_fen(self) -> int:
        """What one unit costs the buyer."""
        return self.unit_price_fen - self.unit_discount_fen

    @property
    def total_fen(self) -> int:
        return self.quantity * self.asked_fen


def lines_of(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Lines back from their stored JSON, whatever release stored it."""
    return msgspec.convert([as_named_now(each) for each in rows], list[Line])


def as_named_now(line: Mapping[str, Any]) -> dict[str, Any]:
    """A stored line whose product is named `product_id`; orders of before the rename of addresses said `id`."""
    product = line["product"]
    if "id" not in product:
        return dict(line)
    return {
        **line,
        "product": {"product_id": product["id"], **{k: v for k, v in product.items() if k != "id"}},
    }


def stored(lines: Sequence[Line]) -> Any:
    return msgspec.to_builtins(lines)


def check_lines(lines: Sequence[Line], known: Collection[int], today: date) -> None:
    """Faults that no approval mends. `known` are lines confirmed before: their day may have passed.

    Raises OrderLineRepeated, OrderDiscountTooLarge, DeliveryInPast, OrderTooLarge, all listed under `errors`.
    """
    faults: list[tuple[type[DomainError], str, str]] = []
    seen: set[int] = set()
    for index, line in enumerate(lines):
        if line.no in seen:
            faults.append((OrderLineRepeated, f"lines.{index}.no", "each number once"))
        seen.add(line.no)
        if line.unit_discount_fen > line.unit_price_fen:
            faults.append(
                (OrderDiscountTooLarge, f"lines.{index}.unit_discount", "the discount exceeds the price")
            )
        if line.deliver_on < today and line.no not in known:
            faults.append((DeliveryInPast, f"lines.{index}.deliver_on", "this day has passed"))
    if sum(line.total_fen for line in lines) > SALE_FEN_MAX:
        faults.append((OrderTooLarge, "lines", "the sum is beyond what an amount may be"))
    if faults:
        refusal, _, message = faults[0]
        raise refusal(message, errors=[{"path": path, "message": text} for _, path, text in faults])


def below_shipped(
    lines: Sequence[Line], confirmed: Mapping[int, tuple[Line, int]]
) -> Iterator[tuple[int, str]]:
    """Lines that say less than what was shipped of them, by number. `confirmed` has each line with its shipped quantity."""
    wanted = {line.no: line for line in lines}
    for no, (line, shipped) in confirmed.items():
        if not shipped:
            continue
        if no not in wanted or wanted[no].quantity < shipped:
            yield no, Text("{shipped} are shipped", shipped=shipped)
        elif wanted[no].product != line.product or wanted[no].tax_bp != line.tax_bp:
            yield no, "what is shipped keeps its product and rate"
        elif wanted[no].quantity == shipped and wanted[no] != replace(line, quantity=shipped):
            yield no, "what is shipped whole stays as it was: its price, its day, its lots"


DRAFTS = frozenset({"draft", "checked"})
HOLDING = frozenset({"confirmed", "part_shipped", "shipped"})
"""States in which an order holds credit and contract quantity for what is not shipped."""
ENDED = frozenset({"closed", "cancelled"})


def state_of(quantities: Collection[tuple[int, int]]) -> str:
    """The state of a confirmed order from the (ordered, shipped) of its lines."""
    if all(ordered == shipped for ordered, shipped in quantities):
        return "shipped"
    return "part_shipped" if any(shipped for _, shipped in quantities) else "confirmed"
