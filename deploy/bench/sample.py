"""Made-up sales events for the benchmarks, of the shape finance publishes: receipts of three lines."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

from shared.clock import new_id

DAY = date(2026, 3, 15)
COPY = (
    "copy outbox (event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, traceparent, data)"
    " from stdin"
)


def sale(number: int) -> tuple[UUID, dict[str, Any], int]:
    """One `finance.sale.posted.v1`: its sale id, its data, its total in fen."""
    sale_id = new_id()
    lines = []
    for index in range(3):
        net_fen = 1_000 + (number * 7 + index * 131) % 9_000
        lines.append(
            {
                "line_id": str(new_id()),
                "product_id": f"P{(number + index) % 500:05d}",
                "category": ("rx", "otc", "device")[index],
                "temp_class": "normal",
                "lot": f"L{number % 97:04d}",
                "expiry": "2027-12-31",
                "quantity": 1 + index,
                "net_fen": net_fen,
                "tax_bp": 1300,
                "tax_fen": net_fen * 13 // 100,
                "cost_fen": net_fen * 7 // 10,
            }
        )
    net = sum(line["net_fen"] for line in lines)
    tax = sum(line["tax_fen"] for line in lines)
    data = {
        "sale_id": str(sale_id),
        "receipt_number": f"R{number:09d}",
        "branch_id": f"B{number % 20:03d}",
        "customer_id": str(UUID(int=number % 2_000)) if number % 3 else None,
        "channel": "store",
        "business_date": DAY.isoformat(),
        "sold_at": datetime(2026, 3, 15, 4, tzinfo=UTC).isoformat(),
        "lines": lines,
        "tenders": [{"tender": "wechat", "fen": net + tax}],
        "net_fen": net,
        "tax_fen": tax,
        "total_fen": net + tax,
        "cost_fen": sum(line["cost_fen"] for line in lines),
    }
    return sale_id, data, net + tax


def rows(first: int, count: int) -> list[tuple[Any, ...]]:
    """Rows for COPY, numbered from `first`."""
    now = datetime.now(UTC)
    made = []
    for number in range(first, first + count):
        sale_id, data, total = sale(number)
        made.append(
            (new_id(), "finance.sale.posted.v1", str(sale_id), "sale", 1, DAY, total, now,
             f"00-{number + 1:032x}-{number + 1:016x}-01", orjson.dumps(data).decode())
        )  # fmt: skip
    return made
