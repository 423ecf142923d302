"""The statements that hold and change payments, write-offs and terms, and read debts for it."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from finance import allocations, open_items
from finance.open_items import Item
from finance.receivables.model import Bearing, Payment, Received, WriteOff
from finance.receivables.tables import credit_terms, payments, write_off_decisions, write_offs
from finance.trade_permissions import KINDS
from shared.approvals import Approval, Decision, decide_and_store
from shared.clock import new_id
from shared.transaction import Tx


def is_known(tx: Tx, customer_id: UUID) -> bool:
    """Did customers tell us of the customer, or does it owe us?"""
    found = tx.conn.execute(
        text(
            f"select 1 from {KINDS} k where customer_id = :id"
            f" union all (select 1 from {open_items.ITEMS} i where customer_id = :id limit 1) limit 1"
        ),
        {"id": customer_id},
    )
    return found.first() is not None


def add_payment(tx: Tx, payment_id: UUID, item_id: UUID, said: Received, booked_on: date) -> bool:
    """False when one of this means and reference was booked before."""
    statement = upsert(payments).values(
        payment_id=payment_id,
        customer_id=said.customer_id,
        branch_id=said.branch_id,
        tender=said.tender,
        reference=said.reference,
        received_on=said.received_on,
        booked_on=booked_on,
        amount_fen=said.amount_fen,
        item_id=item_id,
        received_by=tx.actor.id,
        recorded_at=tx.now,
    )
    added = tx.conn.execute(
        statement.on_conflict_do_nothing(
            index_elements=["tender", "reference"], index_where=text("reversed_on is null")
        ).returning(payments.c.payment_id)
    )
    return added.first() is not None


def lock_payment(tx: Tx, payment_id: UUID) -> Payment | None:
    wanted = [payments.c[each.name] for each in fields(Payment)]
    row = tx.conn.execute(
        select(*wanted).where(payments.c.payment_id == payment_id).with_for_update()
    ).one_or_none()
    return None if row is None else Payment(**row._asdict())


def reverse(tx: Tx, payment_id: UUID, booked_on: date, reason: str) -> None:
    tx.conn.execute(
        text("update payments set reversed_on = :day, reversal_reason = :reason where payment_id = :id"),
        {"day": booked_on, "reason": reason, "id": payment_id},
    )


def oldest_debts(tx: Tx, customer_id: UUID, branch_id: str) -> list[UUID]:
    """Open and undisputed, those due first."""
    rows = tx.conn.execute(
        text(
            f"select item_id from {open_items.ITEMS} i where customer_id = :customer and branch_id = :branch"
            " and open_fen > 0 and disputed_at is null order by due_on, item_id limit 1000"
        ),
        {"customer": customer_id, "branch": branch_id},
    )
    return list(rows.scalars())


def live_allocations(tx: Tx, credit_id: UUID) -> list[UUID]:
    """What the credit was set against and was not taken back."""
    rows = tx.conn.execute(
        text(
            f"select allocation_id from {allocations.ALLOCATIONS} a where credit_id = :credit and fen > 0"
            f" and not exists (select from {allocations.ALLOCATIONS} u where u.undoes = a.allocation_id)"
        ),
        {"credit": credit_id},
    )
    return list(rows.scalars())


def matched(tx: Tx, allocation_id: UUID) -> tuple[UUID, UUID, int] | None:
    """Credit, debt and fen of an allocation."""
    row = tx.conn.execute(
        text(f"select credit_id, debt_id, fen from {allocations.ALLOCATIONS} i where allocation_id = :id"),
        {"id": allocation_id},
    ).one_or_none()
    return None if row is None else (row.credit_id, row.debt_id, row.fen)


def is_undone(tx: Tx, allocation_id: UUID) -> bool:
    found = tx.conn.execute(
        text(f"select 1 from {allocations.ALLOCATIONS} i where undoes = :id"), {"id": allocation_id}
    )
    return found.first() is not None


def branch_of(tx: Tx, item_id: UUID) -> str | None:
    branch: str | None = tx.conn.execute(
        text(f"select branch_id from {open_items.ITEMS} i where item_id = :id"), {"id": item_id}
    ).scalar_one_or_none()
    return branch


def add_terms(tx: Tx, customer_id: UUID, effective_from: date, instalments: Sequence[dict[str, int]]) -> bool:
    """False when terms from that day on were decided before."""
    statement = upsert(credit_terms).values(
        customer_id=customer_id,
        effective_from=effective_from,
        instalments=list(instalments),
        decided_by=tx.actor.id,
        decided_at=tx.now,
    )
    added = tx.conn.execute(statement.on_conflict_do_nothing().returning(credit_terms.c.customer_id))
    return added.first() is not None


def request_write_off(tx: Tx, item: Item, fen: int, reason: str) -> UUID | None:
    """None while another one of the item waits."""
    statement = upsert(write_offs).values(
        write_off_id=new_id(),
        item_id=item.item_id,
        branch_id=item.branch_id,
        amount_fen=fen,
        reason=reason,
        state="requested",
        requested_by=tx.actor.id,
        requested_at=tx.now,
    )
    made: UUID | None = tx.conn.execute(
        statement.on_conflict_do_nothing(
            index_elements=["item_id"], index_where=text("state = 'requested'")
        ).returning(write_offs.c.write_off_id)
    ).scalar_one_or_none()
    return made


def item_of_write_off(tx: Tx, write_off_id: UUID) -> UUID | None:
    item_id: UUID | None = tx.conn.execute(
        text("select item_id from write_offs where write_off_id = :id"), {"id": write_off_id}
    ).scalar_one_or_none()
    return item_id


def lock_write_off(tx: Tx, write_off_id: UUID) -> WriteOff:
    """Its item is locked before."""
    wanted = [write_offs.c[each.name] for each in fields(WriteOff)]
    row = tx.conn.execute(
        select(*wanted).where(write_offs.c.write_off_id == write_off_id).with_for_update()
    ).one()
    return WriteOff(**row._asdict())


def decide(
    tx: Tx, asked: WriteOff, approval: Approval, *, approved: bool, reason: str | None
) -> tuple[Decision, str]:
    """Keep the actor's decision and say the state that it leads to. Raises the refusals of shared.approvals."""
    subject = {"write_off_id": asked.write_off_id}
    return decide_and_store(tx, write_off_decisions, subject, approval, approved=approved, reason=reason)


