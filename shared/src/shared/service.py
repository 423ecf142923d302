"""One description per service, from which every process is assembled."""

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import MetaData

from shared import event_types
from shared.chain import Chain
from shared.events import Envelope
from shared.row_log import Followed, Proof
from shared.transaction import Tx
from shared.wire import Received

if TYPE_CHECKING:
    from flask import Flask
    from flask_smorest import Blueprint

Handler = Callable[[Tx, Sequence[Envelope]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEvent:
    """An event received from a log that was set back before it; `comes_again_as` is its number in the new log."""

    source: str
    seq: int
    event_id: UUID
    comes_again_as: int | None


Withdraw = Callable[[Tx, str, int, Sequence[LostEvent], Iterator[Received]], Iterable[dict[str, Any]]]
"""`withdraw(tx, source, ancestor_seq, lost, log)`: undo what events above `ancestor_seq` put into projections.

`log` yields the source's events 1 to `ancestor_seq`, for those who fill a projection anew. Returns what it did, and
what it left to people, as rows for the operator; a row with `corrected_seq` says that what we published because of
that lost event is made good by what we publish now.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Time-driven work: `run(tx)` every `every_s` seconds in one transaction, by one active scheduler.

    Returns how many things it did; a job that did something is run again at once. While it does nothing its pauses
    double up to `rest_s`, where that is given. What it tells may count to days past: with `before_close` a month is not
    closed before the job found nothing more to do.
    """

    name: str
    every_s: float
    run: Callable[[Tx], int]
    rest_s: float | None = None
    before_close: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`sources` are the services whose events it consumes, all of them, by `handle`.

    `handle(tx, envelopes)` gets fresh events in one transaction, in any order; see shared.consumer. It passes over
    types it has no need of; a type that is not among `known_types` never comes to it and is parked.
    """

    name: str
    title: str
    metadata: MetaData
    blueprints: "Sequence[Blueprint]" = ()
    sources: Sequence[str] = ()
    closes_without: Sequence[str] = ()
    """Sources of which nothing belongs into a month: no close waits for them, nor for what we told them."""
    handle: Handler | None = None
    known_types: frozenset[str] = field(default_factory=event_types.packaged)
    jobs: Sequence[Job] = ()
    withdraw: Withdraw | None = None
    chains: Sequence[Chain] = ()
    log_positions: Sequence[str] = ()
    """One SQL expression for each job that reads the service's own log: how far it has read."""
    followed: Sequence[Followed] = ()
    """Tables whose rows are written down after commit."""
    proofs: Sequence[Proof] = ()
    """What rows must say of each other, beside what is guarded."""
    configure: "Callable[[Flask], None] | None" = None
    """Adds what is not an API: pages, translations."""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def closing_sources(self) -> list[str]:
        """Those whose events belong into our months."""
        return [source for source in self.sources if source not in self.closes_without]

    @property
    def migrations_folder(self) -> Path:
        module = importlib.import_module(self.name)
        assert module.__file__
        return Path(module.__file__).parent / "migrations" / "versions"


def files_of(package: str, pattern: str) -> list[Path]:
    """Files that lie in the package of a service; none of a service that lies in no package, as one made in a test."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return []
    return sorted(Path(found.origin).parent.rglob(pattern))


def load(name: str) -> Service:
    """The service whose package is `name`: `load("service_desk")`."""
    service = importlib.import_module(f"{name}.app").SERVICE
    assert isinstance(service, Service)
    return service
