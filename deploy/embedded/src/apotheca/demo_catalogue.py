"""What the demonstration takes a product of the receipts to be: category, temperature class, VAT rate, lot.

The source names a department, a category and a type per product and nothing else; everything here is an
assumption, listed in docs/demo.md, and data with its source in data/demo_catalogue.json. Pure: the same product and day always give the same answer.
"""

import json
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

SHELF_LIFE_MONTHS = 24
COST_SHARE_BP = 7_000

DATA: dict[str, Any] = json.loads((files("apotheca") / "data" / "demo_catalogue.json").read_text("utf-8"))
CATEGORY_BY_SOURCE: dict[str, str] = {
    source: ours for ours, sources in DATA["categories"].items() for source in sources
}
VAT = [(each["of"], date.fromisoformat(each["from"]), int(each["tax_bp"])) for each in DATA["vat"]]
"""What a rate is of, from when on it held, and the rate in basis points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as the source describes it."""

    product_id: str
    maker: str
    source_category: str
    source_type: str
    package: str


def said_of(product: Product) -> dict[str, str]:
    """What a receipt says of a product, and the catalogue."""
    return {
        "product_id": product.product_id,
        "generic_name": name_of(product),
        "category": category_of(product),
        "temp_class": temp_class_of(product),
        "specification": product.package or "unknown",
        "maker": product.maker,
    }


def legal_class_of(category: str) -> str:
    legal_class: str = DATA["legal_classes"].get(category, "non_drug")
    return legal_class


def category_of(product: Product) -> str:
    return CATEGORY_BY_SOURCE.get(product.source_category, "general")


def temp_class_of(product: Product) -> str:
    """`cold_2_8` for what the source calls refrigerated, `cool` for what melts or spoils above 20 °C, else `normal`."""
    if any(word in product.source_type for word in DATA["cold"]["type_words"]):
        return "cold_2_8"
    cool = DATA["cool"]
    melts = any(word in product.source_type for word in cool["type_words"])
    return "cool" if melts or product.source_category in cool["source_categories"] else "normal"


def taxed_as(product: Product) -> str:
    """What decides the rate of a product: `contraceptive`, `printed`, or `general`."""
    if product.source_type in DATA["contraceptive"]["source_types"]:
        return "contraceptive"
    return "printed" if category_of(product) == "printed" else "general"


def tax_bp_of(product: Product, on: date) -> int:
    """The rate that was in force in China on the day: the newest of its kind."""
    kind = taxed_as(product)
    _, tax_bp = max((since, tax_bp) for of, since, tax_bp in VAT if of == kind and since <= on)
    return tax_bp


def lot_of(product: Product, on: date) -> tuple[str, date]:
    """One synthetic lot per product and month, and its last day: the end of the month two years later."""
    expiry_year, expiry_month = on.year + SHELF_LIFE_MONTHS // 12, on.month
    last_day = monthrange(expiry_year, expiry_month)[1]
    return f"SIM{on:%Y%m}-{product.product_id}", date(expiry_year, expiry_month, last_day)


def name_of(product: Product) -> str:
    """What a receipt calls it: "Adult Analgesics" from "ADULT ANALGESICS"."""
    return (product.source_type or product.source_category).title() or f"Product {product.product_id}"
