"""What is owed for goods that came back, written with its entry: by the set, a dozen statements whatever its size.

Receipts are locked in the order of their sales, so two consumers and a till wait for one another and never deadlock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from finance import ledger, sold
from finance.book import book_of
from finance.kernel import posting
from finance.refund_amounts import ReturnedLine, SoldLine
from finance.refunds.events import refund_paid
from finance.refunds.rules import Kind, State
from finance.refunds.store.withdrawn import Known, source_of
from shared import audit, outbox
from shared.database import driver_of
from shared.events import Envelope
from shared.transaction import Tx


@dataclass(slots=True, kw_only=True)
class SaleBefore:
    """A sale of which something came back: its lines, what each tender paid, and what refunds took of both."""

    branch_id: str
    booked_on: date
    business_date: date
    channel: str
    posted_by: str
    customer_id: UUID | None
    lines: dict[str, SoldLine] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)
    back: dict[str, int] = field(default_factory=dict)

    def take(self, returned: Sequence[ReturnedLine], owed: Mapping[str, int]) -> None:
        """What one more refund takes."""
        for line in returned:
            origin = self.lines[line.sale_line_id]
            self.lines[line.sale_line_id] = replace(
                origin,
                taken_quantity=origin.taken_quantity + line.quantity,
                taken_net_fen=origin.taken_net_fen + line.net_fen,
                taken_tax_fen=origin.taken_tax_fen + line.tax_fen,
                taken_cost_fen=origin.taken_cost_fen + line.cost_fen,
            )
        for tender, fen in owed.items():
            self.back[tender] = self.back.get(tender, 0) + fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A refund that is owed from now on; one worth nothing is done at once."""

    refund_id: UUID
    kind: Kind
    return_id: str
    sale_id: UUID
    settled_on: date
    total_fen: int
    told: Mapping[str, Any]
    """What it was made of, for the audit."""
    cause: Envelope | None
    sale: SaleBefore
    lines: list[ReturnedLine]
    owed: dict[str, int]
    booked_on: date
    reference: str | None
    withdrawn: Known | None = None
    """As it was withdrawn, when it is owed anew."""

    @property
    def is_done(self) -> bool:
        return not self.owed

    @property
    def version(self) -> int:
        """When it was verified; one worth nothing is paid with the next."""
        return 1 if self.withdrawn is None else self.withdrawn.version + 1

    @property
    def source_id(self) -> UUID:
        """Of its entry: itself, or when it is owed anew, what its cause made of it."""
        if self.withdrawn is None or self.cause is None:
            return self.refund_id
        return source_of(self.refund_id, self.cause.event_id)


def owe(tx: Tx, refunds: Sequence[Owed]) -> None:
    """Keep them and book what we owe; one worth nothing is done at once, and told."""
    _insert(tx, refunds)
    _post(tx, refunds)
    _record(tx, refunds)
    _tell_done(tx, [each for each in refunds if each.is_done])


# --- what is known --------------------------------------------------------------------------------------


def lock_sales(tx: Tx, sale_ids: Collection[UUID]) -> dict[UUID, SaleBefore]:
    """The sales that are ours, their receipts locked until the transaction ends."""
    return {
        each.sale_id: SaleBefore(
            branch_id=each.branch_id,
            booked_on=each.booked_on,
            business_date=each.business_date,
            channel=each.channel,
            posted_by=each.posted_by,
            customer_id=each.customer_id,
        )
        for each in sold.lock(tx.conn, sale_ids)
    }


