"""The statements that hold refunds, and what other areas read of what came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, insert, text

from finance.refund_amounts import ReturnedLine
from finance.refunds.rules import Part, RefundUnknown, State
from finance.refunds.tables import refund_steps
from shared import audit
from shared.approvals import Decision
from shared.transaction import Tx

RETURNED_LINES = (
    "(select f.refund_id, f.sale_id, f.branch_id, coalesce(b.booked_on, f.booked_on) as booked_on, b.no, b.sale_line_id, b.lot, b.quantity, b.net_fen, b.tax_fen,"
    " b.cost_fen, b.disposition from refunds f join refund_lines b on b.refund_id = f.refund_id)"
)
"""What came back of lines of sales, by the day it became owed; below 0 by the day a refund was withdrawn."""
LIVE = "b.no > (select coalesce(max(w.no), 0) from refund_lines w where w.refund_id = b.refund_id and w.quantity < 0)"
"""SQL over a row `b` of refund_lines: no withdrawal has taken it back."""
_TURNS = (
    "(select count(*) from refund_lines w join refund_lines n on n.refund_id = w.refund_id and n.no = w.no + 1"
    " where w.refund_id = b.refund_id and w.quantity < 0 and n.quantity > 0 and n.no <= {0})"
)
STANDING = (
    f"(b.quantity > 0 and {_TURNS.format('b.no')} = least({_TURNS.format('32767')}, (select count(*) from refund_steps s"
    " where s.refund_id = b.refund_id and s.step = 'withdrawn' and s.at <= :at)))"
)
"""SQL over a row `b` of RETURNED_LINES: the refund was of it at the instant `at`, withdrawn or owed anew since or not."""
REFUNDED = "(select refund_id, sale_id, total_fen from refunds)"
"""What each refund of a sale came to."""


def hold(conn: Connection, refund_ids: Sequence[UUID]) -> list[UUID]:
    """Hold the refunds in the order of their ids, and say of which sales they are."""
    rows = conn.execute(
        text("select sale_id from refunds where refund_id = any(:ids) order by refund_id for update"),
        {"ids": list(refund_ids)},
    )
    return list(rows.scalars())


def sale_of(conn: Connection, refund_id: UUID) -> UUID | None:
    """The sale of a refund; None of one that is not there."""
    found: UUID | None = conn.execute(
        text("select sale_id from refunds where refund_id = :id"), {"id": refund_id}
    ).scalar_one_or_none()
    return found


def refunded_fen(conn: Connection, sale_id: UUID) -> int:
    """What refunds of a sale came to so far."""
    found = conn.execute(
        text("select coalesce(sum(total_fen), 0) from refunds where sale_id = :sale_id"), {"sale_id": sale_id}
    )
    return int(found.scalar_one())


def has_refunds(conn: Connection, sale_id: UUID) -> bool:
    """Whether anything of a sale came back, be it worth nothing."""
    found = conn.execute(
        text("select exists (select from refunds where sale_id = :sale_id and state <> 'withdrawn')"),
        {"sale_id": sale_id},
    )
    return bool(found.scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What is owed for one return or void, as it stands; `approved_hash` is of what was approved."""

    refund_id: UUID
    kind: str
    return_id: str
    sale_id: UUID
    branch_id: str
    customer_id: UUID | None
    booked_on: date
    total_fen: int
    state: str
    version: int
    approved_by: str | None
    approved_hash: str | None
    parts: Sequence[Part]

    @property
    def subject_hash(self) -> str:
        """The hash of what is approved: to whom and how much, and by which means."""
        owed = [[part.tender, part.means, part.fen] for part in self.parts]
        subject_hash = audit.digest([str(self.refund_id), self.return_id, self.total_fen, owed])
        assert subject_hash is not None
        return subject_hash


class Try(NamedTuple):
    """A payment that was made, or that its channel refused."""

    actor: str
    refused_tender: str | None


class CashPart(NamedTuple):
    """What of a refund goes back in cash; by whom and when it was paid."""

    fen: int
    paid_by: str | None
    paid_at: datetime | None


_COLUMNS = (
    "refund_id, kind, return_id, sale_id, branch_id, customer_id, booked_on, total_fen, state, version, approved_by,"
    " approved_hash"
)
_PARTS = (
    "select t.tender, t.means, t.fen, p.refund_id is not null as is_paid from refund_tenders t"
    " left join refund_payments p on p.refund_id = t.refund_id and p.tender = t.tender"
    " where t.refund_id = :id order by t.tender"
)


def find(tx: Tx, refund_id: UUID, lock: str = "") -> Refund:
    """Raises RefundUnknown, also for a branch the token does not cover."""
    key = {"id": refund_id}
    found = tx.conn.execute(text(f"select {_COLUMNS} from refunds where refund_id = :id{lock}"), key)
    row = found.mappings().one_or_none()
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise RefundUnknown("no such refund")
    return Refund(**row, parts=[Part(**part) for part in tx.conn.execute(text(_PARTS), key).mappings()])


