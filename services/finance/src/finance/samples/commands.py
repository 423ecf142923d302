"""Samples from the request to what became of them. Every command locks the request first.

Source: F25 (SOP-FY006), X1, X9
"""

from dataclasses import asdict, replace
from datetime import date, timedelta
from uuid import UUID

from finance import budget_control, lots, product_checks, stop_sales, trade_permissions
from finance.lots import Named, Paper, Source
from finance.samples import rules, store
from finance.samples.events import sample_issued
from finance.samples.model import Asked, Issue, Sample
from shared import audit, outbox
from shared.approvals import Approval, SamePerson
from shared.clock import business_date, month_of, new_id
from shared.transaction import Tx


def request(tx: Tx, asked: Asked) -> UUID:
    """Ask for samples. Whoever customers know as a patient is the public, whatever the request says.

    Raises ForeignBranch, SamplePurposeUnknown, SampleProductIncomplete, SampleRecipientUnfit, SampleForbidden,
    SampleTaxRateInvalid, SampleLotExpired, SampleLimitExceeded, LotStopped, LotExpiryContradicts and the refusals of a
    trade permission.
    """
    tx.actor.require_branch(asked.branch_id)
    today = business_date(tx.now)
    if asked.purpose not in rules.rule("purposes", today):
        raise rules.SamplePurposeUnknown(
            "no such purpose", errors=[{"path": "purpose", "message": "unknown"}]
        )
    is_product = not asked.is_packaging
    if is_product != (asked.category is not None) or is_product != (asked.expiry is not None):
        raise rules.SampleProductIncomplete(
            "a product has its category and expiry, packaging neither",
            errors=[{"path": "category", "message": "of products alone"}],
        )
    asked = replace(asked, recipient=_recipient(tx, asked, today))
    _require_catalogued(tx, asked, None)
    rules.require_allowed(asked.recipient, asked.category, today)
    rules.require_rate(asked.kind, asked.purpose, asked.recipient, asked.tax_bp, today)
    rules.require_fresh(asked.expiry, today)
    stop_sales.require_free(tx.conn, [(asked.product_id, asked.lot)], tx.now)
    _require_within_limits(tx, asked, today)
    sample_id = new_id()
    number = store.next_number(tx, asked.branch_id, today.year)
    if asked.expiry is not None:
        named = Named(asked.product_id, asked.lot, asked.expiry, "expiry")
        lots.tell(tx, Paper(Source.SAMPLE, asked.branch_id, number), [named])
    store.add(tx, asked, sample_id, number)
    audit.record(tx, "sample.request", str(sample_id), after=asdict(asked))
    return sample_id


def _require_catalogued(tx: Tx, of: Asked, number: str | None) -> None:
    """What is said of a product is what the catalogue of today says. Raises ProductContradictsCatalogue, ProductUnknown."""
    if of.is_packaging:
        return
    said = {"category": of.category, "generic_name": of.generic_name}
    paper = product_checks.Paper(product_checks.Door.SAMPLE, of.branch_id, number)
    product_checks.judge(tx, paper, business_date(tx.now), [product_checks.Said("", of.product_id, said)])


def _recipient(tx: Tx, asked: Asked, today: date) -> str:
    customer_id, said = asked.customer_id, asked.recipient
    if (said == "institution" and customer_id is None) or (said == "internal" and customer_id is not None):
        raise rules.SampleRecipientUnfit(
            "an institution is a customer, what is internal has none",
            errors=[{"path": "customer_id", "message": "does not fit the recipient"}],
        )
    if customer_id is None:
        return said
    known = trade_permissions.held_on(tx.conn, customer_id, today)
    categories = [] if asked.category is None else [asked.category]
    trade_permissions.require(tx, customer_id, known, categories, today)
    return "public" if known is not None and not known.is_institution else said


def _require_within_limits(tx: Tx, asked: Asked, today: date) -> None:
    """What was asked for in the month and not rejected counts. Raises SampleLimitExceeded."""
    of = {"per_person_month": ("requested_by", tx.actor.id), "per_customer_month": ("customer_id", asked.customer_id)}  # fmt: skip
    for name, (column, value) in of.items():
        if value is not None:
            had = store.asked_before(tx, column, value, month_of(today))
            rules.require_within(had, asked.quantity, rules.rule(name, today), column)


def decide(tx: Tx, sample_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Business head and quality assurance for products, quality assurance for packaging; never who asked.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong and the refusals of shared.approvals.
    """
    sample = store.hold(tx, sample_id, "requested")
    approval = Approval(
        required=rules.APPROVERS[sample.kind],
        excluded=frozenset({sample.requested_by}),
        subject_hash=sample.subject_hash,
    )
    decision, state = store.decide(tx, sample, approval, approved=approved, reason=reason)
    if not approved:
        store.move(tx, sample, "rejected")
    elif state == "approved":
        store.move(tx, sample, "approved")
    else:
        audit.record(tx, "sample.decide", str(sample_id), after=[decision.role, approved])


def decide_overrun(tx: Tx, sample_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and management let approved samples exceed their budget when they are issued, or reject them.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong and the refusals of shared.approvals.
    """
    sample = store.hold(tx, sample_id, "approved")
    state, _ = budget_control.decide_overrun(
        tx,
        budget_control.Overrunning(
            kind="sample",
            source_id=sample_id,
            asked_by=sample.requested_by,
            subject_hash=sample.subject_hash,
        ),
        approved=approved,
        reason=reason,
    )
    if state == "rejected":
        store.move(tx, sample, "rejected")


def require_issuable(tx: Tx, sample: Sample, today: date) -> None:
    """Its recipient may still be given it, its lot has not expired and is on sale; whoever asked or approved hands out nothing.

    Raises SamePerson, SampleForbidden, SampleLotExpired, LotStopped and the refusals of a trade permission.
    """
    if tx.actor.id in {sample.requested_by, *(each.person for each in store.decided_by(tx, sample))}:
        raise SamePerson("who asked for samples or approved them does not hand them out")
    _require_catalogued(tx, sample, sample.number)
    rules.require_allowed(_recipient(tx, sample, today), sample.category, today)
    rules.require_fresh(_expiry(tx, sample), today)
    stop_sales.require_free(tx.conn, [(sample.product_id, sample.lot)], tx.now)


def keep_issue(tx: Tx, sample: Sample, issued: Issue) -> None:
    """The sample was handed out today: keep what it cost, and tell it."""
    today = business_date(tx.now)
    confirm_by = today + timedelta(days=rules.rule("confirm_days", today))
    store.issue(tx, sample, issued, confirm_by)
    outbox.append(tx, sample_issued(sample, cost_fen=issued.cost_fen, day=issued.booked_on))


def _expiry(tx: Tx, sample: Sample) -> date | None:
    """What holds of the lot now: quality assurance may have decided since it was asked for."""
    if sample.expiry is None:
        return None
    lot = sample.product_id, sample.lot_key
    return lots.held(tx, [lot])[lot].expiry


def confirm(tx: Tx, sample_id: UUID, *, used: int, returned: int) -> None:
    """What was used and what came back, said by another than who asked or handed out. What came back is kept apart.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong, SamePerson, SampleQuantitiesDiffer.
    """
    sample = store.hold(tx, sample_id, "issued")
    if tx.actor.id in {sample.requested_by, sample.issued_by}:
        raise SamePerson("who asked for samples or handed them out does not confirm what became of them")
    rules.require_whole(sample.quantity, used, returned)
    store.confirm(tx, sample, used, returned)
