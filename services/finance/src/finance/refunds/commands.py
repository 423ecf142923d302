"""What finance's people do with a refund that is owed: approve, hold, release, pay, and say that a channel refused.

Who approves does not pay. Every step locks the refund's row first, so two payments of one part never meet.
Source: F22, I35, G21, model 3.2 (Refund)
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from finance import allocations, cash, entries, open_items, periods, points
from finance.book import book_of
from finance.kernel import posting
from finance.kernel.posting import PostingLine
from finance.kernel.receipt import Tender
from finance.refunds import rules, store
from finance.refunds.events import refund_failed, refund_paid
from finance.refunds.rules import Part, Payment, ReturnedLine, State
from finance.refunds.tables import refund_steps
from shared import audit, outbox
from shared.approvals import Approval, SamePerson
from shared.clock import business_date, new_id
from shared.errors import DomainError
from shared.languages import Text
from shared.transaction import Tx


def approve(tx: Tx, refund_id: UUID, *, by_bank: Sequence[str] = ()) -> None:
    """Let it be paid; `by_bank` names tenders whose channel refused, to be paid by bank transfer instead.

    Raises RefundUnknown, RefundNotAwaited, SamePerson, RefundBankUnfit.
    """
    row, parts = _lock(tx, refund_id)
    rules.require("approve", row["state"])
    handled = _handled(tx, refund_id)
    refused = {each["detail"]["tender"] for each in handled if each["step"] == "failed"}
    for tender in by_bank:
        if tender not in refused or any(part.tender == tender and part.is_paid for part in parts):
            raise rules.RefundBankUnfit(Text("{tender} was not refused by its channel", tender=tender))
        tx.conn.execute(
            text("update refund_tenders set means = 'bank' where refund_id = :id and tender = :tender"),
            {"id": refund_id, "tender": tender},
        )
    row, parts = _lock(tx, refund_id)
    subject_hash = _subject(row, parts)
    [role] = [each for each in rules.APPROVERS if each in tx.actor.roles][:1]
    decision = Approval(
        required=frozenset({role}),
        excluded=frozenset(each["actor"] for each in handled),
        subject_hash=subject_hash,
    ).decide(person=tx.actor.id, roles=tx.actor.roles, approved=True, reason=None, at=tx.now)
    _advance(
        tx,
        row,
        State.APPROVED,
        "approved",
        {"role": decision.role, "by_bank": list(by_bank)},
        approved_by=decision.person,
        approved_at=decision.at,
        approved_hash=decision.subject_hash,
    )


def approve_all(tx: Tx, refund_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Each for itself: what is refused is told and stops no other. A list with a strange id is refused whole.

    Raises RefundUnknown.
    """
    _require_known(tx, refund_ids)
    return _each(tx, sorted(set(refund_ids)), lambda refund_id: approve(tx, refund_id))


def hold(tx: Tx, refund_id: UUID, reason: str) -> None:
    """Stop the payment with a reason; it stays owed. Raises RefundUnknown, RefundNotAwaited."""
    row, _ = _lock(tx, refund_id)
    rules.require("hold", row["state"])
    _advance(tx, row, State.HELD, "held", {"reason": reason}, held_reason=reason)


def release(tx: Tx, refund_id: UUID) -> None:
    """Let it be decided on anew. Raises RefundUnknown, RefundNotAwaited."""
    row, _ = _lock(tx, refund_id)
    rules.require("release", row["state"])
    _advance(tx, row, State.VERIFIED, "released", {}, held_reason=None)


def pay(tx: Tx, refund_id: UUID, payments: Sequence[Payment], paid_on: date | None = None) -> None:
    """Pay parts of a refund, cash out of the safe. The last part makes it paid, and tells it.

    Raises RefundUnknown, RefundNotAwaited, RefundChanged, SamePerson, RoleNotAwaited, RefundPartUnknown,
    RefundPartPaid, RefundReferenceUnfit, RefundReferenceUsed, RefundDayUnfit, PeriodClosed, and what cash asks.
    """
    row, parts = _find(tx, refund_id)
    named = {each.tender for each in payments}
    cash_fen = sum(part.fen for part in parts if part.tender in named and part.means == Tender.CASH)
    if cash_fen:
        # before the refund is locked: cash locks its branch first, everywhere
        cash.before_safe_pays(tx, row["branch_id"], cash_fen)
    _pay(tx, refund_id, payments, paid_on, frozenset(tx.actor.roles))


