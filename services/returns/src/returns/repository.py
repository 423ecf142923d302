"""Every statement Returns runs to change something, and the locked reads before it.

Locks are taken in one order: the notice, then allotments in key order, then the number counter.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, RowMapping, Uuid, any_, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from returns.domain.allotment import Allotment
from returns.domain.disposition import Disposition
from returns.domain.inspection import Result
from returns.domain.notice import (
    Fact,
    Kind,
    Line,
    LineStatus,
    Notice,
    ReceiptCause,
    ReturnNotFound,
    Status,
)
from returns.tables import (
    cold_chain_evidence,
    inspection_reports,
    return_allotments,
    return_lines,
    return_notices,
    return_numbers,
    return_pickups,
    return_receipts,
    sold_lines,
    stop_sale_liftings,
    stop_sales,
)
from shared import watermark
from shared.clock import business_date
from shared.errors import Unavailable
from shared.languages import Text
from shared.transaction import Tx

RETRY_AFTER_S = 5
"""A sale is called unknown only if finance's head was asked no longer ago."""

_NOTICE = (
    "id",
    "number",
    "kind",
    "branch_id",
    "sale_id",
    "customer_id",
    "sold_at",
    "reason",
    "subject_hash",
    "requested_by",
    "requested_at",
    "status",
    "version",
    "received_by",
    "received_at",
    "refund_fen",
    "refund_id",
)
_LINE = (
    "id",
    "sale_line_id",
    "lot",
    "product_id",
    "category",
    "temp_class",
    "expiry",
    "sold_quantity",
    "sold_net_fen",
    "sold_tax_fen",
    "sold_cost_fen",
    "quantity",
    "received_quantity",
    "accepted_quantity",
    "status",
    "receipt_cause",
    "result",
    "inspected_by",
    "disposition",
    "net_fen",
    "tax_fen",
    "cost_fen",
)


# --- what was sold ------------------------------------------------------------------------------


def find_sold_lines(
    tx: Tx, *, branch_id: str, sale_id: str | None, receipt_number: str | None
) -> Sequence[RowMapping]:
    """The lines sold under that sale or receipt by that branch; none when it is not known here."""
    wanted = select(sold_lines).where(sold_lines.c.branch_id == branch_id)
    if sale_id is not None:
        wanted = wanted.where(sold_lines.c.sale_id == sale_id)
    if receipt_number is not None:
        wanted = wanted.where(sold_lines.c.receipt_number == receipt_number)
    return tx.conn.execute(wanted.order_by(sold_lines.c.sale_line_id, sold_lines.c.lot)).mappings().all()


class ProjectionBehind(Unavailable):
    """The sale, or its customer, may exist: this service has not heard yet of everything."""

    code = "projection_behind"


def require_caught_up(tx: Tx, source: str, event_type: str, what: str, about: str | None) -> None:
    """Before saying that there is no such thing. Raises ProjectionBehind while its event may be on its way."""
    if not watermark.is_caught_up(tx.conn, source, now=tx.now, types=[event_type], about=about):
        raise ProjectionBehind(
            Text("that {what} is not known here yet; ask again", what=what), retry_after_s=RETRY_AFTER_S
        )


def find_customer_kind(tx: Tx, customer_id: str) -> str | None:
    """`patient`, `hospital`, …, or None for a customer nobody told us of."""
    kind: str | None = tx.conn.execute(
        text("select kind from customer_kinds where customer_id = :id"), {"id": customer_id}
    ).scalar()
    return kind


