"""What is told of debts past due."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from finance.dunning.model import Done, Overdue
from finance.open_items import Item
from shared.events import Event
from shared.texts import Branch, Count, Day, Fen, Id, Name

RECEIVABLE_OVERDUE = "finance.receivable.overdue.v1"
DUNNING_LEVEL_REACHED = "finance.dunning.level_reached.v1"
DUNNING_ACTION_DONE = "finance.dunning.action_done.v1"


class ReceivableOverdue(TypedDict):
    """Told when a debt falls overdue and each time it enters an older bucket; `amount_fen` is what is open."""

    item_id: Id
    customer_id: Id
    branch_id: Branch
    days: Count
    amount_fen: Fen


class DunningLevelReached(TypedDict):
    """The action of a level is due; at `letter` customers may suspend trade with the customer."""

    case_id: Id
    item_id: Id
    customer_id: Id
    branch_id: Branch
    level: Count
    kind: Name
    days: Count
    amount_fen: Fen
    promise_broken: bool


class DunningActionDone(TypedDict):
    """What a level asks for was done, by which channel and with what outcome; a letter does one action of each case."""

    action_id: Id
    case_id: Id
    item_id: Id
    customer_id: Id
    branch_id: Branch
    level: Count
    channel: Name
    outcome: Name
    done_on: Day


PUBLISHED: Final[Mapping[str, type]] = {
    RECEIVABLE_OVERDUE: ReceivableOverdue,
    DUNNING_LEVEL_REACHED: DunningLevelReached,
    DUNNING_ACTION_DONE: DunningActionDone,
}


def receivable_overdue(
    *,
    item_id: str,
    customer_id: str,
    branch_id: str,
    days: int,
    amount_fen: int,
    version: int,
    day: date,
) -> Event[ReceivableOverdue]:
    """Told when a debt falls overdue and each time it enters an older bucket; `amount_fen` is what is open."""
    return Event(
        type=RECEIVABLE_OVERDUE,
        subject=item_id,
        version=version,
        day=day,
        amount_fen=amount_fen,
        data={
            "item_id": item_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "days": days,
            "amount_fen": amount_fen,
        },
    )


def dunning_level_reached(
    *,
    case_id: str,
    item_id: str,
    customer_id: str,
    branch_id: str,
    level: int,
    kind: str,
    days: int,
    amount_fen: int,
    promise_broken: bool,
    version: int,
    day: date,
) -> Event[DunningLevelReached]:
    """The action of a level is due; at `letter` customers may suspend trade with the customer."""
    return Event(
        type=DUNNING_LEVEL_REACHED,
        subject=case_id,
        version=version,
        day=day,
        amount_fen=amount_fen,
        data={
            "case_id": case_id,
            "item_id": item_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "level": level,
            "kind": kind,
            "days": days,
            "amount_fen": amount_fen,
            "promise_broken": promise_broken,
        },
    )


def dunning_action_done(
    action_id: UUID, case_id: UUID, item: Item | Overdue, done: Done, *, level: int, day: date
) -> Event[DunningActionDone]:
    """What a level asks for was done."""
    return Event(
        type=DUNNING_ACTION_DONE,
        subject=str(action_id),
        version=1,
        day=day,
        data={
            "action_id": str(action_id),
            "case_id": str(case_id),
            "item_id": str(item.item_id),
            "customer_id": str(item.customer_id),
            "branch_id": item.branch_id,
            "level": level,
            "channel": done.channel,
            "outcome": done.outcome,
            "done_on": day.isoformat(),
        },
    )
