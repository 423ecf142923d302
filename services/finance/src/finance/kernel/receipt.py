"""A receipt as a till sends it: its shape and bounds, strictly, before any rule of business.

`decoder` refuses whatever does not fit (msgspec); `shared.explain_typed` tells every fault at once and
`finance.schemas.ReceiptBody` describes the shape in OpenAPI. A property test shows that all accept the same inputs.
None of the structs can be part of a cycle, so the collector need not look at them (`gc=False`): an upload makes many.
Source: G15, F24
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, json

from finance.kernel.codes import TRACE_CODES_MAX, Gtin, TraceCode
from shared.categories import CategoryCode
from shared.errors import Conflict
from shared.money import FEN_MAX
from shared.texts import Branch, Label, Lot, Reference, Staff

UNIT_PRICE_FEN_MAX = 10**10


QUANTITY_MAX = 10**6


AMOUNT_FEN_MAX = FEN_MAX


LINES_MAX = 200


TENDERS_MAX = 20
"""Payments of one receipt, several of one kind among them."""


class Channel(StrEnum):
    STORE = "store"
    ONLINE = "online"
    PHONE = "phone"
    WHOLESALE = "wholesale"


class TempClass(StrEnum):
    NORMAL = "normal"
    COOL = "cool"
    COLD = "cold_2_8"
    FROZEN = "frozen"


class Tender(StrEnum):
    CASH = "cash"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    CARD = "card"
    MEDICAL_INSURANCE = "medical_insurance"
    MEDICAL_INSURANCE_POOLED = "medical_insurance_pooled"
    MEDICAL_INSURANCE_PERSONAL = "medical_insurance_personal"
    CREDIT = "credit"
    POINTS = "points"


WITHOUT_CHANNEL = frozenset({Tender.CASH, Tender.CREDIT, Tender.POINTS})
"""Paid by hand or in our own books: at most one of each on a receipt, and none has a channel's id."""


class Price(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    fen: Annotated[int, Meta(ge=0, le=UNIT_PRICE_FEN_MAX)]
    currency: Literal["CNY"]


class Amount(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    fen: Annotated[int, Meta(ge=0, le=AMOUNT_FEN_MAX)]
    currency: Literal["CNY"]


class Paid(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A tender pays something."""

    fen: Annotated[int, Meta(ge=1, le=AMOUNT_FEN_MAX)]
    currency: Literal["CNY"]


class Product(Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename={"id": "product_id"}):
    """What was sold as it was called then (药品管理法 Art 57). In JSON its `id` is `product_id`, as everywhere."""

    id: Reference
    generic_name: Label
    category: CategoryCode
    temp_class: TempClass
    dosage_form: Label | None = None
    specification: Label | None = None
    mah: Label | None = None
    maker: Label | None = None
    approval_number: Label | None = None
    gtin: Gtin | None = None


NOTHING = Amount(0, "CNY")


class Prescription(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The prescription that a line was sold on, and the pharmacist who reviewed it, by the `sub` of their tokens."""

    number: Reference
    reviewed_by: Staff
    reviewed_at: Annotated[datetime, Meta(tz=True)]


class ReceiptLine(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    product: Product
    lot: Lot
    expiry: date
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    unit_price: Price
    tax_bp: Annotated[int, Meta(ge=0, le=10_000)]
    cost: Amount
    discount: Amount = NOTHING
    trace_codes: Annotated[list[TraceCode], Meta(max_length=TRACE_CODES_MAX)] = []
    prescription: Prescription | None = None


class Payment(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """`redemption_id` names the points that customers set aside, with the tender `points` alone.

    `channel_transaction_id` is what the wallet, the acquirer or the insurance calls the payment.
    """

    tender: Tender
    amount: Paid
    redemption_id: UUID | None = None
    channel_transaction_id: Reference | None = None


class Receipt(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`cashier_id` is the `sub` of who sold, where the token is the till's."""

    receipt_number: Reference
    branch_id: Branch
    channel: Channel
    sold_at: Annotated[datetime, Meta(tz=True)]
    lines: Annotated[list[ReceiptLine], Meta(min_length=1, max_length=LINES_MAX)]
    tenders: Annotated[list[Payment], Meta(max_length=TENDERS_MAX)]
    customer_id: UUID | None = None
    late: bool = False
    cashier_id: Staff | None = None
    shift_id: Reference | None = None


decoder = json.Decoder(Receipt)


def uses_credit(receipt: Receipt) -> bool:
    return any(each.tender is Tender.CREDIT for each in receipt.tenders)


def payment_of(receipt: Receipt) -> Payment | None:
    """What points pay of the receipt, if anything."""
    for each in receipt.tenders:
        if each.tender is Tender.POINTS:
            return each
    return None


SALE_FEN_MAX = 10**12
"""Ten billion yuan: no receipt of a pharmacy says more, and no number of receipts makes sums that cannot be stored."""


class LotExpired(Conflict):
    code = "lot_expired"
    cure = "Sell or give another lot; check the expiry against the pack."


def credit_in(receipt: Receipt) -> int:
    """What the receipt leaves to be paid, in fen."""
    return sum(each.amount.fen for each in receipt.tenders if each.tender is Tender.CREDIT)
