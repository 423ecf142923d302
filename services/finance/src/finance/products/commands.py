"""Take products from their source, and decide on what waits: one person tells, quality assurance approves (ADR-0051).

Source: X1, X11
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from finance.kernel.company import require_company
from finance.products import store
from finance.products.model import Known, Proposal, Proposed, Verdict, Version, agreed, judged
from finance.products.rules import (
    FIELD_OF_CODE,
    Code,
    Product,
    ProductCodeTaken,
    ProductProposalDecided,
    ProductUploadSettled,
    Told,
    checked,
    codes_of,
    earliest,
)
from finance.products.tables import product_decisions
from shared import audit
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.errors import DomainError
from shared.languages import Text
from shared.transaction import Tx

APPROVERS = frozenset({"qa"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: see `model.judged`, or `refused` and why. `version` is the product's newest."""

    product_id: str
    state: str
    version: int | None = None
    proposal_id: UUID | None = None
    refusal: DomainError | None = None


@dataclass(slots=True)
class _Weighing:
    """What is known of products, row by row, and what the rows come to before any of it is written."""

    tx: Tx
    upload_id: UUID | None
    known: dict[str, Known]
    holders: store.Holders
    meant: dict[str, set[Code]] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    proposals: dict[UUID, Proposal] = field(default_factory=dict)
    superseded: list[UUID] = field(default_factory=list)
    adopted: list[UUID] = field(default_factory=list)


def tell(tx: Tx, row: Told) -> Outcome:
    """One product. Raises CompanyNotCovered, GtinInvalid, ProductCodeTaken, ProductBackdated, ProductTooFarAhead."""
    weighing = _begun(tx, [row], None)
    outcome = _weighed(weighing, row)
    _write(weighing)
    return outcome


def take(tx: Tx, rows: Sequence[Told], upload_id: UUID) -> list[Outcome]:
    """What became of each row, in order; each finds what those before it told. A refused one hurts no other.

    Raises CompanyNotCovered.
    """
    weighing = _begun(tx, rows, upload_id)
    outcomes = []
    for row in rows:
        try:
            outcomes.append(_weighed(weighing, row))
        except DomainError as refusal:
            outcomes.append(Outcome(row.product_id, "refused", refusal=refusal))
    _write(weighing)
    return outcomes


def _begun(tx: Tx, rows: Sequence[Told], upload_id: UUID | None) -> _Weighing:
    require_company(tx.actor)
    store.lock(tx)
    known = store.known(tx, [each.product_id for each in rows])
    return _Weighing(tx, upload_id, known, store.holders(tx, rows))


def _weighed(weighing: _Weighing, row: Told) -> Outcome:
    told, tx = checked(row), weighing.tx
    _require_codes(told, weighing.holders)
    known = weighing.known[told.product_id]
    verdict = judged(
        told,
        known,
        today=business_date(tx.now),
        first_day=earliest(tx.now),
        upload_id=weighing.upload_id,
    )
    before = known.newest
    if verdict.version is not None:
        weighing.versions.append(verdict.version)
        known.newest = verdict.version
    _hold_codes(weighing, told, before)
    _settle(weighing, known, verdict)
    if verdict.proposed is not None:
        known.waiting = _proposal(weighing, told, verdict.proposed)
        weighing.proposals[known.waiting.proposal_id] = known.waiting
    kept = known.proposal if verdict.state in {"proposed", "waiting", "rejected"} else None
    return Outcome(
        told.product_id,
        verdict.state,
        None if known.newest is None else known.newest.version,
        None if kept is None else kept.proposal_id,
    )


def _settle(weighing: _Weighing, known: Known, verdict: Verdict) -> None:
    """What waited so far waits no more, or belongs to this upload."""
    waiting = known.waiting
    if waiting is None:
        return
    if verdict.is_withdrawing:
        known.waiting = None
        if waiting.proposal_id in weighing.proposals:
            weighing.proposals[waiting.proposal_id] = replace(waiting, state="superseded")
        else:
            weighing.superseded.append(waiting.proposal_id)
    elif verdict.state == "waiting" and waiting.proposal_id not in weighing.proposals:
        weighing.adopted.append(waiting.proposal_id)