def lock_allotments(
    tx: Tx, sale_id: str, sold: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], Allotment]:
    """The allotments of these (sale line, lot) keys, held until the transaction ends.

    `sold` gives the quantity sold per key. A key never asked for before gets its zero row first: without a row
    there is nothing that two first requests could queue on.
    """
    keys = sorted(sold)
    tx.conn.execute(
        upsert(return_allotments).on_conflict_do_nothing(),
        [
            {
                "sale_id": sale_id,
                "sale_line_id": line,
                "lot": lot,
                "sold": sold[line, lot],
                "reserved": 0,
                "settled": 0,
            }
            for line, lot in keys
        ],
    )
    rows = tx.conn.execute(
        text(
            "select sale_line_id, lot, sold, reserved, settled from return_allotments"
            " where sale_id = :sale_id and (sale_line_id, lot) in"
            " (select * from unnest(cast(:lines as text[]), cast(:lots as text[])))"
            " order by sale_line_id, lot for update"
        ),
        {"sale_id": sale_id, "lines": [line for line, _ in keys], "lots": [lot for _, lot in keys]},
    )
    return {(row.sale_line_id, row.lot): Allotment(**row._mapping) for row in rows}  # noqa: SLF001


def save_allotments(tx: Tx, sale_id: str, allotments: Iterable[Allotment]) -> None:
    for each in allotments:
        tx.conn.execute(
            update(return_allotments)
            .where(
                return_allotments.c.sale_id == sale_id,
                return_allotments.c.sale_line_id == each.sale_line_id,
                return_allotments.c.lot == each.lot,
            )
            .values(reserved=each.reserved, settled=each.settled)
        )


# --- notices --------------------------------------------------------------------------------------


def next_number(tx: Tx, branch_id: str) -> str:
    """`TH-<branch>-<year>-NNNNNN`, without gaps per branch and year: requesters queue on the counter row."""
    year = business_date(tx.now).year
    last = tx.conn.execute(
        upsert(return_numbers)
        .values(branch_id=branch_id, year=year, last=1)
        .on_conflict_do_update(index_elements=["branch_id", "year"], set_={"last": return_numbers.c.last + 1})
        .returning(return_numbers.c.last)
    ).scalar_one()
    return f"TH-{branch_id}-{year}-{last:06d}"


def add_notice(tx: Tx, notice: Notice, **extra: Any) -> None:
    """Insert the notice, its lines and the columns only the record holds (request, refusal cause, receipt)."""
    tx.conn.execute(
        insert(return_notices).values(**{name: getattr(notice, name) for name in _NOTICE}, **extra)
    )
    if notice.lines:
        tx.conn.execute(
            insert(return_lines),
            [
                {
                    "notice_id": notice.id,
                    "position": position,
                    **{name: getattr(line, name) for name in _LINE},
                }
                for position, line in enumerate(notice.lines)
            ],
        )


def lock_notice(tx: Tx, notice_id: UUID) -> Notice:
    """The notice with its lines, held against other writers. Raises ReturnNotFound, ForeignBranch."""
    return lock_notices(tx, {notice_id})[notice_id]


def lock_notices(tx: Tx, notice_ids: Collection[UUID]) -> dict[UUID, Notice]:
    """The notices with their lines, locked in the order of their ids. Raises ReturnNotFound, ForeignBranch."""
    wanted = sorted(notice_ids)
    rows = (
        tx.conn.execute(
            select(*(return_notices.c[name] for name in _NOTICE))
            .where(return_notices.c.id == any_(literal(wanted, ARRAY(Uuid))))
            .order_by(return_notices.c.id)
            .with_for_update()
        )
        .mappings()
        .all()
    )
    for missing in sorted(set(wanted) - {row["id"] for row in rows}):
        raise ReturnNotFound(Text("no return {missing}", missing=missing))
    lines: dict[UUID, list[Line]] = {notice_id: [] for notice_id in wanted}
    for line in tx.conn.execute(
        select(return_lines.c.notice_id, *(return_lines.c[name] for name in _LINE))
        .where(return_lines.c.notice_id == any_(literal(wanted, ARRAY(Uuid))))
        .order_by(return_lines.c.notice_id, return_lines.c.position)
    ).mappings():
        lines[line["notice_id"]].append(_line_of({name: line[name] for name in _LINE}))
    notices = {}
    for row in rows:
        tx.actor.require_branch(row["branch_id"])
        read = {**row, "kind": Kind(row["kind"]), "status": Status(row["status"])}
        notices[row["id"]] = Notice(**read, lines=lines[row["id"]])
    return notices