def lock(tx: Tx, refund_id: UUID) -> Refund:
    """The refund, held until the transaction ends. Raises RefundUnknown."""
    return find(tx, refund_id, " for update")


def lines_of(tx: Tx, refund_id: UUID) -> list[ReturnedLine]:
    """What came back."""
    rows = tx.conn.execute(
        text(
            "select return_line_id, sale_line_id::text, lot, quantity, disposition, net_fen, tax_fen, cost_fen"
            f" from refund_lines b where refund_id = :id and {LIVE} order by no"
        ),
        {"id": refund_id},
    ).mappings()
    return [ReturnedLine(**row) for row in rows]


def tries_of(tx: Tx, refund_id: UUID) -> list[Try]:
    """Who tried or made payments of it."""
    rows = tx.conn.execute(
        text(
            "select actor, case when step = 'failed' then detail ->> 'tender' end as refused_tender from refund_steps"
            " where refund_id = :id and step in ('paying', 'failed') order by version"
        ),
        {"id": refund_id},
    )
    return [Try(*row) for row in rows]


def cash_part(tx: Tx, refund_id: UUID, branch_id: str) -> CashPart | None:
    """None of a refund without cash, or of another branch."""
    row = tx.conn.execute(
        text(
            "select t.fen, p.paid_by, p.paid_at"
            " from refunds r join refund_tenders t on t.refund_id = r.refund_id and t.means = 'cash'"
            " left join refund_payments p on p.refund_id = t.refund_id and p.tender = t.tender"
            " where r.refund_id = :refund_id and r.branch_id = :branch_id"
        ),
        {"refund_id": refund_id, "branch_id": branch_id},
    ).one_or_none()
    return None if row is None else CashPart(*row)


def require_known(tx: Tx, refund_ids: Sequence[UUID]) -> None:
    """Raises RefundUnknown if one of a list is not there, or of a branch the token does not cover."""
    rows = tx.conn.execute(
        text("select branch_id from refunds where refund_id = any(:ids)"), {"ids": list(set(refund_ids))}
    ).scalars()
    seen = [branch for branch in rows if tx.actor.may_see(branch)]
    if len(seen) < len(set(refund_ids)):
        raise RefundUnknown("the list names a refund that is not there")


def pay_by_bank(tx: Tx, refund_id: UUID, tender: str) -> None:
    """The part of this tender goes by bank transfer."""
    tx.conn.execute(
        text("update refund_tenders set means = 'bank' where refund_id = :id and tender = :tender"),
        {"id": refund_id, "tender": tender},
    )


def add_payment(
    tx: Tx, refund: Refund, part: Part, *, payment_id: UUID, reference: str | None, booked_on: date
) -> bool:
    """Keep that a part was paid; whether nothing stands under its key or its channel's reference."""
    kept = tx.conn.execute(
        text(
            "insert into refund_payments (refund_id, tender, payment_id, means, fen, reference, booked_on, paid_by,"
            " paid_at) values (:refund, :tender, :payment, :means, :fen, :reference, :day, :actor, :now)"
            " on conflict do nothing returning 1"
        ),
        {
            "refund": refund.refund_id,
            "tender": part.tender,
            "payment": payment_id,
            "means": part.means,
            "fen": part.fen,
            "reference": reference,
            "day": booked_on,
            "actor": tx.actor.id,
            "now": tx.now,
        },
    ).first()
    return kept is not None


def last_paid_on(tx: Tx, refund_id: UUID) -> date:
    """The day of the last payment of a refund that has one."""
    found: date = tx.conn.execute(
        text("select max(booked_on) from refund_payments where refund_id = :id"), {"id": refund_id}
    ).scalar_one()
    return found


def advance(
    tx: Tx,
    refund: Refund,
    state: State,
    step: str,
    detail: Mapping[str, Any],
    **changes: str | int | date | datetime | UUID | None,
) -> int:
    """The next version of the refund, with its step; the event about it has this version."""
    columns = "".join(f", {name} = :{name}" for name in changes)
    version: int = tx.conn.execute(
        text(
            f"update refunds set state = :state, version = version + 1{columns} where refund_id = :id"
            " returning version"
        ),
        {"id": refund.refund_id, "state": state.value, **changes},
    ).scalar_one()
    tx.conn.execute(
        insert(refund_steps).values(
            refund_id=refund.refund_id,
            version=version,
            step=step,
            actor=tx.actor.id,
            at=tx.now,
            detail=dict(detail),
        )
    )
    audit.record(tx, f"refund.{step}", str(refund.refund_id), before=refund.state, after=[state, detail])
    return version


def keep_approval(tx: Tx, refund: Refund, decision: Decision, detail: Mapping[str, Any]) -> None:
    """Approved: who pays sees by whom, and whether it is still what was approved."""
    advance(
        tx,
        refund,
        State.APPROVED,
        "approved",
        {"role": decision.role, **detail},
        approved_by=decision.person,
        approved_at=decision.at,
        approved_hash=decision.subject_hash,
    )
