"""The rows of budgets: which one pays, held, and moved by what documents reserve and spend.

Rows are locked in the order of their ids, or of the plans they belong to, after the month is held open, so that
documents never wait for each other in a ring. What is spent draws on the department's budget, else on the branch's.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, insert, select, text, update

from finance import promotion_plans
from finance.budgets.events import budget_standing_changed
from finance.budgets.model import Standing, Told
from finance.budgets.rules import Budget, BudgetNotFound, Exceeded, NewBudget
from finance.budgets.tables import budgets
from finance.expense_categories import Charge
from shared import outbox
from shared.clock import business_date
from shared.transaction import Tx

_COUNTED = """
select count(*) from budgets b left join (
    select budget_id, sum(reserved_fen) as reserved_fen, sum(actual_fen) as actual_fen from budget_movements group by 1
) m using (budget_id)
where b.reserved_fen <> coalesce(m.reserved_fen, 0) or b.actual_fen <> coalesce(m.actual_fen, 0)
"""
DRAWN = (
    "(select m.budget_id, b.branch_id, m.source_id, m.category, m.booked_on, m.actual_fen from budget_movements m"
    " join budgets b using (budget_id) where m.booked_on is not null)"
)
"""What entries drew on budgets, by the document and the day they were booked to."""


def hold_dimension(tx: Tx, budget: NewBudget) -> None:
    """Make who opens another budget of the same dimension wait until the transaction ends."""
    dimension = f"{budget.branch_id}:{budget.department}:{budget.category}:{budget.campaign}"
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:dimension, 0))"),
        {"dimension": f"finance:budget:{dimension}"},
    )


def overlapping(tx: Tx, budget: NewBudget) -> UUID | None:
    """A budget of the same dimension that has one of the days."""
    same = select(budgets.c.budget_id).where(
        budgets.c.branch_id == budget.branch_id,
        budgets.c.department == budget.department,
        budgets.c.category == budget.category,
        budgets.c.campaign == budget.campaign,
        budgets.c.first_day <= budget.last_day,
        budgets.c.last_day >= budget.first_day,
    )
    found: UUID | None = tx.conn.execute(same.limit(1)).scalar_one_or_none()
    return found


def add(tx: Tx, budget_id: UUID, budget: NewBudget) -> None:
    """The row every reservation locks."""
    row = asdict(budget)
    tx.conn.execute(insert(budgets).values(budget_id=budget_id, made_by=tx.actor.id, made_at=tx.now, **row))
    _tell(tx, [budget_id])


def _tell(tx: Tx, budget_ids: Sequence[UUID]) -> None:
    """Tell how these budgets stand now, their rows held."""
    wanted = select(*(budgets.c[each.name] for each in fields(Told))).where(
        budgets.c.budget_id.in_(budget_ids)
    )
    found = [Told(**row) for row in tx.conn.execute(wanted.order_by(budgets.c.budget_id)).mappings()]
    day = business_date(tx.now)
    outbox.append(tx, *(budget_standing_changed(each, day) for each in found))


def lock(tx: Tx, budget_id: UUID) -> Standing:
    """Raises BudgetNotFound."""
    row = tx.conn.execute(
        select(budgets).where(budgets.c.budget_id == budget_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise BudgetNotFound("no such budget")
    return Standing(
        branch_id=row.branch_id,
        campaign=row.campaign,
        amount_fen=row.amount_fen,
        used_fen=row.reserved_fen + row.actual_fen,
        overrun=row.overrun,
    )


def change(tx: Tx, budget_id: UUID, amount_fen: int, overrun: str) -> None:
    tx.conn.execute(
        update(budgets)
        .where(budgets.c.budget_id == budget_id)
        .values(amount_fen=amount_fen, overrun=overrun, version=budgets.c.version + 1)
    )
    _tell(tx, [budget_id])


class Covered(NamedTuple):
    """The budget that pays for a charge; `is_bare` where none does though one should."""

    budget_id: UUID | None
    is_bare: bool


# Where a branch has any budget of a category on a day, all of it is under budget; what a campaign pays for always is.
_COVERED = f"""
select b.budget_id, b.budget_id is null and (g.campaign <> '' or exists (
    select from budgets o where o.branch_id = g.branch_id and o.category = g.category
    and o.first_day <= g.day and o.last_day >= g.day
)) as is_bare
from unnest(cast(:branches as text[]), cast(:departments as text[]), cast(:campaigns as text[]),
    cast(:categories as text[]), cast(:days as date[])) with ordinality
    as g(branch_id, department, campaign, category, day, n)
