"""A receipt as a till sends it: its shape and bounds, strictly, before any rule of business.

`decode` refuses whatever does not fit (msgspec); `finance.schemas.ReceiptBody` describes the same shape for
people and names every fault at once. A property test shows that both accept the same inputs.
Source: G15, F24
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, json

NUMBER_PATTERN = r"^[A-Za-z0-9._:/\-]+$(?!\n)"
BRANCH_PATTERN = r"^[A-Z0-9][A-Z0-9_\-]*$(?!\n)"
CATEGORY_PATTERN = r"^[a-z][a-z0-9_]*$(?!\n)"
VISIBLE_PATTERN = r"^[^\x00-\x1f\x7f\ud800-\udfff]+$"
UNIT_PRICE_FEN_MAX = 10**10
QUANTITY_MAX = 10**6
AMOUNT_FEN_MAX = 10**15
LINES_MAX = 200


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
    CREDIT = "credit"
    POINTS = "points"


Number = Annotated[str, Meta(min_length=1, max_length=64, pattern=NUMBER_PATTERN)]
Text64 = Annotated[str, Meta(min_length=1, max_length=64, pattern=VISIBLE_PATTERN)]
Text200 = Annotated[str, Meta(min_length=1, max_length=200, pattern=VISIBLE_PATTERN)]


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    fen: Annotated[int, Meta(ge=0, le=UNIT_PRICE_FEN_MAX)]
    currency: Literal["CNY"]


class Amount(Struct, frozen=True, forbid_unknown_fields=True):
    fen: Annotated[int, Meta(ge=0, le=AMOUNT_FEN_MAX)]
    currency: Literal["CNY"]


class Product(Struct, frozen=True, forbid_unknown_fields=True):
    """What was sold as it was called then (药品管理法 Art 57)."""

    id: Number
    generic_name: Text200
    category: Annotated[str, Meta(min_length=1, max_length=40, pattern=CATEGORY_PATTERN)]
    temp_class: TempClass
    dosage_form: Text200 | None = None
    specification: Text200 | None = None
    mah: Text200 | None = None
    maker: Text200 | None = None
    approval_number: Text200 | None = None


NOTHING = Amount(0, "CNY")


class ReceiptLine(Struct, frozen=True, forbid_unknown_fields=True):
    product: Product
    lot: Text64
    expiry: date
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    unit_price: Price
    tax_bp: Annotated[int, Meta(ge=0, le=10_000)]
    cost: Amount
    discount: Amount = NOTHING


class Payment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`redemption_id` names the points that customers set aside, with the tender `points` alone."""

    tender: Tender
    amount: Amount
    redemption_id: UUID | None = None


class Receipt(Struct, frozen=True, forbid_unknown_fields=True):
    receipt_number: Number
    branch_id: Annotated[str, Meta(min_length=1, max_length=32, pattern=BRANCH_PATTERN)]
    channel: Channel
    sold_at: Annotated[datetime, Meta(tz=True)]
    lines: Annotated[list[ReceiptLine], Meta(min_length=1, max_length=LINES_MAX)]
    tenders: Annotated[list[Payment], Meta(max_length=len(Tender))]
    customer_id: UUID | None = None
    late: bool = False


decoder = json.Decoder(Receipt)
