"""The facts of cash that finance publishes, one builder each; ids and numbers only."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, TypedDict

from finance.cash.rules import Outcome
from shared.events import Event
from shared.texts import Branch, Id, Reference, SumFen, one_of

SESSION_CLOSED = "finance.cash_session.closed.v1"
VARIANCE_RESOLVED = "finance.cash_variance.resolved.v1"
Outcomes = Annotated[str, one_of(Outcome)]


class SessionClosed(TypedDict):
    """The control amount is the absolute variance: surplus and shortage are not netted."""

    session_id: Id
    branch_id: Branch
    drawer: Reference
    expected_fen: SumFen
    counted_fen: SumFen
    variance_fen: SumFen


class VarianceResolved(TypedDict):
    """`variance_id` is the session or surprise count that found it."""

    variance_id: Id
    branch_id: Branch
    variance_fen: SumFen
    outcome: Outcomes
    on_time: bool


PUBLISHED: Final[Mapping[str, type]] = {
    SESSION_CLOSED: SessionClosed,
    VARIANCE_RESOLVED: VarianceResolved,
}


def session_closed(
    *,
    session_id: str,
    branch_id: str,
    drawer: str,
    expected_fen: int,
    counted_fen: int,
    day: date,
) -> Event[SessionClosed]:
    """`amount_fen` is the absolute variance: the numerator of cash variance (M23), surplus and shortage not netted."""
    variance_fen = counted_fen - expected_fen
    return Event(
        type=SESSION_CLOSED,
        subject=session_id,
        version=1,
        day=day,
        amount_fen=abs(variance_fen),
        data={
            "session_id": session_id,
            "branch_id": branch_id,
            "drawer": drawer,
            "expected_fen": expected_fen,
            "counted_fen": counted_fen,
            "variance_fen": variance_fen,
        },
    )


def variance_resolved(
    *, variance_id: str, branch_id: str, variance_fen: int, outcome: str, on_time: bool, day: date
) -> Event[VarianceResolved]:
    """`variance_id` is the session or surprise count that found it; `amount_fen` the absolute variance."""
    return Event(
        type=VARIANCE_RESOLVED,
        subject=variance_id,
        version=1,
        day=day,
        amount_fen=abs(variance_fen),
        data={
            "variance_id": variance_id,
            "branch_id": branch_id,
            "variance_fen": variance_fen,
            "outcome": outcome,
            "on_time": on_time,
        },
    )
