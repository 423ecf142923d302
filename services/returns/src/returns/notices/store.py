"""The statements that change notices, and the locked reads before them.

Locks are taken in one order: the notice, then allotments in key order, then the number counter.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Uuid, any_, insert, literal, select, text, update

from returns.kernel.vocabulary import Disposition, Fact, Kind, LineStatus, ReceiptCause, Result, Status
from returns.notices.model import Line, Notice, ReturnNotFound
from returns.notices.tables import return_lines, return_notices
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx

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


def add(tx: Tx, notice: Notice, **extra: Any) -> None:
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


def lock(tx: Tx, notice_id: UUID) -> Notice:
    """The notice with its lines, held against other writers. Raises ReturnNotFound, ForeignBranch."""
    return lock_all(tx, {notice_id})[notice_id]


def lock_all(tx: Tx, notice_ids: Collection[UUID]) -> dict[UUID, Notice]:
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


def save(tx: Tx, notice: Notice, *, lines: Iterable[Line] = ()) -> None:
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
