"""Every event reporting knows, the fields it reads of each, and the fact rows they become.

The tables below are the whole mapping: an event type names one or more kinds of rows, a kind of row names its
table and, for each column, how the value is read. A reader checks what it reads and returns the text form that
PostgreSQL's COPY takes; a field that is missing, negative or of the wrong kind is refused as `event_malformed`.
Fields not named here are ignored, so producers may add some.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reporting.facts.rules.subscriptions.kept import KEPT
from reporting.facts.rules.subscriptions.readers import (
    EventMalformed,
    Reader,
    constant,
    day,
    flag,
    instant,
    month,
    number,
    optional_day,
    optional_number,
    optional_text,
    score,
    signed_number,
    text,
)
from shared.events import Envelope
from shared.texts import COUNT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one table made of one event: one row, or one for each element of the list `each`.

    `columns` are read from the event's data, `each_columns` from the element. `amount` puts the event's control
    amount into `amount_fen` of the first row. An empty list is malformed unless `may_be_empty`, which makes one
    row with the element's columns null, or `may_be_none`, which makes no row.
    """

    table: str
    columns: Mapping[str, Reader] = field(default_factory=dict)
    each: str | None = None
    each_columns: Mapping[str, Reader] = field(default_factory=dict)
    amount: bool = True
    may_be_empty: bool = False
    may_be_none: bool = False
    is_header: bool = True
    """Whether these rows are the event itself for the control totals (lines and tenders are not)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A known type: its rows and, where the document must add up, the check that it does."""

    rows: Sequence[Rows]
    check: Callable[[Envelope], None] | None = None


def _same(name: str, found: int, expected: Any) -> None:
    if found != expected:
        raise EventMalformed(f"{name} is {expected}, but its parts add up to {found}")


def _sale_adds_up(envelope: Envelope) -> None:
    data = envelope.data
    lines, total = data["lines"], data["total_fen"]
    net = tax = cost = 0
    for line in lines:
        net += line["net_fen"]
        tax += line["tax_fen"]
        cost += line["cost_fen"]
    _same("net_fen", net, data["net_fen"])
    _same("tax_fen", tax, data["tax_fen"])
    _same("cost_fen", cost, data["cost_fen"])
    _same("total_fen", net + tax, total)
    _same("total_fen", sum([tender["fen"] for tender in data["tenders"]]), total)
    _same("amount_fen", total, envelope.amount_fen)


def _lines_add_up(total_name: str | None) -> Callable[[Envelope], None]:
    def check(envelope: Envelope) -> None:
        total = sum(line["net_fen"] + line["tax_fen"] for line in envelope.data["lines"])
        if total_name is not None:
            _same(total_name, total, int(number(total_name)(envelope.data)))
        _same("amount_fen", total, envelope.amount_fen)

    return check


def _texts(*names: str) -> dict[str, Reader]:
    return {name: text(name) for name in names}


def _optional_texts(*names: str) -> dict[str, Reader]:
    return {name: optional_text(name) for name in names}


def _numbers(*names: str) -> dict[str, Reader]:
    return {name: number(name) for name in names}


_SALE = Known(
    rows=(
        Rows(
            table="fact_sales",
            columns={
                **_texts("sale_id", "channel"),
                "customer_id": optional_text("customer_id"),
                "business_date": day("business_date"),
                "sold_at": instant("sold_at"),
                **_numbers("net_fen", "tax_fen", "total_fen", "cost_fen"),
            },
            amount=False,
        ),
        Rows(
            table="fact_sale_lines",
            each="lines",
            each_columns={
                **_texts("line_id", "product_id", "category", "temp_class", "lot"),
                "expiry": optional_day("expiry"),
                "tax_bp": number("tax_bp", 10_000),
                **_numbers("quantity", "net_fen", "tax_fen", "cost_fen"),
            },
            amount=False,
            is_header=False,
        ),
        Rows(
            table="fact_sale_tenders",
            each="tenders",
            each_columns={"tender": text("tender"), "fen": number("fen")},
            amount=False,
            may_be_none=True,  # a receipt of 0 was paid with nothing
            is_header=False,
        ),
    ),
    check=_sale_adds_up,
)