def pay_all(
    tx: Tx, wanted: Sequence[tuple[UUID, Sequence[Payment]]], paid_on: date | None
) -> list[dict[str, Any]]:
    """The payments of a day's list, each refund for itself. Cash is paid at the counter, never here.

    A list with a strange id is refused whole. Raises RefundUnknown.
    """
    by_id = dict(wanted)
    _require_known(tx, list(by_id))
    roles = frozenset(tx.actor.roles) - set(rules.COUNTER)
    sale_ids = store.hold(tx.conn, list(by_id))
    # debts and points in their own order, so that two lists never wait for each other
    open_items.lock_of_sales(tx.conn, sale_ids)
    points.hold(tx.conn, sale_ids)
    return _each(tx, sorted(by_id), lambda refund_id: _pay(tx, refund_id, by_id[refund_id], paid_on, roles))


def pay_from_drawer(tx: Tx, session_id: UUID, refund_id: UUID) -> dict[str, Any]:
    """Pay the cash part of an approved refund out of this drawer; of one the safe paid, say that this drawer did.

    Only who paid it says so, of a drawer that was open then: nobody else's cash is moved to the safe's shortage.
    Raises SessionNotOpen, RefundNotPayable, DrawerShort, and for an unpaid one what `pay` asks.
    """
    session = cash.open_held(tx, session_id)
    found = tx.conn.execute(
        text(
            "select t.fen, p.paid_by, p.paid_at"
            " from refunds r join refund_tenders t on t.refund_id = r.refund_id and t.means = 'cash'"
            " left join refund_payments p on p.refund_id = t.refund_id and p.tender = t.tender"
            " where r.refund_id = :refund_id and r.branch_id = :branch_id"
        ),
        {"refund_id": refund_id, "branch_id": session["branch_id"]},
    ).one_or_none()
    if found is None or cash.has_paid(tx, refund_id):
        raise rules.RefundNotPayable("no refund of this branch awaits its cash")
    if found.paid_by is not None and (found.paid_by != tx.actor.id or found.paid_at < session["opened_at"]):
        raise rules.RefundNotPayable("the safe paid it, and only who paid says that this open drawer did")
    cash.require_in_drawer(tx, session, found.fen)
    if found.paid_by is None:
        _pay(tx, refund_id, [Payment(tender=Tender.CASH)], None, frozenset(tx.actor.roles))
    return cash.pay_out(tx, session, found.fen, refund_id)


def fail(tx: Tx, refund_id: UUID, tender: str, reason: str) -> None:
    """The channel refused the payment: it stays owed, and is approved anew before it is tried again.

    Raises RefundUnknown, RefundNotAwaited, RefundPartUnknown, RefundPartPaid, RefundFailureUnknown,
    RoleNotAwaited, SamePerson.
    """
    row, parts = _lock(tx, refund_id)
    rules.require("fail", row["state"])
    today = business_date(tx.now)
    rules.require_failure(reason, today)
    part = next((each for each in parts if each.tender == tender), None)
    if part is None or part.means in {"credit", "points"}:
        raise rules.RefundPartUnknown(Text("no channel pays {tender} of this refund", tender=tender))
    if part.is_paid:
        raise rules.RefundPartPaid(Text("the part of {tender} is paid", tender=tender))
    rules.require_payer(part, tx.actor.roles)
    _require_another(tx, row)
    detail = {"tender": tender, "means": part.means, "reason": reason}
    version = _advance(tx, row, State.FAILED, "failed", detail)
    outbox.append(
        tx,
        refund_failed(
            refund_id=str(refund_id),
            return_id=row["return_id"],
            sale_id=str(row["sale_id"]),
            branch_id=row["branch_id"],
            customer_id=_text(row["customer_id"]),
            tender=tender,
            means=part.means,
            fen=part.fen,
            reason=reason,
            failed_on=today,
            version=version,
        ),
    )


