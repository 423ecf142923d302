"""The dunning cases as they are stored: what time, people and disputes make of them.

Everything waits on the case's row; the item's row is locked before it, as allocations do.
Source: F14, I29
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from finance import open_items
from finance.dunning import rules
from finance.dunning.events import dunning_level_reached, receivable_overdue
from finance.dunning.rules import Case, CaseState, Outcome
from finance.kernel import debts
from finance.open_items import Item
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.errors import NotFound
from shared.languages import Text
from shared.transaction import Tx

BATCH = 500
CASE_COLUMNS = tuple(each.name for each in fields(Case))


class DunningCaseUnknown(NotFound):
    code = "dunning_case_unknown"
    cure = "Look it up in the list of dunning cases."


def case_of(row: Row[Any]) -> Case:
    values = {name: getattr(row, name) for name in CASE_COLUMNS}
    return Case(**{**values, "state": CaseState(row.state)})


def keep(tx: Tx, case_id: UUID, case: Case, reason: str | None = None) -> int:
    """Write the case and say its new version."""
    assignments = ", ".join(f"{name} = :{name}" for name in CASE_COLUMNS)
    version: int = tx.conn.execute(
        text(
            f"update dunning_cases set {assignments}, reason = :reason, version = version + 1"
            " where case_id = :case_id returning version"
        ),
        {**{name: getattr(case, name) for name in CASE_COLUMNS}, "case_id": case_id, "reason": reason},
    ).scalar_one()
    return version


def active(tx: Tx, item_id: UUID) -> Row[Any] | None:
    return tx.conn.execute(
        text("select * from dunning_cases where item_id = :id and state <> 'settled' for update"),
        {"id": item_id},
    ).one_or_none()


def pause(tx: Tx, item_id: UUID) -> None:
    """The item is disputed; without a case there is nothing to pause, and none is opened."""
    found = active(tx, item_id)
    if found is not None and found.state != CaseState.BLOCKED:
        keep(tx, found.case_id, rules.paused(case_of(found)))


def resume(tx: Tx, item: Item) -> None:
    found = active(tx, item.item_id)
    if found is not None and found.state == CaseState.PAUSED:
        case = rules.resumed(case_of(found), due_on=item.due_on, today=business_date(tx.now))
        keep(tx, found.case_id, case)


def open_cases(tx: Tx) -> int:
    """One case for every overdue, undisputed debt without one. Interest has its own once its principal is paid (I29)."""
    today = business_date(tx.now)
    rows = tx.conn.execute(
        text(
            f"select item_id, customer_id, branch_id, due_on from {open_items.ITEMS} i"
            " where open_fen > 0 and due_on < :today and disputed_at is null and (kind <> 'interest' or not exists"
            f"  (select from {open_items.ITEMS} p where p.item_id = i.principal_id and p.open_fen > 0))"
            " and not exists (select from dunning_cases c where c.item_id = i.item_id and c.state <> 'settled')"
            " order by due_on limit :batch for update skip locked"
        ),
        {"today": today, "batch": BATCH},
    ).all()
    for row in rows:
        case = rules.opened(row.due_on, today)
        tx.conn.execute(
            text(
                "insert into dunning_cases (case_id, item_id, customer_id, branch_id, state, level, done_level,"
                " next_on, opened_on) values (:case_id, :item, :customer, :branch, :state, 0, 0, :next, :today)"
            ),
            {
                "case_id": new_id(),
                "item": row.item_id,
                "customer": row.customer_id,
                "branch": row.branch_id,
                "state": case.state,
                "next": case.next_on,
                "today": today,
            },
        )
    return len(rows)


def move_cases(tx: Tx) -> int:
    """Raise what is due today and judge promises whose day has passed."""
    today = business_date(tx.now)
    items = tx.conn.execute(
        text(
            "select c.case_id, c.item_id from dunning_cases c where c.state in ('waiting', 'promised')"
            " and c.next_on <= :today order by c.next_on, c.case_id limit :batch"
        ),
        {"today": today, "batch": BATCH},
    ).all()
    locked = open_items.lock(tx.conn, {row.item_id for row in items})
    for row in items:
        found = active(tx, row.item_id)
        if found is not None:
            _move(tx, found, locked[row.item_id], today)
    return len(items)


def _move(tx: Tx, found: Row[Any], item: Item, today: date) -> None:
    before = case_of(found)
    after = rules.moved_by_time(before, due_on=item.due_on, today=today, open_fen=item.open_fen)
    if after == before:
        return
    version = keep(tx, found.case_id, after)
    if after.state is not CaseState.ACTION_DUE:
        return
    level = next(each for each in rules.levels(today) if each.level == after.level)
    outbox.append(
        tx,
        dunning_level_reached(
            case_id=str(found.case_id),
            item_id=str(item.item_id),
            customer_id=str(item.customer_id),
            branch_id=item.branch_id,
            level=level.level,
            kind=level.kind,
            days=(today - item.due_on).days,
            amount_fen=item.open_fen,
            promise_broken=after.promises_broken > before.promises_broken,
            version=version,
            day=today,
        ),
    )


def tell_overdue(tx: Tx) -> int:
    """Tell each debt that fell overdue, and again when it enters an older bucket."""
    today = business_date(tx.now)
    bounds: Sequence[int] = debts.house("ageing_bounds", today)
    rows = tx.conn.execute(
        text(
            f"select item_id, customer_id, branch_id, due_on, open_fen from {open_items.ITEMS} i"
            " where open_fen > 0 and due_on < :today and told_days < ("
            "  select coalesce(max(b), 0) + 1 from unnest(cast(:bounds as int[])) b where b < :today - i.due_on)"
            " order by due_on limit :batch for update skip locked"
        ),
        {"today": today, "bounds": list(bounds), "batch": BATCH},
    ).all()
    for row in rows:
        days = (today - row.due_on).days
        told = bounds[debts.bucket_of(bounds, days) - 1] + 1
        version = open_items.change(tx.conn, row.item_id, is_told=True, told_days=told)
        outbox.append(
            tx,
            receivable_overdue(
                item_id=str(row.item_id),
                customer_id=str(row.customer_id),
                branch_id=row.branch_id,
                days=days,
                amount_fen=row.open_fen,
                version=version,
                day=today,
            ),
        )
    return len(rows)


def _lock_case(tx: Tx, case_id: UUID) -> tuple[Row[Any], Item]:
    """The case and its item, locked item first. Raises DunningCaseUnknown."""
    known = tx.conn.execute(
        text("select item_id, branch_id from dunning_cases where case_id = :id"), {"id": case_id}
    ).one_or_none()
    if known is None or not tx.actor.may_see(known.branch_id):
        raise DunningCaseUnknown("no such dunning case")
    item = open_items.lock(tx.conn, [known.item_id])[known.item_id]
    found = tx.conn.execute(
        text("select * from dunning_cases where case_id = :id for update"), {"id": case_id}
    ).one()
    return found, item


def record_action(tx: Tx, case_id: UUID, body: Mapping[str, Any]) -> UUID:
    """What was done and what came of it. A dispute marks the item as disputed, which pauses the case.

    Raises DunningCaseUnknown, DunningNotActive, DunningChannelDiffers, DunningRoleMissing, PromiseInvalid.
    """
    found, item = _lock_case(tx, case_id)
    promise = None
    if body["promise"] is not None:
        promise = (body["promise"]["amount_fen"], body["promise"]["date"])
    outcome = Outcome(body["outcome"])
    case = rules.acted(
        case_of(found),
        channel=body["channel"],
        outcome=outcome,
        roles=tx.actor.roles,
        due_on=item.due_on,
        today=business_date(tx.now),
        open_fen=item.open_fen,
        promise=promise,
    )
    keep(tx, case_id, case)
    if outcome is Outcome.DISPUTED:
        open_items.change(tx.conn, item.item_id, is_told=False, disputed_at=tx.now, dispute_reason="dunning")
    action_id = insert_action(
        tx,
        case_id,
        level=found.level,
        channel=body["channel"],
        outcome=outcome,
        contact_id=body["contact_id"],
        text_version=body["text_version"],
        promise=promise,
    )
    audit.record(tx, "dunning.act", str(case_id), after=dict(body))
    return action_id


def insert_action(
    tx: Tx,
    case_id: UUID,
    *,
    level: int,
    channel: str,
    outcome: Outcome,
    contact_id: UUID | None,
    text_version: str,
    promise: tuple[int, date] | None = None,
    letter_id: UUID | None = None,
) -> UUID:
    action_id = new_id()
    tx.conn.execute(
        text(
            "insert into dunning_actions (action_id, case_id, level, channel, outcome, contact_id, text_version,"
            " promise_fen, promise_on, letter_id, done_on, actor, at) values (:id, :case_id, :level, :channel,"
            " :outcome, :contact, :version, :fen, :day, :letter, :today, :actor, :now)"
        ),
        {
            "id": action_id,
            "case_id": case_id,
            "level": level,
            "channel": channel,
            "outcome": outcome,
            "contact": contact_id,
            "version": text_version,
            "fen": promise[0] if promise else None,
            "day": promise[1] if promise else None,
            "letter": letter_id,
            "today": business_date(tx.now),
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )
    return action_id


def block(tx: Tx, case_id: UUID, reason: str) -> None:
    """Stop reminding, by decision. Raises DunningCaseUnknown, DunningNotActive."""
    found, _ = _lock_case(tx, case_id)
    keep(tx, case_id, rules.blocked(case_of(found)), reason)
    audit.record(tx, "dunning.block", str(case_id), after=reason)


def unblock(tx: Tx, case_id: UUID, reason: str) -> None:
    """Go on reminding. Raises DunningCaseUnknown, DunningNotStopped."""
    found, item = _lock_case(tx, case_id)
    if found.state != CaseState.BLOCKED:
        raise rules.DunningNotStopped(Text("the case is {state}", state=found.state))
    case = rules.resumed(case_of(found), due_on=item.due_on, today=business_date(tx.now))
    if item.is_disputed:
        case = rules.paused(case)
    keep(tx, case_id, case)
    audit.record(tx, "dunning.unblock", str(case_id), after=reason)


def settle(tx: Tx, item_id: UUID, on: date) -> None:
    """The debt is paid, credited or written off: its case ends."""
    tx.conn.execute(
        text(
            "update dunning_cases set state = 'settled', closed_on = :day, version = version + 1"
            " where item_id = :id and state <> 'settled'"
        ),
        {"day": on, "id": item_id},
    )
