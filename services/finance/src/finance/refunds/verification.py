"""What returns' facts make of refunds: verified and owed from the settlement on. Any order and repetition ends the same.

Source: F22, G21, model 3.2 (Refund)
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from finance import repository
from finance.booking import book_of
from finance.domain import posting, refund
from finance.domain.refund import ReturnedLine, SaleNotFound, SoldLine
from finance.refunds import commands
from finance.subscriptions import GoodsReceived, ReturnSettled
from shared import audit
from shared.clock import new_id
from shared.events import Envelope
from shared.transaction import Tx


def on_return_settled(tx: Tx, envelope: Envelope) -> None:
    """Verify the refund against the sale and book what we owe; people approve and pay it.

    Booked to the day of the settlement, or to today when that month has closed. A return already known changes
    nothing; one worth nothing is done at once. Raises SaleNotFound, NotSold, RefundExceedsSale,
    RefundAmountDiffers: the event is parked.
    """
    event = msgspec.convert(envelope.data, ReturnSettled)
    found = tx.conn.execute(
        text("select branch_id, booked_on from receipts where sale_id = :sale_id for update"),
        {"sale_id": event.sale_id},
    ).one_or_none()
    if found is None:
        raise SaleNotFound("the settled return names a sale that is not ours", sale_id=str(event.sale_id))
    if _is_known(tx, event.return_id):
        return
    returned = [
        ReturnedLine(**{**msgspec.structs.asdict(line), "sale_line_id": str(line.sale_line_id)})
        for line in event.lines
    ]
    refund.verify(_sold_lines(tx, event.sale_id, found.booked_on), returned, event.refund_fen)
    owed = refund.split(event.refund_fen, *_tenders(tx, event.sale_id, found.booked_on))
    refund_id = new_id()
    booked_on, reference = repository.booking_day(tx, event.settled_on)
    customer_id = _customer_of(tx, event.sale_id, found.booked_on)
    _insert(
        tx,
        {
            "refund_id": refund_id,
            "return_id": event.return_id,
            "sale_id": event.sale_id,
            "branch_id": found.branch_id,
            "customer_id": customer_id,
            "booked_on": booked_on,
            "settled_on": event.settled_on,
            "total": event.refund_fen,
        },
        returned,
        owed,
    )
    repository.add_entry(
        tx,
        booked_on=booked_on,
        branch_id=found.branch_id,
        kind="refund_due",
        source_id=str(refund_id),
        postings=posting.refund_due(
            book_of(tx.conn).chart,
            [(line.disposition, line.net_fen, line.tax_fen, line.cost_fen) for line in returned],
        ),
        customer_id=None if customer_id is None else str(customer_id),
        reference=reference,
    )
    audit.record(tx, "refund.verify", str(refund_id), after=envelope.data)
    if not owed:
        commands.finish(tx, refund_id, booked_on)


def on_goods_received(tx: Tx, envelope: Envelope) -> None:
    """Keep the day the goods came back: the first one told."""
    event = msgspec.convert(envelope.data, GoodsReceived)
    tx.conn.execute(
        text(
            "insert into returned_goods (return_id, received_on) values (:return_id, :day)"
            " on conflict (return_id) do update set received_on = excluded.received_on"
            " where returned_goods.received_on > excluded.received_on"
        ),
        {"return_id": event.return_id, "day": envelope.day},
    )


def _is_known(tx: Tx, return_id: str) -> bool:
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
    """What each tender paid, and what refunds owe or gave back to it."""
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


def _customer_of(tx: Tx, sale_id: UUID, booked_on: date) -> UUID | None:
    customer_id: UUID | None = tx.conn.execute(
        text("select customer_id from sales where sale_id = :sale_id and booked_on = :booked_on"),
        {"sale_id": sale_id, "booked_on": booked_on},
    ).scalar_one()
    return customer_id


def _insert(
    tx: Tx, values: Mapping[str, Any], returned: Sequence[ReturnedLine], owed: Mapping[str, int]
) -> None:
    refund_id = values["refund_id"]
    tx.conn.execute(
        text(
            "insert into refunds (refund_id, return_id, sale_id, branch_id, customer_id, booked_on, settled_on,"
            " total_fen, state, version) values (:refund_id, :return_id, :sale_id, :branch_id, :customer_id,"
            " :booked_on, :settled_on, :total, 'verified', 1)"
        ),
        values,
    )
    commands.keep_step(tx, refund_id, 1, "verified", {})
    if returned:
        tx.conn.execute(
            text(
                "insert into refund_lines (refund_id, no, return_line_id, sale_line_id, lot, quantity, net_fen,"
                " tax_fen, cost_fen, disposition) values (:refund_id, :no, :return_line_id,"
                " cast(:sale_line_id as uuid), :lot, :quantity, :net_fen, :tax_fen, :cost_fen, :disposition)"
            ),
            [{"refund_id": refund_id, "no": no, **asdict(line)} for no, line in enumerate(returned, 1)],
        )
    if owed:
        tx.conn.execute(
            text(
                "insert into refund_tenders (refund_id, tender, means, fen)"
                " values (:refund_id, :tender, :tender, :fen)"
            ),
            [{"refund_id": refund_id, "tender": tender, "fen": fen} for tender, fen in owed.items()],
        )