def finish(tx: Tx, refund_id: UUID, booked_on: date) -> None:
    """Nothing of it is owed any more: say so. The row is locked, or new."""
    row, parts = _find(tx, refund_id)
    version = _advance(tx, row, State.PAID, "paid", {}, paid_on=booked_on, paid_at=tx.now)
    outbox.append(
        tx,
        refund_paid(
            refund_id=str(refund_id),
            return_id=row["return_id"],
            sale_id=str(row["sale_id"]),
            branch_id=row["branch_id"],
            customer_id=_text(row["customer_id"]),
            business_date=booked_on,
            lines=_lines(tx, refund_id),
            tenders=[(part.tender, part.fen) for part in parts],
            restored=points.told(tx.conn, refund_id),
            total_fen=row["total_fen"],
            version=version,
        ),
    )


def keep_step(tx: Tx, refund_id: UUID, version: int, step: str, detail: Mapping[str, Any]) -> None:
    tx.conn.execute(
        insert(refund_steps).values(
            refund_id=refund_id, version=version, step=step, actor=tx.actor.id, at=tx.now, detail=dict(detail)
        )
    )


def _pay(
    tx: Tx, refund_id: UUID, payments: Sequence[Payment], paid_on: date | None, roles: frozenset[str]
) -> None:
    row, parts = _lock(tx, refund_id)
    rules.require("pay", row["state"])
    if row["approved_hash"] != _subject(row, parts):
        raise rules.RefundChanged("this is not what was approved")
    _require_another(tx, row)
    today = business_date(tx.now)
    wanted = [(rules.to_pay(parts, each), each) for each in payments]
    has_cash = any(part.means == Tender.CASH for part, _ in wanted)
    day = paid_on or today
    if not min(row["booked_on"], today) <= day <= today or (has_cash and day != today):
        raise rules.RefundDayUnfit("the day lies before the debt or after today, or is not today's for cash")
    booked_on, reference = periods.booking_days(tx, {day})[day]
    for part, payment in wanted:
        rules.require_payer(part, roles)
        _settle(tx, row, part, payment, booked_on, reference)
    paid = {each.tender for each in payments}
    if all(part.is_paid or part.tender in paid for part in parts):
        last = tx.conn.execute(
            text("select max(booked_on) from refund_payments where refund_id = :id"), {"id": refund_id}
        ).scalar_one()
        finish(tx, refund_id, last)
    else:
        _advance(tx, row, State.PAYING, "paying", {"tenders": sorted(paid)})


def _settle(
    tx: Tx, row: Mapping[str, Any], part: Part, payment: Payment, booked_on: date, reference: str | None
) -> None:
    """Keep and book the payment of one part."""
    payment_id = new_id()
    kept = tx.conn.execute(
        text(
            "insert into refund_payments (refund_id, tender, payment_id, means, fen, reference, booked_on, paid_by,"
            " paid_at) values (:refund, :tender, :payment, :means, :fen, :reference, :day, :actor, :now)"
            " on conflict do nothing returning 1"
        ),
        {
            "refund": row["refund_id"],
            "tender": part.tender,
            "payment": payment_id,
            "means": part.means,
            "fen": part.fen,
            "reference": payment.reference,
            "day": booked_on,
            "actor": tx.actor.id,
            "now": tx.now,
        },
    ).first()
    if kept is None:
        raise rules.RefundReferenceUsed("another refund was paid under this reference")
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=row["branch_id"],
            kind="refund_paid",
            source_id=str(payment_id),
            postings=_postings(tx, row, part),
            customer_id=_text(row["customer_id"]),
            reference=reference,
        ),
    )
    if part.means == Tender.CREDIT:
        allocations.match_refund(tx, refund_id=payment_id, sale_id=row["sale_id"], on=booked_on)


def _require_known(tx: Tx, refund_ids: Sequence[UUID]) -> None:
    rows = tx.conn.execute(
        text("select branch_id from refunds where refund_id = any(:ids)"), {"ids": list(set(refund_ids))}
    ).scalars()
    seen = [branch for branch in rows if tx.actor.may_see(branch)]
    if len(seen) < len(set(refund_ids)):
        raise rules.RefundUnknown("the list names a refund that is not there")


