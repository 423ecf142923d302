"""The dunning cases as they are stored: what time, people and disputes make of them.

Source: F14, I29
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from finance import open_items
from finance.dunning import rules, store
from finance.dunning.events import dunning_action_done, dunning_level_reached, receivable_overdue
from finance.dunning.model import Done, Held, Overdue
from finance.dunning.rules import Act, CaseState, Outcome
from finance.kernel import debts
from finance.open_items import Item
from shared import audit, outbox
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx

BATCH = 500


def pause(tx: Tx, item_id: UUID) -> None:
    """The item is disputed; without a case there is nothing to pause, and none is opened."""
    found = store.active(tx, item_id)
    if found is not None and found.case.state is not CaseState.BLOCKED:
        store.keep(tx, found.case_id, rules.paused(found.case))


def resume(tx: Tx, item: Item) -> None:
    found = store.active(tx, item.item_id)
    if found is not None and found.case.state is CaseState.PAUSED:
        case = rules.resumed(found.case, due_on=item.due_on, today=business_date(tx.now))
        store.keep(tx, found.case_id, case)


def open_cases(tx: Tx) -> int:
    """One case for every overdue, undisputed debt without one."""
    found = store.without_case(tx, BATCH)
    for debt in found:
        store.add(tx, debt, rules.opened(debt.due_on, business_date(tx.now)))
    return len(found)


def move_cases(tx: Tx) -> int:
    """Raise what is due today and judge promises whose day has passed."""
    items = store.due(tx, BATCH)
    locked = open_items.lock(tx.conn, set(items))
    for item_id in items:
        found = store.active(tx, item_id)
        if found is not None:
            _move(tx, found, locked[item_id], business_date(tx.now))
    return len(items)


def _move(tx: Tx, found: Held, item: Item, today: date) -> None:
    before = found.case
    after = rules.moved_by_time(before, due_on=item.due_on, today=today, open_fen=item.open_fen)
    if after == before:
        return
    version = store.keep(tx, found.case_id, after)
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
    found = store.untold(tx, bounds, BATCH)
    for debt in found:
        days = (today - debt.due_on).days
        told = bounds[debts.bucket_of(bounds, days) - 1] + 1
        version = open_items.change(tx.conn, debt.item_id, is_told=True, told_days=told)
        outbox.append(
            tx,
            receivable_overdue(
                item_id=str(debt.item_id),
                customer_id=str(debt.customer_id),
                branch_id=debt.branch_id,
                days=days,
                amount_fen=debt.open_fen,
                version=version,
                day=today,
            ),
        )
    return len(found)


def record_action(tx: Tx, case_id: UUID, done: Done) -> UUID:
    """What was done and what came of it. A dispute marks the item as disputed, which pauses the case.

    Raises DunningCaseUnknown, DunningNotActive, DunningChannelDiffers, DunningRoleMissing, PromiseInvalid.
    """
    found, item = store.lock(tx, case_id)
    act = Act(channel=done.channel, outcome=done.outcome, roles=tx.actor.roles, promise=done.promise)
    case = rules.acted(
        found.case, act, due_on=item.due_on, today=business_date(tx.now), open_fen=item.open_fen
    )
    store.keep(tx, case_id, case)
    if done.outcome is Outcome.DISPUTED:
        open_items.change(tx.conn, item.item_id, is_told=False, disputed_at=tx.now, dispute_reason="dunning")
    action_id = keep_action(tx, found, item, found.case.level, done)
    audit.record(tx, "dunning.act", str(case_id), after=asdict(done))
    return action_id


def keep_action(
    tx: Tx, held: Held, item: Item | Overdue, level: int, done: Done, letter_id: UUID | None = None
) -> UUID:
    """Keep what was done about a case, by a letter if one was sent, and tell it."""
    action_id = store.add_action(tx, held, level, done, letter_id)
    day = business_date(tx.now)
    outbox.append(tx, dunning_action_done(action_id, held.case_id, item, done, level=level, day=day))
    return action_id


def block(tx: Tx, case_id: UUID, reason: str) -> None:
    """Stop reminding, by decision. Raises DunningCaseUnknown, DunningNotActive."""
    found, _ = store.lock(tx, case_id)
    store.keep(tx, case_id, rules.blocked(found.case), reason)
    audit.record(tx, "dunning.block", str(case_id), after=reason)


def unblock(tx: Tx, case_id: UUID, reason: str) -> None:
    """Go on reminding. Raises DunningCaseUnknown, DunningNotStopped."""
    found, item = store.lock(tx, case_id)
    if found.case.state is not CaseState.BLOCKED:
        raise rules.DunningNotStopped(Text("the case is {state}", state=found.case.state))
    case = rules.resumed(found.case, due_on=item.due_on, today=business_date(tx.now))
    if item.is_disputed:
        case = rules.paused(case)
    store.keep(tx, case_id, case)
    audit.record(tx, "dunning.unblock", str(case_id), after=reason)