def _line_of(row: Mapping[str, Any]) -> Line:
    return Line(
        **{
            **row,
            "status": LineStatus(row["status"]),
            "receipt_cause": row["receipt_cause"] and ReceiptCause(row["receipt_cause"]),
            "result": row["result"] and Result(row["result"]),
            "disposition": row["disposition"] and Disposition(row["disposition"]),
        }
    )


def save_notice(tx: Tx, notice: Notice, *, lines: Iterable[Line] = ()) -> None:
    """Store what moves: the notice's state and that of the given lines."""
    tx.conn.execute(
        update(return_notices)
        .where(return_notices.c.id == notice.id)
        .values(
            status=notice.status,
            version=notice.version,
            received_by=notice.received_by,
            received_at=notice.received_at,
            refund_fen=notice.refund_fen,
            refund_id=notice.refund_id,
        )
    )
    for line in lines:
        tx.conn.execute(
            update(return_lines)
            .where(return_lines.c.id == line.id)
            .values(
                received_quantity=line.received_quantity,
                accepted_quantity=line.accepted_quantity,
                status=line.status,
                receipt_cause=line.receipt_cause,
                result=line.result,
                inspected_by=line.inspected_by,
                disposition=line.disposition,
                net_fen=line.net_fen,
                tax_fen=line.tax_fen,
                cost_fen=line.cost_fen,
            )
        )


def save_archived(tx: Tx, notices: Sequence[Notice]) -> None:
    """Store that these notices, which the caller has locked, are archived with their refunds."""
    tx.conn.execute(
        text(
            "update return_notices n set status = u.status, version = u.version, refund_id = u.refund_id"
            " from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:versions as int[]),"
            " cast(:refunds as text[])) as u(id, status, version, refund_id) where n.id = u.id"
        ),
        {
            "ids": [each.id for each in notices],
            "states": [each.status.value for each in notices],
            "versions": [each.version for each in notices],
            "refunds": [each.refund_id for each in notices],
        },
    )


def add_history(
    tx: Tx, notice: Notice, fact: Fact, *, before: Status | None, detail: Mapping[str, Any] | None = None
) -> None:
    """One append-only row per fact; sealed into the hash chain of its month after the commit."""
    add_histories(tx, [(notice, fact, before, detail or {})])


def add_histories(tx: Tx, facts: Sequence[tuple[Notice, Fact, Status | None, Mapping[str, Any]]]) -> None:
    """The rows of facts about several notices, each with the status before and the details, in one statement."""
    told = [
        {
            "notice_id": notice.id,
            "version": notice.version,
            "fact": fact,
            "from_status": before,
            "to_status": notice.status,
            "detail": detail,
        }
        for notice, fact, before, detail in facts
    ]
    tx.conn.execute(
        text(
            "insert into notice_history (stream, notice_id, version, fact, from_status, to_status, at, actor, roles,"
            " detail) select :stream, notice_id, version, fact, from_status, to_status, :now, :actor,"
            " cast(:roles as text[]), detail from jsonb_to_recordset(cast(:told as jsonb)) as u(notice_id uuid,"
            " version int, fact text, from_status text, to_status text, detail jsonb)"
        ),
        {
            "stream": f"{business_date(tx.now):%Y-%m}",
            "now": tx.now,
            "actor": tx.actor.id,
            "roles": sorted(tx.actor.roles),
            "told": orjson.dumps(told).decode(),
        },
    )


# --- approval, pickup, receipt, inspection ------------------------------------------------------------


def add_pickup(tx: Tx, notice_id: UUID, *, due_at: datetime) -> None:
    tx.conn.execute(insert(return_pickups).values(notice_id=notice_id, ordered_at=tx.now, due_at=due_at))


