"""Samples from the request to what became of them. Every command locks the request first.

Source: F25 (SOP-FY006), X1, X9
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from finance import budget_control, lots, stop_sales, trade_permissions
from finance.lots import Named, Paper, Source
from finance.samples import rules
from finance.samples.events import sample_issued
from finance.samples.store import hold, move, next_number
from finance.samples.tables import sample_decisions, samples
from shared import audit, outbox
from shared.approvals import Approval, SamePerson, decide_and_store
from shared.clock import business_date, month_of, new_id
from shared.lots import canonical
from shared.transaction import Tx

_FROZEN = ("kind", "recipient", "customer_id", "purpose", "product_id", "category", "lot", "expiry", "quantity", "reason", "tax_bp")  # fmt: skip


def request(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """Ask for samples. Whoever customers know as a patient is the public, whatever the request says.

    Raises ForeignBranch, SamplePurposeUnknown, SampleProductIncomplete, SampleRecipientUnfit, SampleForbidden,
    SampleTaxRateInvalid, SampleLotExpired, SampleLimitExceeded, LotStopped, LotExpiryContradicts and the refusals of a
    trade permission.
    """
    tx.actor.require_branch(body["branch_id"])
    today = business_date(tx.now)
    if body["purpose"] not in rules.rule("purposes", today):
        raise rules.SamplePurposeUnknown(
            "no such purpose", errors=[{"path": "purpose", "message": "unknown"}]
        )
    is_product = body["kind"] == rules.PRODUCT
    if is_product != (body["category"] is not None) or is_product != (body["expiry"] is not None):
        raise rules.SampleProductIncomplete(
            "a product has its category and expiry, packaging neither",
            errors=[{"path": "category", "message": "of products alone"}],
        )
    recipient = _recipient(tx, body, today)
    rules.require_allowed(recipient, body["category"], today)
    rules.require_rate(body["kind"], body["purpose"], recipient, body["tax_bp"], today)
    rules.require_fresh(body["expiry"], today)
    stop_sales.require_free(tx.conn, [(body["product_id"], body["lot"])], tx.now)
    _require_within_limits(tx, body, today)
    sample_id = new_id()
    number = next_number(tx, body["branch_id"], today.year)
    if body["expiry"] is not None:
        named = Named(body["product_id"], body["lot"], body["expiry"], "expiry")
        lots.tell(tx, Paper(Source.SAMPLE, body["branch_id"], number), [named])
    asked = {**body, "recipient": recipient}
    tx.conn.execute(
        insert(samples).values(
            sample_id=sample_id,
            number=number,
            branch_id=body["branch_id"],
            generic_name=body["generic_name"],
            lot_key=canonical(body["lot"]),
            state="requested",
            subject_hash=audit.digest({name: asked[name] for name in _FROZEN}),
            requested_by=tx.actor.id,
            requested_on=today,
            requested_at=tx.now,
            **{name: asked[name] for name in _FROZEN},
        )
    )
    audit.record(tx, "sample.request", str(sample_id), after=asked)
    return sample_id


def _recipient(tx: Tx, body: Mapping[str, Any], today: date) -> str:
    customer_id, said = body["customer_id"], str(body["recipient"])
    if (said == "institution" and customer_id is None) or (said == "internal" and customer_id is not None):
        raise rules.SampleRecipientUnfit(
            "an institution is a customer, what is internal has none",
            errors=[{"path": "customer_id", "message": "does not fit the recipient"}],
        )
    if customer_id is None:
        return said
    known = trade_permissions.held_on(tx.conn, customer_id, today)
    trade_permissions.require(
        known,
        [] if body["category"] is None else [body["category"]],
        today,
        is_caught_up=known is None and trade_permissions.is_caught_up(tx, customer_id),
    )
    return "public" if known is not None and not known.is_institution else said


def _require_within_limits(tx: Tx, body: Mapping[str, Any], today: date) -> None:
    """What was asked for in the month and not rejected counts; requests of one person or customer wait for each other."""
    of = {"per_person_month": ("requested_by", tx.actor.id), "per_customer_month": ("customer_id", body["customer_id"])}  # fmt: skip
    for name, (column, value) in of.items():
        if value is None:
            continue
        tx.conn.execute(
            text("select pg_advisory_xact_lock(hashtextextended('finance:sample:' || :key, 0))"),
            {"key": f"{column}:{value}"},
        )
        had = tx.conn.execute(
            text(
                f"select coalesce(sum(quantity), 0)::bigint from samples where {column} = :value"
                " and requested_on between :first and :today and state <> 'rejected'"
            ),
            {"value": value, "first": month_of(today), "today": today},
        ).scalar_one()
        rules.require_within(had, body["quantity"], rules.rule(name, today), column)


def decide(tx: Tx, sample_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Business head and quality assurance for products, quality assurance for packaging; never who asked.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong and the refusals of shared.approvals.
    """
    sample = hold(tx, sample_id, "requested")
    decision, state = decide_and_store(
        tx,
        sample_decisions,
        {"sample_id": sample_id},
        Approval(
            required=rules.APPROVERS[sample["kind"]],
            excluded=frozenset({sample["requested_by"]}),
            subject_hash=sample["subject_hash"],
        ),
        approved=approved,
        reason=reason,
    )
    if not approved:
        move(tx, sample, "rejected")
    elif state == "approved":
        move(tx, sample, "approved")
    else:
        audit.record(tx, "sample.decide", str(sample_id), after=[decision.role, approved])


