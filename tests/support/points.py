"""Sales and refunds as finance publishes them, for tests of points; each builder takes what a test cares about."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from shared.events import Envelope

DAY = date(2026, 3, 14)


def an_id(name: str) -> str:
    """The id of what a test calls `S1`."""
    return str(uuid5(NAMESPACE_OID, name)) if len(name) < 10 else name


def sale(
    seq: int,
    *,
    customer_id: str | None,
    lines: Mapping[str, tuple[int, int]] = {"1": (1000, 130)},
    insurance_fen: int = 0,
    sale_id: str | None = None,
    redeemed: tuple[str, int] | None = None,
    day: date = DAY,
) -> Envelope:
    """A sale of `lines`: line id → (net fen, tax fen); `redeemed` are the redemption and the fen it paid."""
    total_fen = sum(net + tax for net, tax in lines.values())
    redemption_id, points_fen = redeemed or (None, 0)
    tenders = [
        {"tender": "medical_insurance", "fen": insurance_fen},
        {"tender": "wechat", "fen": total_fen - insurance_fen - points_fen},
        {"tender": "points", "fen": points_fen, "redemption_id": redemption_id},
    ]
    data = {
        "sale_id": an_id(sale_id or f"S{seq}"),
        "receipt_number": f"R{seq}",
        "branch_id": "B1",
        "customer_id": customer_id and an_id(customer_id),
        "lines": [
            {"line_id": line_id, "net_fen": net, "tax_fen": tax} for line_id, (net, tax) in lines.items()
        ],
        "tenders": [each for each in tenders if each["fen"]],
        "total_fen": total_fen,
    }
    return _envelope(seq, "finance.sale.posted.v1", data, day)


def refund(
    seq: int,
    *,
    sale_id: str,
    lines: list[tuple[str, int, int]],
    restored: tuple[str, int] | None = None,
) -> Envelope:
    """A refund of `lines`: (sale line id, net fen, tax fen), a line as often as it has lots or dispositions.

    `restored` are the redemption and the points of it that come back.
    """
    data: dict[str, Any] = {
        "refund_id": an_id(f"F{seq}"),
        "return_id": an_id(f"T{seq}"),
        "sale_id": an_id(sale_id),
        "branch_id": "B1",
        "customer_id": None,
        "lines": [
            {"sale_line_id": line_id, "lot": "L1", "quantity": 1, "net_fen": net, "tax_fen": tax}
            for line_id, net, tax in lines
        ],
        "tenders": [],
    }
    if restored:
        data["tenders"] = [
            {"tender": "points", "fen": 1, "redemption_id": restored[0], "points": restored[1]}
        ]
    return _envelope(seq, "finance.refund.paid.v1", data)


def _envelope(seq: int, event_type: str, data: dict[str, Any], day: date = DAY) -> Envelope:
    return Envelope(
        source="finance",
        seq=seq,
        event_id=UUID(int=seq),
        type=event_type,
        subject=data["sale_id"],
        version=1,
        day=day,
        amount_fen=0,
        occurred_at=datetime(2026, 3, 14, 4, tzinfo=UTC),
        data=data,
        traceparent=f"00-{seq:032x}-{seq:016x}-01",
        correlation_id=f"c{seq}",
    )