def read(tx: Tx, sales: Mapping[UUID, SaleBefore]) -> None:
    """Fill in lines and tenders, and what refunds took of them so far."""
    asked = {"ids": list(sales), "days": sorted({sale.booked_on for sale in sales.values()})}
    lines = tx.conn.execute(
        text(
            "select l.sale_id, l.line_id::text as line_id, l.lot, l.quantity, l.net_fen, l.tax_fen, l.cost_fen,"
            " coalesce(sum(t.quantity), 0)::bigint as taken_quantity,"
            " coalesce(sum(t.net_fen), 0)::bigint as taken_net_fen,"
            " coalesce(sum(t.tax_fen), 0)::bigint as taken_tax_fen,"
            " coalesce(sum(t.cost_fen), 0)::bigint as taken_cost_fen"
            f" from {sold.LINES} l"
            " left join (select r.*, f.sale_id from refund_lines r join refunds f on f.refund_id = r.refund_id"
            "   where f.sale_id = any(:ids)) t on t.sale_id = l.sale_id and t.sale_line_id = l.line_id"
            " where l.sale_id = any(:ids) and l.booked_on = any(:days)"
            " group by l.sale_id, l.line_id, l.lot, l.quantity, l.net_fen, l.tax_fen, l.cost_fen"
        ),
        asked,
    ).mappings()
    for line in lines:
        read = dict(line)
        sale = sales[read.pop("sale_id")]
        sale.lines[read["line_id"]] = SoldLine(**read)
    of_tenders = (
        f"select sale_id, tender, sum(fen)::bigint from {sold.TENDERS} t"
        " where sale_id = any(:ids) and booked_on = any(:days) group by sale_id, tender"
    )
    for sale_id, tender, fen in tx.conn.execute(text(of_tenders), asked):
        sales[sale_id].paid[tender] = fen
    back = tx.conn.execute(
        text(
            "select r.sale_id, t.tender, sum(t.fen)::bigint as fen from refund_tenders t"
            " join refunds r using (refund_id) where r.sale_id = any(:ids) group by r.sale_id, t.tender"
        ),
        {"ids": asked["ids"]},
    )
    for row in back:
        sales[row.sale_id].back[row.tender] = row.fen


# --- what is written ------------------------------------------------------------------------------------


def keep_received(tx: Tx, days: Mapping[str, date]) -> None:
    """The day the goods of each return came back; of one that is known the earlier day stays."""
    tx.conn.execute(
        text(
            "insert into returned_goods (return_id, received_on)"
            " select * from unnest(cast(:ids as text[]), cast(:days as date[])) order by 1"
            " on conflict (return_id) do update set received_on = excluded.received_on"
            " where returned_goods.received_on > excluded.received_on"
        ),
        {"ids": list(days), "days": list(days.values())},
    )


def _insert(tx: Tx, refunds: Sequence[Owed]) -> None:
    tx.conn.execute(
        text(
            "insert into refunds (refund_id, kind, return_id, sale_id, branch_id, customer_id, booked_on, settled_on,"
            " total_fen, state, version, paid_on, paid_at, cause_event_id) select refund_id, kind, return_id, sale_id,"
            " branch_id, customer_id, booked_on, settled_on, total_fen, state, version, paid_on,"
            " case when paid_on is not null then :now end, cause_event_id"
            " from jsonb_to_recordset(cast(:told as jsonb)) as u(refund_id uuid, kind text, return_id text, sale_id uuid,"
            " branch_id text, customer_id uuid, booked_on date, settled_on date, total_fen bigint, state text,"
            " version int, paid_on date, cause_event_id uuid)"
            " on conflict (refund_id) do update set sale_id = excluded.sale_id, branch_id = excluded.branch_id,"
            " customer_id = excluded.customer_id, settled_on = excluded.settled_on, total_fen = excluded.total_fen,"
            " state = excluded.state, version = excluded.version, paid_on = excluded.paid_on,"
            " paid_at = excluded.paid_at, cause_event_id = excluded.cause_event_id"
            " where refunds.state = 'withdrawn'"
        ),
        {
            "now": tx.now,
            "told": _json(
                {
                    "refund_id": each.refund_id,
                    "kind": each.kind,
                    "return_id": each.return_id,
                    "sale_id": each.sale_id,
                    "branch_id": each.sale.branch_id,
                    "customer_id": each.sale.customer_id,
                    "booked_on": each.booked_on,
                    "settled_on": each.settled_on,
                    "total_fen": each.total_fen,
                    "state": State.PAID if each.is_done else State.VERIFIED,
                    "version": each.version + each.is_done,
                    "paid_on": each.booked_on if each.is_done else None,
                    "cause_event_id": each.cause.event_id if each.cause else None,
                }
                for each in refunds
            ),
        },
    )
    steps = [(each.refund_id, each.version, "verified") for each in refunds]
    steps += [(each.refund_id, each.version + 1, "paid") for each in refunds if each.is_done]
    tx.conn.execute(
        text(
            "insert into refund_steps (refund_id, version, step, actor, at, detail)"
            " select u.*, :actor, :now, '{}' from unnest(cast(:ids as uuid[]), cast(:versions as int[]),"
            " cast(:steps as text[])) as u"
        ),
        {
            "actor": tx.actor.id,
            "now": tx.now,
            "ids": [each[0] for each in steps],
            "versions": [each[1] for each in steps],
            "steps": [each[2] for each in steps],
        },
    )
    tx.conn.execute(
        text(
            "insert into refund_lines (refund_id, no, return_line_id, sale_line_id, lot, quantity, net_fen, tax_fen,"
            " cost_fen, disposition, booked_on) select * from jsonb_to_recordset(cast(:told as jsonb))"
            " as u(refund_id uuid, no smallint, return_line_id text, sale_line_id uuid, lot text, quantity int,"
            " net_fen bigint, tax_fen bigint, cost_fen bigint, disposition text, booked_on date)"
        ),
        {
            "told": _json(
                {
                    "refund_id": each.refund_id,
                    "no": no,
                    "booked_on": each.booked_on if each.withdrawn else None,
                    **asdict(line),
                }
                for each in refunds
                for no, line in enumerate(each.lines, each.withdrawn.last_no + 1 if each.withdrawn else 1)
            )
        },
    )
    tx.conn.execute(
        text(
            "insert into refund_tenders (refund_id, tender, means, fen) select id, tender, tender, fen"
            " from unnest(cast(:ids as uuid[]), cast(:tenders as text[]), cast(:fen as bigint[]))"
            " as u(id, tender, fen)"
        ),
        {
            "ids": [each.refund_id for each in refunds for _ in each.owed],
            "tenders": [tender for each in refunds for tender in each.owed],
            "fen": [fen for each in refunds for fen in each.owed.values()],
        },
    )