_REFUND = Known(
    rows=(
        Rows(
            table="fact_refunds",
            columns={
                **_texts("refund_id", "sale_id"),
                **_optional_texts("return_id", "customer_id"),
                "total_fen": number("total_fen"),
            },
            amount=False,
        ),
        Rows(
            table="fact_refund_lines",
            each="lines",
            each_columns={
                **_texts("sale_line_id", "lot", "disposition"),
                **_numbers("quantity", "net_fen", "tax_fen", "cost_fen"),
            },
            amount=False,
            is_header=False,
        ),
    ),
    check=_lines_add_up("total_fen"),
)

_RETURN_REQUESTED = Known(
    rows=(
        Rows(
            table="fact_returns",
            columns={
                "fact": constant("requested"),
                **_texts("return_id", "kind", "sale_id", "reason"),
                "customer_id": optional_text("customer_id"),
            },
            each="lines",
            each_columns={
                **_texts("return_line_id", "sale_line_id", "product_id", "lot", "temp_class"),
                **_numbers("quantity", "net_fen", "tax_fen"),
            },
        ),
    ),
    check=_lines_add_up(None),
)

_RETURN_SETTLED = Known(
    rows=(
        Rows(
            table="fact_returns",
            columns={
                "fact": constant("settled"),
                **_texts("return_id", "sale_id", "reason"),
                "customer_id": optional_text("customer_id"),
            },
            each="lines",
            each_columns={
                **_texts("return_line_id", "sale_line_id", "lot", "disposition"),
                **_numbers("quantity", "net_fen", "tax_fen", "cost_fen"),
            },
        ),
    ),
    check=_lines_add_up("refund_fen"),
)


def _one(table: str, fact: str, columns: Mapping[str, Reader]) -> Known:
    return Known(rows=(Rows(table=table, columns={"fact": constant(fact), **columns}),))


def _return(fact: str, **columns: Reader) -> Known:
    return Known(
        rows=(
            Rows(
                table="fact_returns",
                columns={"fact": constant(fact), "return_id": text("return_id"), **columns},
            ),
        )
    )


_OTHER = Known(rows=(Rows(table="fact_other"),))

