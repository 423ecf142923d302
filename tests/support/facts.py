"""Events as the other services publish them, for tests of reporting; each builder takes what a test cares about."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

from shared.clock import next_month
from shared.events import Envelope

DAY = date(2017, 3, 14)


def envelope(
    seq: int,
    event_type: str,
    data: dict[str, Any],
    *,
    day: date = DAY,
    amount_fen: int = 0,
    subject: str = "",
) -> Envelope:
    source = event_type.split(".", 1)[0]
    return Envelope(
        source=source,
        seq=seq,
        event_id=UUID(int=crc32(source.encode()) << 64 | seq),
        type=event_type,
        subject=subject or f"{source}-{seq}",
        version=1,
        day=day,
        amount_fen=amount_fen,
        occurred_at=datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
        data=data,
    )


def line(
    line_id: str,
    *,
    category: str = "otc",
    quantity: int = 1,
    net_fen: int = 1000,
    tax_fen: int = 130,
    cost_fen: int = 600,
) -> dict[str, Any]:
    return {
        "line_id": line_id,
        "product_id": f"P-{category}",
        "category": category,
        "temp_class": "normal",
        "lot": "L1",
        "expiry": "2019-12-31",
        "quantity": quantity,
        "net_fen": net_fen,
        "tax_bp": 1300,
        "tax_fen": tax_fen,
        "cost_fen": cost_fen,
    }


def sale(
    seq: int,
    *,
    sale_id: str | None = None,
    branch: str = "S1",
    customer: str | None = "C1",
    day: date = DAY,
    lines: Sequence[dict[str, Any]] | None = None,
    tender: str = "wechat",
) -> Envelope:
    sale_id = sale_id or f"sale-{seq}"
    lines = list(lines) if lines is not None else [line(f"{sale_id}-1")]
    net, tax, cost = (sum(each[name] for each in lines) for name in ("net_fen", "tax_fen", "cost_fen"))
    data = {
        "sale_id": sale_id,
        "receipt_number": f"R-{seq}",
        "branch_id": branch,
        "customer_id": customer,
        "channel": "store",
        "business_date": day.isoformat(),
        "sold_at": f"{day.isoformat()}T04:00:00Z",
        "lines": lines,
        "tenders": [{"tender": tender, "fen": net + tax}],
        "net_fen": net,
        "tax_fen": tax,
        "total_fen": net + tax,
        "cost_fen": cost,
    }
    return envelope(seq, "finance.sale.posted.v1", data, day=day, amount_fen=net + tax, subject=sale_id)


def refund(
    seq: int,
    *,
    sale_id: str,
    line_id: str | None = None,
    branch: str = "S1",
    day: date = DAY,
    quantity: int = 1,
    net_fen: int = 1000,
    tax_fen: int = 130,
) -> Envelope:
    data = {
        "refund_id": f"refund-{seq}",
        "return_id": f"return-{seq}",
        "sale_id": sale_id,
        "branch_id": branch,
        "customer_id": "C1",
        "business_date": day.isoformat(),
        "lines": [
            {
                "sale_line_id": line_id or f"{sale_id}-1",
                "lot": "L1",
                "quantity": quantity,
                "net_fen": net_fen,
                "tax_fen": tax_fen,
                "cost_fen": 600,
                "disposition": "restock",
            }
        ],
        "total_fen": net_fen + tax_fen,
    }
    return envelope(seq, "finance.refund.paid.v1", data, day=day, amount_fen=net_fen + tax_fen)


def return_requested(seq: int, *, reason: str = "damaged", branch: str = "S1", day: date = DAY) -> Envelope:
    data = {
        "return_id": f"return-{seq}",
        "number": f"RT-{seq}",
        "kind": "patient",
        "branch_id": branch,
        "sale_id": "sale-1",
        "customer_id": "C1",
        "reason": reason,
        "requested_on": day.isoformat(),
        "lines": [
            {
                "return_line_id": f"return-{seq}-{number}",
                "sale_line_id": f"sale-1-{number}",
                "product_id": "P-otc",
                "lot": "L1",
                "quantity": 1,
                "temp_class": "normal",
                "net_fen": 1000,
                "tax_fen": 130,
            }
            for number in (1, 2)
        ],
    }
    return envelope(seq, "returns.return.requested.v1", data, day=day, amount_fen=2260)


def return_refused(seq: int, *, cause: str = "not_ours", branch: str = "S1", day: date = DAY) -> Envelope:
    data = {"return_id": f"return-{seq}", "branch_id": branch, "cause": cause}
    return envelope(seq, "returns.return.refused.v1", data, day=day)


def return_settled(
    seq: int,
    *,
    reason: str = "damaged",
    dispositions: Sequence[str] = ("destroy",),
    branch: str = "S1",
    day: date = DAY,
) -> Envelope:
    lines = [
        {
            "return_line_id": f"return-{seq}-{number}",
            "sale_line_id": f"sale-1-{number}",
            "lot": "L1",
            "quantity": 2,
            "disposition": disposition,
            "net_fen": 1000,
            "tax_fen": 130,
            "cost_fen": 600,
        }
        for number, disposition in enumerate(dispositions)
    ]
    data = {
        "return_id": f"return-{seq}",
        "number": f"RT-{seq}",
        "branch_id": branch,
        "sale_id": "sale-1",
        "customer_id": None,
        "reason": reason,
        "settled_on": day.isoformat(),
        "lines": lines,
        "refund_fen": 1130 * len(lines),
    }
    return envelope(seq, "returns.return.settled.v1", data, day=day, amount_fen=1130 * len(lines))


def survey_sent(seq: int, *, branch: str = "S1", delivered: bool = True, day: date = DAY) -> Envelope:
    data = {
        "survey_id": f"survey-{seq}",
        "branch_id": branch,
        "customer_id": "C1",
        "ticket_id": None,
        "delivered": delivered,
    }
    return envelope(seq, "service_desk.survey.sent.v1", data, day=day)


def survey_answered(
    seq: int,
    *,
    customer: str,
    scores: tuple[int, int, int],
    branch: str = "S1",
    day: date = DAY,
) -> Envelope:
    data = {
        "survey_id": f"survey-{seq}",
        "instrument_version": "1",
        "branch_id": branch,
        "customer_id": customer,
        "ticket_id": None,
        "scores": dict(zip(("quality", "service", "price"), scores, strict=True)),
        "answered_on": day.isoformat(),
    }
    return envelope(seq, "service_desk.survey.answered.v1", data, day=day)


def feedback(
    seq: int, *, channel: str = "phone", kind: str = "complaint", branch: str = "S1", day: date = DAY
) -> Envelope:
    data = {
        "feedback_id": f"feedback-{seq}",
        "ticket_id": f"ticket-{seq}",
        "branch_id": branch,
        "month": f"{day:%Y-%m}",
        "channel": channel,
        "kind": kind,
        "taken_on": day.isoformat(),
    }
    return envelope(seq, "service_desk.feedback.recorded.v1", data, day=day)


def ticket_opened(seq: int, *, branch: str = "S1", day: date = DAY) -> Envelope:
    data = {
        "ticket_id": f"ticket-{seq}",
        "number": f"T-{seq}",
        "kind": "complaint",
        "channel": "phone",
        "branch_id": branch,
        "customer_id": None,
        "severity": "normal",
        "opened_at": f"{day.isoformat()}T04:00:00Z",
        "sale_id": None,
        "product_id": None,
        "lot": None,
    }
    return envelope(seq, "service_desk.ticket.opened.v1", data, day=day)


def statement_published(
    seq: int,
    *,
    statement_id: str,
    leaf_lines: int,
    version: int = 1,
    on_time: bool = True,
    day: date = DAY,
    kind: str = "balance",
    span: str = "month",
) -> Envelope:
    data = {
        "statement_id": statement_id,
        "kind": kind,
        "span": span,
        "month": "2017-02",
        "last_month": "2017-02",
        "version": version,
        "leaf_lines": leaf_lines,
        "on_time": on_time,
        "published_on": day.isoformat(),
    }
    return envelope(seq, "finance.statement.published.v1", data, day=day)


def statement_restated(
    seq: int, *, statement_id: str, lines: Sequence[tuple[str, bool]], version: int = 1, day: date = DAY
) -> Envelope:
    data = {
        "statement_id": statement_id,
        "kind": "balance",
        "span": "month",
        "month": "2017-02",
        "last_month": "2017-02",
        "version": version,
        "errors": [
            {"line": name, "reported_fen": -100, "correct_fen": 100, "material": material}
            for name, material in lines
        ],
    }
    return envelope(seq, "finance.statement.restated.v1", data, day=day)


def customer_registered(seq: int, *, branch: str = "S1", day: date = DAY) -> Envelope:
    data = {
        "customer_id": f"customer-{seq}",
        "kind": "patient",
        "branch_id": branch,
        "source_channel": "store",
        "state": "active",
        "registered_on": day.isoformat(),
    }
    return envelope(seq, "customers.customer.registered.v1", data, day=day)


def points_earned(seq: int, *, branch: str = "S1", day: date = DAY) -> Envelope:
    data = {
        "customer_id": "C1",
        "branch_id": branch,
        "sale_id": f"sale-{seq}",
        "points": 11,
        "money_basis_fen": 1130,
    }
    return envelope(seq, "customers.points.earned.v1", data, day=day)


def period_closed(seq: int, *, month: date, event_type: str = "finance.period.closed.v1") -> Envelope:
    """Finance closes its books of the month (its last day is told), or opens them again."""
    named = f"{month:%Y-%m}"
    last = next_month(month) - timedelta(days=1)
    return envelope(seq, event_type, {"book": "main", "month": named}, day=last, subject=f"main:{named}")


def holidays_announced(
    seq: int, *, year: int | None = None, rest_days: Sequence[str] = (), workdays: Sequence[str] = ()
) -> Envelope:
    """The notice whose number is `seq`."""
    data = {
        "notice_id": str(UUID(int=seq)),
        "number": seq,
        "reference": f"2026-{seq}",
        "announced_on": "2026-11-04",
        "year": year,
        "rest_days": list(rest_days),
        "workdays": list(workdays),
    }
    return envelope(seq, "reporting.holidays.announced.v1", data)
