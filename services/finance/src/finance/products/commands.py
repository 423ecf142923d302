"""Take products from their source, and decide on what waits: one person tells, quality assurance approves (ADR-0051).

Source: X1, X11
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from finance.kernel.company import require_company
from finance.products import store
from finance.products.model import Known, Proposal, Proposed, Version, agreed, judged
from finance.products.rules.product import (
    Product,
    ProductCodeTaken,
    ProductProposalDecided,
    ProductUploadSettled,
    Told,
    checked,
    earliest,
)
from finance.products.tables import product_decisions
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date
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
    """What was known of products, and what rows come to before any of it is written."""

    tx: Tx
    upload_id: UUID | None
    known: dict[str, Known]
    holders: store.Holders
    versions: list[Version] = field(default_factory=list)
    proposed: list[tuple[Told, Proposed]] = field(default_factory=list)
    superseded: list[UUID] = field(default_factory=list)
    adopted: list[UUID] = field(default_factory=list)


def tell(tx: Tx, row: Told) -> Outcome:
    """One product. Raises CompanyNotCovered, GtinInvalid, ProductCodeTaken, ProductBackdated, ProductTooFarAhead."""
    weighing = _begun(tx, [row], None)
    return _written(weighing, [_weighed(weighing, row)])[0]


def take(tx: Tx, rows: Sequence[Told], upload_id: UUID) -> list[Outcome]:
    """What became of each row, in order; a product comes once among them. A refused one hurts no other.

    Raises CompanyNotCovered.
    """
    weighing = _begun(tx, rows, upload_id)
    outcomes = []
    for row in rows:
        try:
            outcomes.append(_weighed(weighing, row))
        except DomainError as refusal:
            outcomes.append(Outcome(row.product_id, "refused", refusal=refusal))
    return _written(weighing, outcomes)


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
    newest, before = known.newest, known.waiting
    if verdict.version is not None:
        weighing.versions.append(newest := verdict.version)
    if verdict.proposed is not None:
        weighing.proposed.append((told, verdict.proposed))
    if before is not None and verdict.is_withdrawing:
        weighing.superseded.append(before.proposal_id)
    if before is not None and verdict.state == "waiting":
        weighing.adopted.append(before.proposal_id)
    kept = known.proposal if verdict.state in {"waiting", "rejected"} else None
    return Outcome(
        told.product_id,
        verdict.state,
        None if newest is None else newest.version,
        None if kept is None else kept.proposal_id,
    )


def _require_codes(product: Product, holders: store.Holders) -> None:
    """Raises ProductCodeTaken; else the codes are the product's, for those that come after it."""
    names = [(column, code) for column in ("gtins", "trace_prefixes") for code in getattr(product, column)]
    for column, code in names:
        for other in sorted(holders.get((column, code), set()) - {product.product_id}):
            message = Text("{code} is of product {product}", code=code, product=other)
            raise ProductCodeTaken(message, errors=[{"path": column, "message": message}], holder_id=other)
    for name in names:
        holders.setdefault(name, set()).add(product.product_id)


def _written(weighing: _Weighing, outcomes: Sequence[Outcome]) -> list[Outcome]:
    tx = weighing.tx
    store.add_versions(tx, weighing.versions)
    store.supersede(tx, weighing.superseded)
    store.adopt(tx, weighing.adopted, weighing.upload_id)
    ids = iter(store.propose(tx, weighing.proposed, weighing.upload_id))
    return [
        Outcome(each.product_id, each.state, each.version, next(ids)) if each.state == "proposed" else each
        for each in outcomes
    ]


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
    return versions
