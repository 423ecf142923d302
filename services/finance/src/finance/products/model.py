"""Versions of products, what is proposed of them, and what became of a row that a source told. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from finance.products.rules import (
    FIELDS,
    SAFETY,
    Product,
    Told,
    content,
    differing,
    require_in_order,
    with_fields,
)


@dataclass(frozen=True, slots=True)
class Version:
    """What holds of a product from a day on, until its next version."""

    product: Product
    version: int
    effective_from: date
    source: str
    source_version: str
    upload_id: UUID | None = None
    proposal_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What waits for quality assurance: of a new product all its fields, of a known one those of safety that change."""

    proposal_id: UUID
    product_id: str
    fields: Mapping[str, Any]
    effective_from: date
    source: str
    source_version: str
    upload_id: UUID | None
    state: str
    subject_hash: str
    proposed_by: str


@dataclass(slots=True)
class Known:
    """What is known of a product: its newest version, what waits of it, and the newest that was decided on."""

    newest: Version | None = None
    waiting: Proposal | None = None
    decided: Proposal | None = None

    @property
    def proposal(self) -> Proposal | None:
        """What waits is newer than all that was decided on: another takes its place, and none is decided on twice."""
        return self.waiting or self.decided


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a row proposes."""

    fields: Mapping[str, Any]
    effective_from: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row comes to: a version that holds at once, what it proposes, whether what waits is no longer meant."""

    state: str
    version: Version | None = None
    proposed: Proposed | None = None
    is_withdrawing: bool = False


def judged(told: Told, known: Known, *, today: date, first_day: date, upload_id: UUID | None) -> Verdict:
    """`first_day` is the first one whose catalogue may still change. Raises ProductBackdated, ProductTooFarAhead.

    The same as before is `unchanged`; the same as waits is `waiting`, and as was rejected from this version of the
    source is `rejected`. What matters for safety is `proposed`, anything else `changed` at once, from its day on.
    """
    newest = known.newest
    product = content(told)
    require_in_order(told.effective_from, None, first_day)
    if newest is None:
        fields = _json(product, FIELDS)
        return _of_proposed(Proposed(fields, told.effective_from or today), told, known)
    plain = differing(newest.product, product, [name for name in FIELDS if name not in SAFETY])
    safety = differing(newest.product, product, SAFETY)
    if plain or safety:
        require_in_order(told.effective_from, newest.effective_from, first_day)
    day = max(told.effective_from or first_day, first_day, newest.effective_from)
    version = None
    if plain:
        agreed = with_fields(newest.product, _json(product, plain))
        version = Version(agreed, newest.version + 1, day, told.source, told.source_version, upload_id)
    if not safety:
        return Verdict("changed" if plain else "unchanged", version, is_withdrawing=known.waiting is not None)
    verdict = _of_proposed(Proposed(_json(product, safety), day), told, known)
    return Verdict(verdict.state, version, verdict.proposed, verdict.is_withdrawing)


def _of_proposed(proposed: Proposed, told: Told, known: Known) -> Verdict:
    before = known.proposal
    if before is not None and dict(before.fields) == dict(proposed.fields):
        if before.state == "proposed" and told.effective_from in {None, before.effective_from}:
            return Verdict("waiting")
        if before.state == "rejected" and before.source_version == told.source_version:
            return Verdict("rejected")
    return Verdict("proposed", None, proposed, known.waiting is not None)


def _json(product: Product, names: Any) -> dict[str, Any]:
    said = msgspec.to_builtins(product)
    return {name: said[name] for name in names}


def agreed(proposal: Proposal, newest: Version | None, first_day: date) -> Version:
    """The version that a proposal becomes: from its day on, or the first whose catalogue may still change."""
    if newest is None:
        product = msgspec.convert({"product_id": proposal.product_id, **proposal.fields}, Product)
        day, number = proposal.effective_from, 1
    else:
        product = with_fields(newest.product, proposal.fields)
        day, number = max(proposal.effective_from, first_day, newest.effective_from), newest.version + 1
    return Version(
        product,
        number,
        day,
        proposal.source,
        proposal.source_version,
        proposal.upload_id,
        proposal.proposal_id,
    )