KNOWN: Final[Mapping[str, Known]] = {
    "finance.sale.posted.v1": _SALE,
    "finance.refund.paid.v1": _REFUND,
    "returns.return.requested.v1": _RETURN_REQUESTED,
    "returns.return.settled.v1": _RETURN_SETTLED,
    "returns.return.refused.v1": _return("refused", cause=text("cause")),
    "returns.return.approved.v1": _return("approved", hours=optional_number("hours")),
    "returns.return.rejected.v1": _return("rejected"),
    "returns.return.cancelled.v1": _return("cancelled"),
    "returns.return.pickup_confirmed.v1": _return("pickup_confirmed", hours=optional_number("hours")),
    "returns.return.pickup_breached.v1": _return("pickup_breached"),
    "returns.return.received.v1": _return("received"),
    "returns.return.receipt_refused.v1": _return(
        "receipt_refused",
        return_line_id=text("return_line_id"),
        lot=text("lot"),
        cause=text("cause"),
    ),
    "returns.return.inspected.v1": _return(
        "inspected", return_line_id=text("return_line_id"), lot=text("lot"), result=text("result")
    ),
    "returns.return.dispositioned.v1": _return(
        "dispositioned",
        return_line_id=text("return_line_id"),
        lot=text("lot"),
        quantity=number("quantity"),
        disposition=text("disposition"),
    ),
    "service_desk.ticket.opened.v1": _one(
        "fact_tickets",
        "opened",
        {
            **_texts("ticket_id", "kind", "channel"),
            **_optional_texts("severity", "customer_id", "sale_id", "product_id", "lot"),
        },
    ),
    "service_desk.ticket.assigned.v1": _one(
        "fact_tickets",
        "assigned",
        {"ticket_id": text("ticket_id"), "seconds": number("arranged_s"), "on_time": flag("on_time")},
    ),
    "service_desk.ticket.clock_breached.v1": _one(
        "fact_tickets",
        "clock_breached",
        {**_texts("ticket_id", "clock"), "seconds": number("late_s")},
    ),
    "service_desk.ticket.resolved.v1": _one(
        "fact_tickets",
        "resolved",
        {
            "ticket_id": text("ticket_id"),
            "cycle": number("cycle", 1_000_000),
            **_optional_texts("cause", "fault"),
            "on_time": flag("on_time"),
        },
    ),
    "service_desk.survey.sent.v1": _one(
        "fact_surveys",
        "sent",
        {
            "survey_id": text("survey_id"),
            **_optional_texts("customer_id", "ticket_id"),
            "delivered": flag("delivered"),
        },
    ),
    "service_desk.survey.answered.v1": _one(
        "fact_surveys",
        "answered",
        {
            "survey_id": text("survey_id"),
            **_optional_texts("customer_id", "ticket_id"),
            "instrument_version": text("instrument_version"),
            **{dimension: score(dimension) for dimension in ("quality", "service", "price")},
        },
    ),
    "service_desk.feedback.recorded.v1": _one(
        "fact_feedback",
        "recorded",
        {
            **_texts("feedback_id", "channel", "kind"),
            "ticket_id": optional_text("ticket_id"),
            "month": month("month"),
        },
    ),
    "service_desk.feedback_ledger.closed.v1": _one(
        "fact_feedback",
        "ledger_closed",
        {"month": month("month"), "records": number("records"), "on_time": flag("on_time")},
    ),
    "finance.statement.published.v1": Known(
        rows=(
            Rows(
                table="fact_statements",
                columns={
                    "fact": constant("published"),
                    **_texts("statement_id", "kind", "month"),
                    "version": number("version", COUNT_MAX),
                    "leaf_lines": number("leaf_lines", COUNT_MAX),
                    "on_time": flag("on_time"),
                },
            ),
        )
    ),
    "finance.statement.restated.v1": Known(
        rows=(
            Rows(
                table="fact_statements",
                columns={
                    "fact": constant("restated"),
                    **_texts("statement_id", "kind", "month"),
                    "version": number("version", COUNT_MAX),
                },
                each="errors",
                each_columns={
                    "statement_line": text("line"),
                    "reported_fen": signed_number("reported_fen"),
                    "correct_fen": signed_number("correct_fen"),
                    "material": flag("material"),
                },
                may_be_empty=True,
            ),
        )
    ),
    "customers.customer.registered.v1": _one(
        "fact_customers",
        "registered",
        {
            **_texts("customer_id", "kind"),
            **_optional_texts("source_channel"),
            "status": optional_text("state", "status"),  # called so until 2026-11
        },
    ),
    "customers.customer.anonymised.v1": _one(
        "fact_customers", "anonymised", {"customer_id": text("customer_id")}
    ),
    "customers.points.earned.v1": _one(
        "fact_points",
        "earned",
        {
            **_texts("customer_id", "sale_id"),
            "points": number("points"),
            "money_basis_fen": number("money_basis_fen"),
        },
    ),
    "customers.points.taken_back.v1": _one(
        "fact_points",
        "taken_back",
        {
            "customer_id": text("customer_id"),
            **_optional_texts("sale_id", "return_id"),
            "points": number("points"),
        },
    ),
    "customers.points.corrected.v1": _one(
        "fact_points",
        "corrected",
        {
            **_texts("customer_id", "sale_id"),
            **_optional_texts("return_id"),
            "points": signed_number("points"),
        },
    ),
    "customers.points.redeemed.v1": _one(
        "fact_points",
        "redeemed",
        {**_texts("customer_id"), "points": number("points"), "money_basis_fen": number("value_fen")},
    ),
    "customers.points.restored.v1": _one(
        "fact_points", "restored", {**_texts("customer_id"), "points": number("points")}
    ),
    "customers.points.taken_again.v1": _one(
        "fact_points", "taken_again", {**_texts("customer_id", "sale_id"), "points": number("points")}
    ),
    "customers.points.expired.v1": _one(
        "fact_points", "expired", {**_texts("customer_id"), "points": number("points")}
    ),
    **dict.fromkeys(KEPT, _OTHER),
}