left join lateral (
    select budget_id from budgets b where b.branch_id = g.branch_id and b.campaign = g.campaign
    and b.first_day <= g.day and b.last_day >= g.day
    and (g.campaign <> '' or (b.category = g.category and b.department in (g.department, '')))
    and not exists (select from {promotion_plans.CLOSED} p where p.budget_id = b.budget_id)
    order by b.department desc limit 1
) b on true
order by g.n
"""


def covering(tx: Tx, charges: Sequence[Charge], *, hold: bool = True) -> list[Covered]:
    """What pays for each charge: the campaign's while its plan is not closed, else the department's, else the branch's.

    With `hold` a campaign's plan is kept from being closed until the transaction ends; who only looks ahead may be
    reading, and holds nothing.
    """
    if not charges:
        return []
    if hold:
        for campaign in sorted({each.campaign for each in charges if each.campaign}):
            promotion_plans.hold(tx, campaign)
    found = tx.conn.execute(
        text(_COVERED),
        {
            "branches": [each.branch_id for each in charges],
            "departments": [each.department for each in charges],
            "campaigns": [each.campaign for each in charges],
            "categories": [each.category for each in charges],
            "days": [each.day for each in charges],
        },
    )
    return [Covered(row.budget_id, row.is_bare) for row in found]


def locked(tx: Tx, budget_ids: Sequence[UUID], *, hold: bool = True) -> list[Budget]:
    """The budgets as they are, held until the transaction ends, always taken in one order; without `hold` only read."""
    if not budget_ids:
        return []
    wanted = select(budgets).where(budgets.c.budget_id.in_(budget_ids)).order_by(budgets.c.budget_id)
    rows = tx.conn.execute(wanted.with_for_update() if hold else wanted)
    return [
        Budget(
            budget_id=str(row["budget_id"]),
            amount_fen=row["amount_fen"],
            reserved_fen=row["reserved_fen"],
            actual_fen=row["actual_fen"],
            overrun=row["overrun"],
        )
        for row in rows.mappings()
    ]


class Move(NamedTuple):
    """How the counters of a budget change by one document; an entry names its category and the day it is booked to."""

    budget_id: UUID
    source_id: UUID
    reserved_fen: int = 0
    actual_fen: int = 0
    category: str | None = None
    booked_on: date | None = None


def move_all(tx: Tx, source_kind: str, moves: Sequence[Move]) -> None:
    """Change the counters of budgets; what moves nothing leaves no trace.

    The caller checked what is available under the lock.
    """
    kept = [each for each in moves if each.reserved_fen or each.actual_fen]
    if not kept:
        return
    sums: dict[UUID, list[int]] = {}
    for each in kept:
        of_budget = sums.setdefault(each.budget_id, [0, 0])
        of_budget[0] += each.reserved_fen
        of_budget[1] += each.actual_fen
    tx.conn.execute(
        text(
            "update budgets b set reserved_fen = b.reserved_fen + u.reserved, actual_fen = b.actual_fen + u.actual,"
            " version = b.version + 1"
            " from unnest(cast(:ids as uuid[]), cast(:reserved as bigint[]), cast(:actual as bigint[]))"
            " as u(id, reserved, actual) where b.budget_id = u.id"
        ),
        {
            "ids": list(sums),
            "reserved": [fen for fen, _ in sums.values()],
            "actual": [fen for _, fen in sums.values()],
        },
    )
    tx.conn.execute(
        text(
            "insert into budget_movements (budget_id, source_kind, source_id, reserved_fen, actual_fen, category,"
            " booked_on, actor, at)"
            " select u.budget_id, :kind, u.source_id, u.reserved, u.actual, u.category, u.booked_on, :actor, :now"
            " from unnest(cast(:budgets as uuid[]), cast(:sources as uuid[]), cast(:reserved as bigint[]),"
            " cast(:actual as bigint[]), cast(:categories as text[]), cast(:days as date[])) with ordinality"
            " as u(budget_id, source_id, reserved, actual, category, booked_on, n) order by u.n"
        ),
        {
            "kind": source_kind,
            "actor": tx.actor.id,
            "now": tx.now,
            "budgets": [each.budget_id for each in kept],
            "sources": [each.source_id for each in kept],
            "reserved": [each.reserved_fen for each in kept],
            "actual": [each.actual_fen for each in kept],
            "categories": [each.category for each in kept],
            "days": [each.booked_on for each in kept],
        },
    )
    _tell(tx, list(sums))


def exceeded(tx: Tx, budget_id: UUID) -> Exceeded:
    """The budget with one more time that it was exceeded."""
    row = tx.conn.execute(
        update(budgets)
        .where(budgets.c.budget_id == budget_id)
        .values(exceeded=budgets.c.exceeded + 1)
        .returning(budgets)
    ).one()
    return Exceeded(
        budget_id=row.budget_id,
        branch_id=row.branch_id,
        department=row.department,
        category=row.category,
        campaign=row.campaign,
        amount_fen=row.amount_fen,
        over_fen=row.reserved_fen + row.actual_fen - row.amount_fen,
        times=row.exceeded,
    )


def differing(conn: Connection) -> int:
    """How many budgets are not the sum of their movements."""
    return int(conn.execute(text(_COUNTED)).scalar_one())
