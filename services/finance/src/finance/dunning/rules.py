"""The dunning ladder of one item: phone, letter, legal, in this order. Pure.

| state | moved by | to |
|---|---|---|
| waiting | its day comes | action_due, one level up |
| action_due | the action is done | waiting, promised, paused, or final after the last level |
| promised | the day passes, the money came | waiting |
| promised | the day passes, the money did not come | action_due, one level up at once; final at the top |
| any but settled | dispute; block | paused; blocked |
| paused, blocked | resolved; unblocked | where it was |
| any | the item is paid | settled |

Source: F14, I29, model 3.2 (DunningCase)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from finance.kernel.debts import house
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.languages import Text


class CaseState(StrEnum):
    WAITING = "waiting"
    ACTION_DUE = "action_due"
    PROMISED = "promised"
    PAUSED = "paused"
    BLOCKED = "blocked"
    FINAL = "final"
    SETTLED = "settled"


class Outcome(StrEnum):
    REACHED = "reached"
    NOT_REACHED = "not_reached"
    PROMISED = "promised"
    DISPUTED = "disputed"
    DELIVERED = "delivered"


class DunningNotActive(Conflict):
    """The case is settled, paused or blocked: nobody is to be reminded now."""

    code = "dunning_not_active"
    cure = "Read the case again; nothing is done about one that is closed or blocked."


class DunningChannelDiffers(Invalid):
    """The level that is due is done by another channel: the ladder keeps its order."""

    code = "dunning_channel_differs"
    cure = "Use one of the channels that the sentence lists for this level."


class DunningRoleMissing(Forbidden):
    code = "dunning_role_missing"
    cure = "Let somebody do it who holds one of the roles that the sentence lists."


class PromiseInvalid(Invalid):
    code = "promise_invalid"
    cure = "Give a promise an amount, at most what is open, and a day that lies ahead."


class DunningNotStopped(Conflict):
    code = "dunning_not_stopped"
    cure = "Nothing needs doing: dunning goes on."


class DunningCaseUnknown(NotFound):
    code = "dunning_case_unknown"
    cure = "Look it up in the list of dunning cases."


class LetterUnknown(NotFound):
    code = "dunning_letter_unknown"
    cure = "Look it up in the list of letters."


class LetterNotDue(Conflict):
    """No case of the customer awaits this letter, or one does not yet."""

    code = "dunning_letter_not_due"
    cure = "Wait until a case of the customer reaches a level that is done by letter."


@dataclass(frozen=True, slots=True)
class Promise:
    """So much will be paid by that day."""

    amount_fen: int
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something done about a case by somebody of these roles, and what came of it."""

    channel: str
    outcome: Outcome
    roles: frozenset[str]
    promise: Promise | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    level: int
    kind: str
    days: int
    channels: Sequence[str]
    roles: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`level` was raised last, `done_level` done last; `next_on` is the day on which time moves the case."""

    state: CaseState
    level: int = 0
    done_level: int = 0
    next_on: date | None = None
    promise_fen: int | None = None
    promise_on: date | None = None
    promise_open_fen: int | None = None
    promises_broken: int = 0
    closed_on: date | None = None


def levels(day: date) -> list[Level]:
    """The ladder in force on a day, lowest first."""
    rows: list[dict[str, Any]] = house("dunning_levels", day)
    return sorted((Level(**row) for row in rows), key=lambda each: each.level)


def opened(due_on: date, today: date) -> Case:
    """A new case of an item due on `due_on`."""
    return _waiting(Case(state=CaseState.WAITING), due_on, today, gap_days=0)


def _waiting(case: Case, due_on: date, today: date, *, gap_days: int) -> Case:
    """Wait for the next level: its days past due, and a gap after what was done today. At the top, final."""
    higher = [each for each in levels(today) if each.level > case.done_level]
    case = replace(case, promise_fen=None, promise_on=None, promise_open_fen=None)
    if not higher:
        return replace(case, state=CaseState.FINAL, next_on=None)
    day = max(due_on + timedelta(days=higher[0].days), today + timedelta(days=gap_days))
    return replace(case, state=CaseState.WAITING, next_on=day)


def _raised(case: Case, today: date) -> Case:
    higher = [each for each in levels(today) if each.level > case.done_level]
    if not higher:
        return replace(case, state=CaseState.FINAL, next_on=None)
    return replace(case, state=CaseState.ACTION_DUE, level=higher[0].level, next_on=None)


def moved_by_time(case: Case, *, due_on: date, today: date, open_fen: int) -> Case:
    """What the case is today. A promise is kept when what is open fell by the amount promised."""
    if case.next_on is None or today < case.next_on:
        return case
    if case.state is CaseState.WAITING:
        return _raised(case, today)
    if case.state is CaseState.PROMISED:
        assert case.promise_fen is not None
        assert case.promise_open_fen is not None
        if open_fen <= case.promise_open_fen - case.promise_fen:
            return _waiting(case, due_on, today, gap_days=0)
        broken = replace(case, promises_broken=case.promises_broken + 1)
        cleared = replace(broken, promise_fen=None, promise_on=None, promise_open_fen=None)
        return _raised(cleared, today)
    return case


def acted(case: Case, act: Act, *, due_on: date, today: date, open_fen: int) -> Case:
    """What an action makes of the case; the action of a level that is due completes it.

    Raises DunningNotActive, DunningChannelDiffers, DunningRoleMissing, PromiseInvalid.
    """
    if case.state not in {CaseState.WAITING, CaseState.ACTION_DUE, CaseState.PROMISED, CaseState.FINAL}:
        raise DunningNotActive(Text("the case is {state}", state=case.state), state=case.state)
    if (act.outcome is Outcome.PROMISED) != (act.promise is not None):
        raise PromiseInvalid("a promise, and only a promise, has an amount and a day")
    if case.state is CaseState.ACTION_DUE:
        due = next(each for each in levels(today) if each.level == case.level)
        if act.channel not in due.channels:
            raise DunningChannelDiffers(
                Text(
                    "level {level} is done by {channels}", level=due.level, channels=", ".join(due.channels)
                ),
                channels=list(due.channels),
            )
        if not act.roles & set(due.roles):
            raise DunningRoleMissing(
                Text("level {level} is for {roles}", level=due.level, roles=", ".join(due.roles))
            )
        case = replace(case, done_level=case.level)
        gap = house("dunning_gap_days", today)
        case = _waiting(case, due_on, today, gap_days=gap)
    if act.outcome is Outcome.DISPUTED:
        return paused(case)
    if act.promise is not None:
        return _promised(case, act.promise, today, open_fen)
    return case


def _promised(case: Case, promise: Promise, today: date, open_fen: int) -> Case:
    fen, day = promise.amount_fen, promise.date
    if not 0 < fen <= open_fen:
        raise PromiseInvalid("a promise is for what is open, or part of it", open_fen=open_fen)
    if not today < day <= today + timedelta(days=house("promise_days_max", today)):
        raise PromiseInvalid("a promise names a day that is near")
    return replace(
        case,
        state=CaseState.PROMISED,
        promise_fen=fen,
        promise_on=day,
        promise_open_fen=open_fen,
        next_on=day + timedelta(days=1),
    )


def paused(case: Case) -> Case:
    """The item is disputed."""
    return replace(case, state=CaseState.PAUSED, next_on=None)


def blocked(case: Case) -> Case:
    """Nobody is to be reminded, by decision. Raises DunningNotActive."""
    if case.state in {CaseState.SETTLED, CaseState.BLOCKED}:
        raise DunningNotActive(Text("the case is {state}", state=case.state), state=case.state)
    return replace(case, state=CaseState.BLOCKED, next_on=None)


def resumed(case: Case, *, due_on: date, today: date) -> Case:
    """Where a paused or blocked case goes on: at the action that was due, else waiting. Raises DunningNotStopped."""
    if case.state not in {CaseState.PAUSED, CaseState.BLOCKED}:
        raise DunningNotStopped(Text("the case is {state}", state=case.state))
    if case.level > case.done_level:
        return replace(case, state=CaseState.ACTION_DUE)
    return _waiting(case, due_on, today, gap_days=0)
