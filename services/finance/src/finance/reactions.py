"""What other services' facts make finance do. Any order and any repetition leave the same books.

Source: F22, model 3.2 (Refund)
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from finance import exposure, open_items, points, repository, stops
from finance.booking import book_of
from finance.domain import posting, refund
from finance.domain.receipt import Tender
from finance.domain.refund import ReturnedLine, SaleNotFound, SoldLine
from finance.events import refund_paid
from finance.subscriptions import PermissionChanged, ReturnSettled
from shared import audit, outbox
from shared.clock import new_id
from shared.consumer import one_by_one
from shared.events import Envelope
from shared.transaction import Tx


def on_return_settled(tx: Tx, envelope: Envelope) -> None:
    """Verify the refund against the sale, book it, pay it to the original tenders, tell it.

    Booked to the day of the settlement, or to today when that month has closed. A return already refunded
    changes nothing. Raises SaleNotFound, NotSold, RefundExceedsSale, RefundAmountDiffers: the event is parked.
    """
    event = msgspec.convert(envelope.data, ReturnSettled)
    found = tx.conn.execute(
        text("select branch_id, booked_on from receipts where sale_id = :sale_id for update"),
        {"sale_id": event.sale_id},
    ).one_or_none()
    if found is None:
        raise SaleNotFound("the settled return names a sale that is not ours", sale_id=str(event.sale_id))
    if _is_refunded(tx, event.return_id):
        return
    returned = [
        ReturnedLine(
            return_line_id=line.return_line_id,
            sale_line_id=str(line.sale_line_id),
            lot=line.lot,
            quantity=line.quantity,
            disposition=line.disposition,
            net_fen=line.net_fen,
            tax_fen=line.tax_fen,
            cost_fen=line.cost_fen,
        )
        for line in event.lines
    ]
    refund.verify(_sold_lines(tx, event.sale_id, found.booked_on), returned, event.refund_fen)
    paid = refund.split(event.refund_fen, *_tenders(tx, event.sale_id, found.booked_on))
    refund_id = new_id()
    booked_on, reference = repository.booking_day(tx, event.settled_on)
    _insert(tx, refund_id, event, returned, paid, branch_id=found.branch_id, booked_on=booked_on)
    customer_id = _customer_of(tx, event.sale_id, found.booked_on)
    chart = book_of(tx.conn).chart
    parts = [(line.disposition, line.net_fen, line.tax_fen, line.cost_fen) for line in returned]
    for kind, postings in (
        ("refund_due", posting.refund_due(chart, parts)),
        ("refund_paid", posting.refund_paid(chart, paid.items())),
    ):
        repository.add_entry(
            tx,
            booked_on=booked_on,
            branch_id=found.branch_id,
            kind=kind,
            source_id=str(refund_id),
            postings=postings,
            customer_id=customer_id,
            reference=reference,
        )
    if Tender.CREDIT in paid:
        open_items.match_refund(tx, refund_id=refund_id, sale_id=event.sale_id, on=booked_on)
    outbox.append(
        tx,
        refund_paid(
            refund_id=str(refund_id),
            return_id=event.return_id,
            sale_id=str(event.sale_id),
            branch_id=found.branch_id,
            customer_id=customer_id,
            business_date=booked_on,
            lines=returned,
            total_fen=event.refund_fen,
        ),
    )
    audit.record(tx, "refund.pay", str(refund_id), after=envelope.data)


def _is_refunded(tx: Tx, return_id: str) -> bool:
    found = tx.conn.execute(
        text("select 1 from refunds where return_id = :return_id"), {"return_id": return_id}
    )
    return found.first() is not None


def _sold_lines(tx: Tx, sale_id: UUID, booked_on: date) -> Mapping[str, SoldLine]:
    rows = tx.conn.execute(
        text(
            "select l.line_id, l.lot, l.quantity, l.net_fen, l.tax_fen, l.cost_fen,"
            " coalesce(sum(t.quantity), 0)::bigint as taken_quantity,"
            " coalesce(sum(t.net_fen), 0)::bigint as taken_net_fen,"
            " coalesce(sum(t.tax_fen), 0)::bigint as taken_tax_fen,"
            " coalesce(sum(t.cost_fen), 0)::bigint as taken_cost_fen"
            " from sale_lines l"
            " left join (select r.* from refund_lines r join refunds f on f.refund_id = r.refund_id"
            "   where f.sale_id = :sale_id) t on t.sale_line_id = l.line_id"
            " where l.sale_id = :sale_id and l.booked_on = :booked_on"
            " group by l.line_id, l.lot, l.quantity, l.net_fen, l.tax_fen, l.cost_fen"
        ),
        {"sale_id": sale_id, "booked_on": booked_on},
    ).mappings()
    return {str(row["line_id"]): SoldLine(**{**row, "line_id": str(row["line_id"])}) for row in rows}


def _tenders(tx: Tx, sale_id: UUID, booked_on: date) -> tuple[dict[str, int], dict[str, int]]:
    """What each tender paid, and what refunds gave back to it."""
    key = {"sale_id": sale_id, "booked_on": booked_on}
    paid = tx.conn.execute(
        text("select tender, fen from tenders where sale_id = :sale_id and booked_on = :booked_on"), key
    )
    back = tx.conn.execute(
        text(
            "select t.tender, sum(t.fen)::bigint from refund_tenders t join refunds r using (refund_id)"
            " where r.sale_id = :sale_id group by t.tender"
        ),
        key,
    )
    return {row[0]: row[1] for row in paid}, {row[0]: row[1] for row in back}


def _customer_of(tx: Tx, sale_id: UUID, booked_on: date) -> str | None:
    customer_id = tx.conn.execute(
        text("select customer_id from sales where sale_id = :sale_id and booked_on = :booked_on"),
        {"sale_id": sale_id, "booked_on": booked_on},
    ).scalar_one()
    return None if customer_id is None else str(customer_id)


def _insert(
    tx: Tx,
    refund_id: UUID,
    event: ReturnSettled,
    returned: list[ReturnedLine],
    paid: Mapping[str, int],
    *,
    branch_id: str,
    booked_on: date,
) -> None:
    tx.conn.execute(
        text(
            "insert into refunds (refund_id, return_id, sale_id, branch_id, booked_on, total_fen, paid_at)"
            " values (:refund_id, :return_id, :sale_id, :branch_id, :booked_on, :total, :now)"
        ),
        {
            "refund_id": refund_id,
            "return_id": event.return_id,
            "sale_id": event.sale_id,
            "branch_id": branch_id,
            "booked_on": booked_on,
            "total": event.refund_fen,
            "now": tx.now,
        },
    )
    lines: list[dict[str, Any]] = [
        {
            "refund_id": refund_id,
            "no": no,
            "return_line_id": line.return_line_id,
            "sale_line_id": line.sale_line_id,
            "lot": line.lot,
            "quantity": line.quantity,
            "net_fen": line.net_fen,
            "tax_fen": line.tax_fen,
            "cost_fen": line.cost_fen,
            "disposition": line.disposition,
        }
        for no, line in enumerate(returned, 1)
    ]
    if lines:
        tx.conn.execute(
            text(
                "insert into refund_lines (refund_id, no, return_line_id, sale_line_id, lot, quantity, net_fen,"
                " tax_fen, cost_fen, disposition) values (:refund_id, :no, :return_line_id,"
                " cast(:sale_line_id as uuid), :lot, :quantity, :net_fen, :tax_fen, :cost_fen, :disposition)"
            ),
            lines,
        )
    if paid:
        tx.conn.execute(
            text("insert into refund_tenders (refund_id, tender, fen) values (:refund_id, :tender, :fen)"),
            [{"refund_id": refund_id, "tender": tender, "fen": fen} for tender, fen in paid.items()],
        )


def on_permission_changed(tx: Tx, envelope: Envelope) -> None:
    """Keep the newest permission of each customer."""
    event = msgspec.convert(envelope.data, PermissionChanged)
    tx.conn.execute(
        text(
            "insert into trade_permissions (customer_id, version, kind, allowed, categories, valid_until)"
            " values (:customer_id, :version, :kind, :allowed, :categories, :valid_until)"
            " on conflict (customer_id) do update set version = excluded.version, kind = excluded.kind,"
            " allowed = excluded.allowed, categories = excluded.categories, valid_until = excluded.valid_until"
            " where trade_permissions.version < excluded.version"
        ),
        {
            "customer_id": event.customer_id,
            "version": event.permission_version,
            "kind": event.kind,
            "allowed": event.allowed,
            "categories": event.categories,
            "valid_until": event.valid_until,
        },
    )


handle = one_by_one(
    {
        "returns.return.settled.v1": on_return_settled,
        "customers.permission.changed.v1": on_permission_changed,
        "customers.credit.changed.v1": exposure.on_credit_changed,
        "returns.stop_sale.ordered.v1": stops.on_ordered,
        "returns.stop_sale.lifted.v1": stops.on_lifted,
        "customers.points.earned.v1": points.on_earned,
        "customers.points.taken_back.v1": points.on_taken_back,
    }
)