def _proposal(weighing: _Weighing, told: Told, proposed: Proposed) -> Proposal:
    proposal_id = new_id()
    return Proposal(
        proposal_id,
        told.product_id,
        proposed.fields,
        proposed.effective_from,
        told.source,
        told.source_version,
        weighing.upload_id,
        "proposed",
        str(
            audit.digest([str(proposal_id), told.product_id, dict(proposed.fields), proposed.effective_from])
        ),
        weighing.tx.actor.id,
    )


def _require_codes(product: Product, holders: store.Holders) -> None:
    """Raises ProductCodeTaken."""
    for kind, code in codes_of(product):
        other = holders.get((kind, code), product.product_id)
        if other != product.product_id:
            path = FIELD_OF_CODE[kind]
            message = Text("{code} is of product {product}", code=code, product=other)
            raise ProductCodeTaken(message, errors=[{"path": path, "message": message}], holder_id=other)


def _hold_codes(weighing: _Weighing, told: Told, before: Version | None) -> None:
    """For the rows after it the product has the codes that it has now, and those that its row wants for it."""
    now = weighing.known[told.product_id].newest
    had = weighing.meant.get(told.product_id, set()) | set(codes_of(before.product) if before else ())
    meant = {*codes_of(told), *(codes_of(now.product) if now else ())}
    for each in had - meant:
        if weighing.holders.get(each) == told.product_id:
            del weighing.holders[each]
    weighing.holders |= dict.fromkeys(meant, told.product_id)
    weighing.meant[told.product_id] = meant


def _write(weighing: _Weighing) -> None:
    tx = weighing.tx
    store.add_versions(tx, weighing.versions)
    store.supersede(tx, weighing.superseded)
    store.adopt(tx, weighing.adopted, weighing.upload_id)
    store.propose(tx, list(weighing.proposals.values()))


def decide(tx: Tx, proposal_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Let a proposal hold, or reject it; another person than who told it.

    Raises CompanyNotCovered, ProductProposalNotFound, ProductProposalDecided, ProductCodeTaken, and the refusals of
    shared.approvals.
    """
    require_company(tx.actor)
    store.lock(tx)
    proposal = store.hold(tx, proposal_id)
    if proposal.state != "proposed":
        raise ProductProposalDecided(
            Text("the proposal was {state}", state=proposal.state), state=proposal.state
        )
    approval = Approval(
        required=APPROVERS, excluded=frozenset({proposal.proposed_by}), subject_hash=proposal.subject_hash
    )
    _decided(tx, proposal_id, [proposal], approval, approved=approved, reason=reason)


def decide_upload(tx: Tx, upload_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Decide at once on all that waits of an upload; another person than any who told of it. All of it, or nothing.

    Raises CompanyNotCovered, ProductUploadNotFound, ProductUploadSettled, ProductCodeTaken, and the refusals of
    shared.approvals.
    """
    require_company(tx.actor)
    store.lock(tx)
    uploaded_by, proposals = store.hold_upload(tx, upload_id)
    if not proposals:
        raise ProductUploadSettled("nothing of this upload waits for a decision")
    approval = Approval(
        required=APPROVERS,
        excluded=frozenset({uploaded_by, *(each.proposed_by for each in proposals)}),
        subject_hash=store.hash_of(proposals),
    )
    _decided(tx, upload_id, proposals, approval, approved=approved, reason=reason)


def _decided(
    tx: Tx,
    subject: UUID,
    proposals: Sequence[Proposal],
    approval: Approval,
    *,
    approved: bool,
    reason: str | None,
) -> None:
    _, state = decide_and_store(
        tx, product_decisions, {"subject_id": subject}, approval, approved=approved, reason=reason
    )
    versions = _agreed(tx, proposals) if state == "approved" else []
    store.add_versions(tx, versions)
    numbers = {each.proposal_id: each.version for each in versions}
    store.settle(tx, state, reason, [(each.proposal_id, numbers.get(each.proposal_id)) for each in proposals])


def _agreed(tx: Tx, proposals: Sequence[Proposal]) -> list[Version]:
    known = store.known(tx, [each.product_id for each in proposals])
    first_day = earliest(tx.now)
    versions = [agreed(each, known[each.product_id].newest, first_day) for each in proposals]
    holders = store.holders(tx, [each.product for each in versions])
    for each in versions:
        _require_codes(each.product, holders)
        holders |= dict.fromkeys(codes_of(each.product), each.product.product_id)
    return versions