def confirm_pickup(tx: Tx, notice_id: UUID) -> RowMapping:
    """Write the confirmation; `on_time` and `ordered_at` come back."""
    return (
        tx.conn.execute(
            update(return_pickups)
            .where(return_pickups.c.notice_id == notice_id)
            .values(
                confirmed_at=tx.now,
                confirmed_by=tx.actor.id,
                on_time=text("due_at >= :now").bindparams(now=tx.now),
            )
            .returning(return_pickups.c.ordered_at, return_pickups.c.due_at, return_pickups.c.on_time)
        )
        .mappings()
        .one()
    )


def overdue_pickups(tx: Tx, *, limit: int) -> Sequence[UUID]:
    """Notices whose pickup is late and was not yet marked so, the oldest first."""
    return (
        tx.conn.execute(
            select(return_pickups.c.notice_id)
            .join(return_notices, return_notices.c.id == return_pickups.c.notice_id)
            .where(
                return_pickups.c.confirmed_at.is_(None),
                return_pickups.c.breached_at.is_(None),
                return_pickups.c.due_at < tx.now,
                return_notices.c.status == Status.PICKUP_ORDERED,
            )
            .order_by(return_pickups.c.due_at)
            .limit(limit)
        )
        .scalars()
        .all()
    )


def mark_pickup_breached(tx: Tx, notice_id: UUID) -> datetime | None:
    """The time it was due; None when somebody confirmed or marked it meanwhile."""
    return tx.conn.execute(
        update(return_pickups)
        .where(
            return_pickups.c.notice_id == notice_id,
            return_pickups.c.confirmed_at.is_(None),
            return_pickups.c.breached_at.is_(None),
        )
        .values(breached_at=tx.now)
        .returning(return_pickups.c.due_at)
    ).scalar_one_or_none()


def add_receipt(tx: Tx, notice_id: UUID, receipt: Mapping[str, Any]) -> None:
    tx.conn.execute(
        insert(return_receipts).values(
            notice_id=notice_id, receiver=tx.actor.id, received_at=tx.now, **receipt
        )
    )


def add_evidence(tx: Tx, line_id: UUID, evidence: Mapping[str, Any], fault: str | None) -> None:
    tx.conn.execute(
        insert(cold_chain_evidence).values(
            line_id=line_id, evidence=dict(evidence), fault=fault, checked_at=tx.now
        )
    )


def add_inspection_report(tx: Tx, report: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(inspection_reports).values(at=tx.now, inspector=tx.actor.id, **report))


def inspectors_of(tx: Tx, line_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Who has ever inspected each line."""
    found: dict[UUID, set[str]] = {line_id: set() for line_id in line_ids}
    for row in tx.conn.execute(
        select(inspection_reports.c.line_id, inspection_reports.c.inspector).where(
            inspection_reports.c.line_id.in_(line_ids)
        )
    ):
        found[row.line_id].add(row.inspector)
    return found


# --- lots off sale ----------------------------------------------------------------------------------


def add_stop_sale(tx: Tx, row: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(stop_sales).values(row))


def lock_stop_sale(tx: Tx, stop_id: UUID) -> RowMapping | None:
    """The stop, locked until the transaction ends."""
    wanted = select(stop_sales).where(stop_sales.c.id == stop_id).with_for_update()
    return tx.conn.execute(wanted).mappings().one_or_none()


def lift_stop_sale(tx: Tx, stop_id: UUID) -> None:
    tx.conn.execute(
        update(stop_sales).where(stop_sales.c.id == stop_id).values(state="lifted", lifted_at=tx.now)
    )


def pending_lifting(tx: Tx, stop_id: UUID) -> RowMapping | None:
    """The request being decided, of a stop the caller has locked."""
    wanted = select(stop_sale_liftings).where(
        stop_sale_liftings.c.stop_sale_id == stop_id, stop_sale_liftings.c.state == "pending"
    )
    return tx.conn.execute(wanted).mappings().one_or_none()


def add_lifting(tx: Tx, row: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(stop_sale_liftings).values(row))


def decide_lifting(tx: Tx, lifting_id: UUID, **values: Any) -> None:
    tx.conn.execute(update(stop_sale_liftings).where(stop_sale_liftings.c.id == lifting_id).values(**values))