def settle_write_off(tx: Tx, asked: WriteOff, state: str, booked_on: date | None) -> None:
    tx.conn.execute(
        text("update write_offs set state = :state, booked_on = :day where write_off_id = :id"),
        {"state": state, "day": booked_on, "id": asked.write_off_id},
    )


def bearing(tx: Tx, kinds: Sequence[str], month_end: date, limit: int) -> list[UUID]:
    """Overdue sales to these kinds of customers that bear interest which was not charged yet."""
    rows = tx.conn.execute(
        text(
            f"select i.item_id from {open_items.ITEMS} i join {KINDS} p on p.customer_id = i.customer_id"
            " where i.kind = 'sale' and p.kind = any(:kinds) and i.disputed_at is null"
            " and i.written_off_fen = 0 and i.due_on < coalesce(i.settled_on, :month_end)"
            " and coalesce(i.interest_through, i.due_on) < coalesce(i.settled_on, :month_end)"
            " order by i.due_on limit :batch"
        ),
        {"kinds": list(kinds), "month_end": month_end, "batch": limit},
    )
    return list(rows.scalars())


_BEARING = ", ".join(each.name for each in fields(Bearing))


def lock_bearing(tx: Tx, item_id: UUID) -> Bearing:
    open_items.lock(tx.conn, [item_id])
    row = tx.conn.execute(
        text(f"select {_BEARING} from {open_items.ITEMS} i where item_id = :id"), {"id": item_id}
    ).one()
    return Bearing(*row)


def reductions(tx: Tx, item_id: UUID) -> list[tuple[date, int]]:
    """What was taken off a debt, by day."""
    rows = tx.conn.execute(
        text(f"select allocated_on, fen from {allocations.ALLOCATIONS} i where debt_id = :id"),
        {"id": item_id},
    )
    return [(row.allocated_on, row.fen) for row in rows]


def written_off(tx: Tx, item_id: UUID) -> int:
    """What was written off of a debt and not recovered; its row is locked."""
    fen: int = tx.conn.execute(
        text(
            f"select written_off_fen - (select coalesce(sum(r.amount_fen), 0) from {open_items.ITEMS} r"
            "  where r.principal_id = i.item_id and r.kind = 'other')::bigint"
            f" from {open_items.ITEMS} i where item_id = :id"
        ),
        {"id": item_id},
    ).scalar_one()
    return fen
