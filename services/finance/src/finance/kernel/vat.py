"""VAT rates as dated rows: which rates exist on a day, and the tax inside a price that holds it.

Source: regulations (legal numbers are data), architecture decision 10
"""

from datetime import date
from functools import lru_cache

from finance.kernel import dated
from shared.errors import Invalid


@lru_cache(maxsize=4_096)
def rates_on(day: date) -> frozenset[int]:
    """The rates in force on a business date, in basis points."""
    return frozenset(int(row["value"]) for row in dated.in_force("vat_rates", day))


def tax_inside(gross_fen: int, rate_bp: int) -> int:
    """Tax in fen contained in a gross amount ≥ 0, rounded half up: gross × bp ÷ (10 000 + bp)."""
    whole = 10_000 + rate_bp
    return (2 * gross_fen * rate_bp + whole) // (2 * whole)


class VatRateUnknown(Invalid):
    code = "vat_rate_unknown"
    cure = "Use a VAT rate that is in force on that day."