def decide_overrun(tx: Tx, sample_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and management let approved samples exceed their budget when they are issued, or reject them.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong and the refusals of shared.approvals.
    """
    sample = hold(tx, sample_id, "approved")
    state, _ = budget_control.decide_overrun(
        tx,
        budget_control.Overrunning(
            kind="sample",
            source_id=sample_id,
            asked_by=sample["requested_by"],
            subject_hash=sample["subject_hash"],
        ),
        approved=approved,
        reason=reason,
    )
    if state == "rejected":
        move(tx, sample, "rejected")


def require_issuable(tx: Tx, sample: Mapping[str, Any], today: date) -> None:
    """Its recipient may still be given it, its lot has not expired and is on sale.

    Raises SampleForbidden, SampleLotExpired, LotStopped and the refusals of a trade permission.
    """
    rules.require_allowed(_recipient(tx, sample, today), sample["category"], today)
    rules.require_fresh(_expiry(tx, sample), today)
    stop_sales.require_free(tx.conn, [(sample["product_id"], sample["lot"])], tx.now)


def keep_issue(tx: Tx, sample: Mapping[str, Any], *, booked_on: date, cost_fen: int, **values: Any) -> None:
    """The sample was handed out today: keep what it cost, and tell it."""
    today = business_date(tx.now)
    move(
        tx,
        sample,
        "issued",
        issued_by=tx.actor.id,
        issued_at=tx.now,
        booked_on=booked_on,
        cost_fen=cost_fen,
        **values,
        confirm_by=today + timedelta(days=rules.rule("confirm_days", today)),
    )
    outbox.append(tx, sample_issued(sample, cost_fen=cost_fen, day=booked_on))


def _expiry(tx: Tx, sample: Mapping[str, Any]) -> date | None:
    """What holds of the lot now: quality assurance may have decided since it was asked for."""
    if sample["expiry"] is None:
        return None
    lot = sample["product_id"], sample["lot_key"]
    return lots.held(tx, [lot])[lot].expiry


def confirm(tx: Tx, sample_id: UUID, *, used: int, returned: int) -> None:
    """What was used and what came back, said by another than who asked or handed out. What came back is kept apart.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong, SamePerson, SampleQuantitiesDiffer.
    """
    sample = hold(tx, sample_id, "issued")
    if tx.actor.id in {sample["requested_by"], sample["issued_by"]}:
        raise SamePerson("who asked for samples or handed them out does not confirm what became of them")
    rules.require_whole(sample["quantity"], used, returned)
    move(
        tx,
        sample,
        "confirmed",
        used_quantity=used,
        returned_quantity=returned,
        confirmed_by=tx.actor.id,
        confirmed_at=tx.now,
    )
