"""One approval primitive: named roles, distinct persons, excluded persons, a subject that may not change.

A decision holds the hash of what was decided on; when the subject changes, decisions on the old hash no
longer count. A person holding two roles counts once. A rejection needs a reason.
A table of decisions has columns that name the subject, and those of `Decision`.
Source: model 3.0, X1
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Table, insert, select, true
from sqlalchemy import Text as Text_

from shared.errors import Conflict, Forbidden, Invalid
from shared.languages import Text
from shared.tables import INSTANT
from shared.transaction import Tx


class RoleNotAwaited(Forbidden):
    code = "approval_role_not_awaited"
    cure = "Let somebody decide who holds one of the roles that `awaited` names."


class SamePerson(Forbidden):
    """The requester, or someone who has already decided, may not decide."""

    code = "approval_same_person"
    cure = "Let another person decide."


class ReasonMissing(Invalid):
    code = "approval_reason_missing"
    cure = "Send the same with `reason`."


class AlreadyDecided(Conflict):
    code = "approval_already_decided"
    cure = "Read the object again; its state says what comes next."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    role: str
    person: str
    approved: bool
    reason: str | None
    at: datetime
    subject_hash: str


def decision_columns(*, role_is_key: bool = True, approves_unless_said: bool = False) -> list[Column[Any]]:
    """The columns of a `Decision`, for a table of decisions; those that name the subject stand before them.

    `approves_unless_said`: code that knows approvals alone may still write rows without `approved`.
    """
    return [
        Column("role", Text_, primary_key=role_is_key, nullable=False),
        Column("person", Text_, nullable=False),
        Column("approved", Boolean, nullable=False, server_default=true() if approves_unless_said else None),
        Column("reason", Text_),
        Column("at", INSTANT, nullable=False),
        Column("subject_hash", Text_, nullable=False),
    ]


def decision_of(row: Any) -> Decision:
    """The decision that a row holds; every table of decisions has columns of these names."""
    return Decision(
        role=row.role,
        person=row.person,
        approved=bool(row.approved),
        reason=row.reason,
        at=row.at,
        subject_hash=row.subject_hash,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What is asked: every role of `required` approves, by distinct persons, none of `excluded`."""

    required: frozenset[str]
    excluded: frozenset[str]
    subject_hash: str
    decisions: Sequence[Decision] = ()
    acting_as: frozenset[str] | None = None
    """The roles in which the actor may act; all of the token when left out."""
    until: datetime | None = None
    """When an approval ends that holds for a time: kept as `until`, in a table that has this column."""

    @property
    def valid(self) -> list[Decision]:
        return [each for each in self.decisions if each.subject_hash == self.subject_hash]

    @property
    def state(self) -> str:
        """`rejected` at the first rejection, `approved` when every role approved, else `pending`."""
        if any(not each.approved for each in self.valid):
            return "rejected"
        return "approved" if {each.role for each in self.valid} >= self.required else "pending"

    def decide(
        self, *, person: str, roles: Collection[str], approved: bool, reason: str | None, at: datetime
    ) -> Decision:
        """Return the decision to store. Raises RoleNotAwaited, SamePerson, ReasonMissing, AlreadyDecided."""
        if self.state != "pending":
            raise AlreadyDecided(Text("this was already {state}", state=self.state))
        if person in self.excluded:
            raise SamePerson("who asks for an approval, or handled the subject, may not decide on it")
        if any(each.person == person for each in self.valid):
            raise SamePerson("one person decides once, whatever roles they hold")
        awaited = self.required - {each.role for each in self.valid}
        mine = sorted(awaited & set(roles))
        if not mine:
            raise RoleNotAwaited(
                Text("awaited: {awaited}", awaited=", ".join(sorted(awaited))), awaited=sorted(awaited)
            )
        if not approved and not (reason or "").strip():
            raise ReasonMissing(
                "a rejection states its reason", errors=[{"path": "reason", "message": "required"}]
            )
        return Decision(
            role=mine[0],
            person=person,
            approved=approved,
            reason=reason,
            at=at,
            subject_hash=self.subject_hash,
        )


def decisions_on(conn: Connection, table: Table, subject: Mapping[str, Any]) -> list[Decision]:
    """Every decision on the subject that these columns of `table` name, oldest first."""
    named = [table.c[column] == value for column, value in subject.items()]
    rows = conn.execute(select(table).where(*named).order_by(table.c.at, table.c.role))
    return [decision_of(row) for row in rows]


def decisions_by_subject(
    conn: Connection, table: Table, column: str, ids: Sequence[Any]
) -> dict[Any, list[Decision]]:
    """The decisions on each of many subjects, oldest first; one without a decision has an empty list."""
    found: dict[Any, list[Decision]] = {each: [] for each in ids}
    key = table.c[column]
    for row in conn.execute(select(table).where(key.in_(ids)).order_by(table.c.at, table.c.role)):
        found[row._mapping[key]].append(decision_of(row))  # noqa: SLF001 - SQLAlchemy's public name
    return found


def decide_and_store(
    tx: Tx,
    table: Table,
    subject: Mapping[str, Any],
    approval: Approval,
    *,
    approved: bool,
    reason: str | None,
) -> tuple[Decision, str]:
    """The actor's decision on the subject that these columns of `table` name, stored, and the state it leads to.

    `approval` says what is asked; the decisions so far are read here, so the caller holds the subject's lock.
    Raises the refusals of `Approval.decide`.
    """
    made = replace(approval, decisions=decisions_on(tx.conn, table, subject))
    decision = made.decide(
        person=tx.actor.id,
        roles=tx.actor.roles if approval.acting_as is None else approval.acting_as,
        approved=approved,
        reason=reason,
        at=tx.now,
    )
    ends = {} if approval.until is None else {"until": approval.until}
    tx.conn.execute(insert(table).values({**subject, **asdict(decision), **ends}))
    return decision, replace(made, decisions=[*made.decisions, decision]).state


def approve_by_deed(tx: Tx, table: Table, subject: Mapping[str, Any], subject_hash: str, role: str) -> None:
    """Store what the actor has just done as its approval in `role`: whoever may do it was judged before it was done."""
    decision = Decision(
        role=role, person=tx.actor.id, approved=True, reason=None, at=tx.now, subject_hash=subject_hash
    )
    tx.conn.execute(insert(table).values({**subject, **asdict(decision)}))
