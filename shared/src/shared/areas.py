"""A service as a list of areas: what each adds to the processes, and how the service joins them.

An area says what it has in its `__init__.py`, as `AREA`; `app.py` names the areas in order and nothing else. The order
is that of the routes in the documents, of reactions to one batch, and of jobs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from shared.chain import Chain
from shared.events import Envelope
from shared.refilling import Projection, refilled
from shared.row_log import Followed, Proof
from shared.service import Handler, Job, LostEvent, Withdraw
from shared.transaction import Tx
from shared.wire import Received

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask_smorest import Blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What one area adds to its service.

    `tables` is the module that describes its tables: naming it here brings them into the schema of the service.
    `copies` are tables that hold nothing but what a source said, by source: they are filled anew when its log has
    lost events, those of all areas in one reading. `reactions` get fresh events in one transaction and pass over those they have no need of. `withdraw` undoes
    what a source has lost; one area of a service may read the log for that, because it is read once. `log_positions` are
    those of shared.service.Service. `configure` adds to the web application what is no API.
    """

    tables: ModuleType | None = None
    blueprints: "Sequence[Blueprint]" = ()
    reactions: Sequence[Handler] = ()
    jobs: Sequence[Job] = ()
    withdraw: Withdraw | None = None
    copies: Mapping[str, Projection] = field(default_factory=dict)
    chains: Sequence[Chain] = ()
    followed: Sequence[Followed] = ()
    proofs: Sequence[Proof] = ()
    log_positions: Sequence[str] = ()
    configure: "Callable[[Flask], None] | None" = None


def blueprints_of(areas: Sequence[Area]) -> "list[Blueprint]":
    """The routes of all areas."""
    return [blueprint for area in areas for blueprint in area.blueprints]


def jobs_of(areas: Sequence[Area]) -> list[Job]:
    """What time demands of all areas."""
    return [job for area in areas for job in area.jobs]


def chains_of(areas: Sequence[Area]) -> list[Chain]:
    """The hash chains of all areas."""
    return [chain for area in areas for chain in area.chains]


def followed_of(areas: Sequence[Area]) -> list[Followed]:
    """What is written down after its commit, of all areas."""
    return [followed for area in areas for followed in area.followed]


def proofs_of(areas: Sequence[Area]) -> list[Proof]:
    """What must hold between tables, of all areas."""
    return [proof for area in areas for proof in area.proofs]


def log_positions_of(areas: Sequence[Area]) -> list[str]:
    """How far the jobs of all areas have read the service's own log."""
    return [position for area in areas for position in area.log_positions]


def handler_of(areas: Sequence[Area]) -> Handler:
    """One handler that gives each batch to the reactions of every area, one after another."""
    reactions = [reaction for area in areas for reaction in area.reactions]

    def handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
        for reaction in reactions:
            reaction(tx, envelopes)

    return handle


def withdraw_of(areas: Sequence[Area]) -> Withdraw:
    """How the service undoes what a source has lost: copies are filled anew, then each area does what is its own."""
    fill = refilled(_copies_of(areas))

    def withdraw(
        tx: Tx, source: str, after: int, lost: Sequence[LostEvent], log: Iterator[Received]
    ) -> Iterator[dict[str, Any]]:
        yield from fill(tx, source, after, lost, log)
        for area in areas:
            if area.withdraw is not None:
                yield from area.withdraw(tx, source, after, lost, log)

    return withdraw


def _copies_of(areas: Sequence[Area]) -> dict[str, Projection]:
    found: dict[str, Projection] = {}
    for area in areas:
        for source, copy in area.copies.items():
            known = found.get(source, Projection(tables=(), reactions={}))
            found[source] = Projection(
                tables=[*known.tables, *copy.tables], reactions={**known.reactions, **copy.reactions}
            )
    return found


def configure_of(areas: Sequence[Area]) -> "Callable[[Flask], None]":
    """What every area adds to the web application."""

    def configure(app: "Flask") -> None:
        for area in areas:
            if area.configure is not None:
                area.configure(app)

    return configure