def _post(tx: Tx, refunds: Sequence[Owed]) -> None:
    """An entry each; what is worth nothing in money and cost has none."""
    chart = book_of(tx.conn).chart
    entries = []
    for each in refunds:
        parts = [(line.disposition, line.net_fen, line.tax_fen, line.cost_fen) for line in each.lines]
        postings = posting.refund_due(chart, parts)
        if postings:
            entries.append(
                ledger.NewEntry(
                    booked_on=each.booked_on,
                    branch_id=each.sale.branch_id,
                    kind="refund_due",
                    source_id=str(each.source_id),
                    postings=postings,
                    reference=each.reference,
                )
            )
    if entries:
        ledger.add_entries(tx, entries)


def _record(tx: Tx, refunds: Sequence[Owed]) -> None:
    rows = []
    for each in refunds:
        subject = str(each.refund_id)
        rows.append(audit.row_of(tx, "refund.verify", subject, after=each.told))
        if each.is_done:
            rows.append(
                audit.row_of(tx, "refund.paid", subject, before=State.VERIFIED, after=[State.PAID, {}])
            )
    audit.record_all(tx, rows)


def _tell_done(tx: Tx, refunds: Sequence[Owed]) -> None:
    """Nothing was ever owed of these: what was paid back is nothing, to no tender."""
    rows = []
    for each in refunds:
        event = refund_paid(
            refund_id=str(each.refund_id),
            kind=each.kind,
            return_id=each.return_id,
            sale_id=str(each.sale_id),
            branch_id=each.sale.branch_id,
            customer_id=None if each.sale.customer_id is None else str(each.sale.customer_id),
            business_date=each.booked_on,
            lines=each.lines,
            tenders=[],
            restored={},
            total_fen=each.total_fen,
            version=each.version + 1,
        )
        rows.append(
            outbox.row_of(tx, event) if each.cause is None else outbox.row_caused_by(tx, each.cause, event)
        )
    with driver_of(tx.conn) as driver:
        outbox.write_rows(driver.cursor(), tx, rows)


def _json(rows: Iterable[Mapping[str, Any]]) -> str:
    return orjson.dumps(list(rows)).decode()