def _postings(tx: Tx, row: Mapping[str, Any], part: Part) -> Sequence[PostingLine]:
    chart = book_of(tx.conn).chart
    if part.means != Tender.POINTS:
        return posting.refund_paid(chart, [(part.means, part.fen)])
    back = points.give_back(tx.conn, chart, refund_id=row["refund_id"], sale_id=row["sale_id"], fen=part.fen)
    return back.postings


def _each(tx: Tx, ids: Sequence[UUID], act: Callable[[UUID], None]) -> list[dict[str, Any]]:
    done: list[dict[str, Any]] = []
    for refund_id in ids:
        try:
            with tx.conn.begin_nested():
                act(refund_id)
        except DomainError as refusal:
            done.append({"refund_id": refund_id, "code": refusal.code, "detail": refusal.detail})
        else:
            done.append({"refund_id": refund_id, "code": None, "detail": None})
    return done


_PARTS = (
    "select t.tender, t.means, t.fen, p.refund_id is not null as is_paid from refund_tenders t"
    " left join refund_payments p on p.refund_id = t.refund_id and p.tender = t.tender"
    " where t.refund_id = :id order by t.tender"
)


def _find(tx: Tx, refund_id: UUID, lock: str = "") -> tuple[dict[str, Any], list[Part]]:
    """Raises RefundUnknown, also for a branch the token does not cover."""
    row = (
        tx.conn.execute(text(f"select * from refunds where refund_id = :id{lock}"), {"id": refund_id})
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise rules.RefundUnknown("no such refund")
    parts = tx.conn.execute(text(_PARTS), {"id": refund_id}).mappings()
    return dict(row), [Part(**part) for part in parts]


def _lock(tx: Tx, refund_id: UUID) -> tuple[dict[str, Any], list[Part]]:
    return _find(tx, refund_id, " for update")


def _lines(tx: Tx, refund_id: UUID) -> list[ReturnedLine]:
    rows = tx.conn.execute(
        text(
            "select return_line_id, sale_line_id::text, lot, quantity, disposition, net_fen, tax_fen, cost_fen"
            " from refund_lines where refund_id = :id order by no"
        ),
        {"id": refund_id},
    ).mappings()
    return [ReturnedLine(**row) for row in rows]


def _handled(tx: Tx, refund_id: UUID) -> list[dict[str, Any]]:
    """Who tried or made payments of it."""
    rows = tx.conn.execute(
        text(
            "select step, actor, detail from refund_steps where refund_id = :id"
            " and step in ('paying', 'failed') order by version"
        ),
        {"id": refund_id},
    ).mappings()
    return [dict(row) for row in rows]


def _subject(row: Mapping[str, Any], parts: Sequence[Part]) -> str:
    """The hash of what is approved: to whom and how much, and by which means."""
    owed = [[part.tender, part.means, part.fen] for part in parts]
    subject_hash = audit.digest([str(row["refund_id"]), row["return_id"], row["total_fen"], owed])
    assert subject_hash is not None
    return subject_hash


def _require_another(tx: Tx, row: Mapping[str, Any]) -> None:
    if tx.actor.id == row["approved_by"]:
        raise SamePerson("who approved a refund does not pay it")


def _advance(
    tx: Tx, row: Mapping[str, Any], state: State, step: str, detail: Mapping[str, Any], **changes: Any
) -> int:
    """The next version of the refund, with its step; the event about it has this version."""
    columns = "".join(f", {name} = :{name}" for name in changes)
    version: int = tx.conn.execute(
        text(
            f"update refunds set state = :state, version = version + 1{columns} where refund_id = :id"
            " returning version"
        ),
        {"id": row["refund_id"], "state": state.value, **changes},
    ).scalar_one()
    keep_step(tx, row["refund_id"], version, step, detail)
    audit.record(tx, f"refund.{step}", str(row["refund_id"]), before=row["state"], after=[state, detail])
    return version


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
