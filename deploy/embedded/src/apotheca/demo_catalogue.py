"""What the demonstration takes a product of the receipts to be: category, temperature class, VAT rate, lot.

The source names a department, a category and a type per product and nothing else; everything here is an
assumption, listed in docs/demo.md. Pure: the same product and day always give the same answer.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

SHELF_LIFE_MONTHS = 24
COST_SHARE_BP = 7_000
GENERAL_VAT_BP = 1_700
PRINTED_VAT_BP_BEFORE_JULY = 1_300
PRINTED_VAT_BP_FROM_JULY = 1_100
PRINTED_VAT_CHANGED_ON = date(2017, 7, 1)

CATEGORIES: dict[str, frozenset[str]] = {
    "otc": frozenset(
        {
            "ANALGESICS",
            "ANTACIDS",
            "COLD AND FLU",
            "EYE AND EAR CARE PRODUCTS",
            "FOOT CARE PRODUCTS",
            "LAXATIVES",
            "PHARMACY",
            "SINUS AND ALLERGY",
            "SMOKING CESSATIONS",
        }
    ),
    "medical_device": frozenset(
        {
            "ADULT INCONTINENCE",
            "FAMILY PLANNING",
            "FIRST AID PRODUCTS",
            "GLASSES/VISION AIDS",
            "HOME HEALTH CARE",
        }
    ),
    "health_food": frozenset({"DIETARY AID PRODUCTS", "NATURAL HBC", "VITAMINS"}),
    "infant": frozenset(
        {"BABY FOODS", "BABY HBC", "DIAPERS & DISPOSABLES", "INFANT CARE PRODUCTS", "INFANT FORMULA"}
    ),
    "personal_care": frozenset(
        {
            "DEODORANTS",
            "ETHNIC PERSONAL CARE",
            "FEMININE HYGIENE",
            "HAIR CARE ACCESSORIES",
            "HAIR CARE PRODUCTS",
            "HAND/BODY/FACIAL PRODUCTS",
            "MISCELLANEOUS HBC",
            "ORAL HYGIENE PRODUCTS",
            "PERSONAL CARE APPLIANCES",
            "SHAVING CARE PRODUCTS",
            "SOAP - LIQUID & BAR",
            "SUNTAN",
        }
    ),
    "food": frozenset({"CANDY - CHECKLANE", "CANDY - PACKAGED"}),
    "tobacco": frozenset({"CIGARETTES", "CIGARS", "TOBACCO OTHER"}),
    "printed": frozenset({"BOOKSTORE", "MAGAZINE", "NEWSPAPER"}),
}
"""Our category ← the source's categories. What is in none of them is `general`."""

CATEGORY_BY_SOURCE = {source: ours for ours, sources in CATEGORIES.items() for source in sources}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as the source describes it."""

    product_id: str
    maker: str
    source_category: str
    source_type: str
    package: str


def category_of(product: Product) -> str:
    return CATEGORY_BY_SOURCE.get(product.source_category, "general")


def temp_class_of(product: Product) -> str:
    """`cold_2_8` for what the source calls refrigerated, `cool` for what melts or spoils above 20 °C, else `normal`."""
    if "REFRIGERATED" in product.source_type:
        return "cold_2_8"
    if product.source_category in {"VITAMINS", "INFANT FORMULA"} or "CHOCO" in product.source_type:
        return "cool"
    return "normal"


def tax_bp_of(product: Product, on: date) -> int:
    """The rate that was in force in China in 2017: general 17 %, printed matter 13 % then 11 %, contraceptives exempt."""
    if product.source_type == "PROPHYLACTICS":
        return 0
    if category_of(product) == "printed":
        return PRINTED_VAT_BP_BEFORE_JULY if on < PRINTED_VAT_CHANGED_ON else PRINTED_VAT_BP_FROM_JULY
    return GENERAL_VAT_BP


def lot_of(product: Product, on: date) -> tuple[str, date]:
    """One synthetic lot per product and month, and its last day: the end of the month two years later."""
    expiry_year, expiry_month = on.year + SHELF_LIFE_MONTHS // 12, on.month
    last_day = monthrange(expiry_year, expiry_month)[1]
    return f"SIM{on:%Y%m}-{product.product_id}", date(expiry_year, expiry_month, last_day)


def name_of(product: Product) -> str:
    """What a receipt calls it: "Adult Analgesics" from "ADULT ANALGESICS"."""
    return (product.source_type or product.source_category).title() or f"Product {product.product_id}"
