"""The dunning cases as they are stored: what time, people and disputes make of them.

Everything waits on the case's row; the item's row is locked before it, as allocations do.
Source: F14, I29
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam

from finance import open_items
from finance.kernel import dated
from finance.open_items import Item
from finance.receivables import ladder, rules
from finance.receivables.events import dunning_level_reached, receivable_overdue
from finance.receivables.ladder import Case, CaseState, Outcome
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.errors import Conflict, NotFound
from shared.languages import Text
from shared.transaction import Tx

BATCH = 500
CASE_COLUMNS = tuple(each.name for each in fields(Case))


class DunningCaseUnknown(NotFound):
    code = "dunning_case_unknown"


class LetterUnknown(NotFound):
    code = "dunning_letter_unknown"


class LetterNotDue(Conflict):
    """No case of the customer awaits this letter, or one does not yet."""

    code = "dunning_letter_not_due"


def case_of(row: Row[Any]) -> Case:
    values = {name: getattr(row, name) for name in CASE_COLUMNS}
    return Case(**{**values, "state": CaseState(row.state)})


def _store(tx: Tx, case_id: UUID, case: Case, reason: str | None = None) -> int:
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


def _active(tx: Tx, item_id: UUID) -> Row[Any] | None:
    return tx.conn.execute(
        text("select * from dunning_cases where item_id = :id and state <> 'settled' for update"),
        {"id": item_id},
    ).one_or_none()


def pause(tx: Tx, item_id: UUID) -> None:
    """The item is disputed; without a case there is nothing to pause, and none is opened."""
    found = _active(tx, item_id)
    if found is not None and found.state != CaseState.BLOCKED:
        _store(tx, found.case_id, ladder.paused(case_of(found)))


def resume(tx: Tx, item: Item) -> None:
    found = _active(tx, item.item_id)
    if found is not None and found.state == CaseState.PAUSED:
        case = ladder.resumed(case_of(found), due_on=item.due_on, today=business_date(tx.now))
        _store(tx, found.case_id, case)


# --- what time does ---------------------------------------------------------------------------------


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
        case = ladder.opened(row.due_on, today)
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
        found = _active(tx, row.item_id)
        if found is not None:
            _move(tx, found, locked[row.item_id], today)
    return len(items)


def _move(tx: Tx, found: Row[Any], item: Item, today: date) -> None:
    before = case_of(found)
    after = ladder.moved_by_time(before, due_on=item.due_on, today=today, open_fen=item.open_fen)
    if after == before:
        return
    version = _store(tx, found.case_id, after)
    if after.state is not CaseState.ACTION_DUE:
        return
    level = next(each for each in ladder.levels(today) if each.level == after.level)
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
    bounds: Sequence[int] = rules.house("ageing_bounds", today)
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
        told = bounds[rules.bucket_of(bounds, days) - 1] + 1
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


# --- what people do ---------------------------------------------------------------------------------


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
    case = ladder.acted(
        case_of(found),
        channel=body["channel"],
        outcome=outcome,
        roles=tx.actor.roles,
        due_on=item.due_on,
        today=business_date(tx.now),
        open_fen=item.open_fen,
        promise=promise,
    )
    _store(tx, case_id, case)
    if outcome is Outcome.DISPUTED:
        open_items.change(tx.conn, item.item_id, is_told=False, disputed_at=tx.now, dispute_reason="dunning")
    action_id = _insert_action(
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


def _insert_action(
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
    _store(tx, case_id, ladder.blocked(case_of(found)), reason)
    audit.record(tx, "dunning.block", str(case_id), after=reason)


def unblock(tx: Tx, case_id: UUID, reason: str) -> None:
    """Go on reminding. Raises DunningCaseUnknown, DunningNotStopped."""
    found, item = _lock_case(tx, case_id)
    if found.state != CaseState.BLOCKED:
        raise ladder.DunningNotStopped(Text("the case is {state}", state=found.state))
    case = ladder.resumed(case_of(found), due_on=item.due_on, today=business_date(tx.now))
    if item.is_disputed:
        case = ladder.paused(case)
    _store(tx, case_id, case)
    audit.record(tx, "dunning.unblock", str(case_id), after=reason)


def issue_letter(tx: Tx, customer_id: UUID, level_no: int, language: str) -> UUID:
    """One letter for all overdue items of the customer, frozen; it does the action of every case it was due for.

    Raises LetterNotDue, ForeignBranch, DunningRoleMissing.
    """
    today = business_date(tx.now)
    level = next((each for each in ladder.levels(today) if each.level == level_no and each.level > 1), None)
    if level is None:
        raise LetterNotDue("no such level is done by letter")
    items = _overdue(tx, customer_id, today)
    for row in items:
        tx.actor.require_branch(row.branch_id)
    cases = [_active(tx, row.item_id) for row in items]
    due = [
        (each, row)
        for each, row in zip(cases, items, strict=True)
        if each is not None and each.state == CaseState.ACTION_DUE and each.level == level.level
    ]
    if not due:
        raise LetterNotDue("no case of this customer awaits this letter")
    template = dated.value("dunning_texts", level.kind, today)
    letter_id = new_id()
    for each, row in due:
        case = ladder.acted(
            case_of(each),
            channel=level.channels[0],
            outcome=Outcome.DELIVERED,
            roles=tx.actor.roles,
            due_on=row.due_on,
            today=today,
            open_fen=row.open_fen,
            promise=None,
        )
        _store(tx, each.case_id, case)
        _insert_action(
            tx,
            each.case_id,
            level=level.level,
            channel=level.channels[0],
            outcome=Outcome.DELIVERED,
            contact_id=None,
            text_version=template["version"],
            letter_id=letter_id,
        )
    _insert_letter(tx, letter_id, customer_id, level, language, template["version"], items)
    audit.record(tx, "dunning.issue_letter", str(letter_id), after=[str(customer_id), level_no])
    return letter_id


def _overdue(tx: Tx, customer_id: UUID, today: date) -> list[Row[Any]]:
    return list(
        tx.conn.execute(
            text(
                f"select item_id, branch_id, kind, booked_on, due_on, amount_fen, open_fen from {open_items.ITEMS} i"
                " where customer_id = :customer and open_fen > 0 and due_on < :today and disputed_at is null"
                " order by item_id for update"
            ),
            {"customer": customer_id, "today": today},
        )
    )


def _insert_letter(
    tx: Tx,
    letter_id: UUID,
    customer_id: UUID,
    level: ladder.Level,
    language: str,
    version: str,
    items: Sequence[Row[Any]],
) -> None:
    today = business_date(tx.now)
    lines = [
        {
            "item_id": str(row.item_id),
            "branch_id": row.branch_id,
            "kind": row.kind,
            "booked_on": row.booked_on.isoformat(),
            "due_on": row.due_on.isoformat(),
            "days": (today - row.due_on).days,
            "amount_fen": row.amount_fen,
            "open_fen": row.open_fen,
        }
        for row in sorted(items, key=lambda each: (each.due_on, each.item_id))
    ]
    content = {"kind": level.kind, "text_version": version, "items": lines}
    statement = text(
        "insert into dunning_letters (letter_id, customer_id, branches, level, language, text_version, issued_on,"
        " total_fen, content, content_hash, issued_by, issued_at) values (:id, :customer, :branches, :level,"
        " :language, :version, :today, :total, :content, :hash, :actor, :now)"
    ).bindparams(bindparam("content", type_=JSONB), bindparam("branches", type_=JSONB))
    tx.conn.execute(
        statement,
        {
            "id": letter_id,
            "customer": customer_id,
            "branches": sorted({row.branch_id for row in items}),
            "level": level.level,
            "language": language,
            "version": version,
            "today": today,
            "total": sum(row.open_fen for row in items),
            "content": orjson.loads(orjson.dumps(content)),
            "hash": audit.digest(content),
            "actor": tx.actor.id,
            "now": tx.now,
        },
    )
