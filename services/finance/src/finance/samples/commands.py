"""Samples from the request to what became of them. Every command locks the request first.

Source: F25 (SOP-FY006), X1, X9
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update

from finance import repository, stop_sales, trade_permissions
from finance.booking import book_of
from finance.budgets import draws
from finance.costs.commands.costing import stock_of
from finance.lots import expiries
from finance.lots.rules import SAMPLE, Named, Paper
from finance.samples import rules
from finance.samples.deemed import vat_of
from finance.samples.events import sample_issued
from finance.samples.tables import sample_decisions, samples
from shared import audit, outbox
from shared.approvals import Approval, Decision, SamePerson, decide_and_store, decision_of
from shared.clock import business_date, month_of, new_id
from shared.languages import Text
from shared.lots import canonical
from shared.money import half_up
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
    number = _next_number(tx, body["branch_id"], today.year)
    if body["expiry"] is not None:
        named = Named(body["product_id"], body["lot"], body["expiry"], "expiry")
        expiries.tell(tx, Paper(SAMPLE, body["branch_id"], number), [named])
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


def _next_number(tx: Tx, branch_id: str, year: int) -> str:
    number = tx.conn.execute(
        text(
            "insert into sample_numbers as n (branch_id, year, last_no) values (:branch, :year, 1)"
            " on conflict (branch_id, year) do update set last_no = n.last_no + 1 returning last_no"
        ),
        {"branch": branch_id, "year": year},
    ).scalar_one()
    return f"YP-{branch_id}-{year}-{number:04d}"


def decide(tx: Tx, sample_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Business head and quality assurance for products, quality assurance for packaging; never who asked.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong and the refusals of shared.approvals.
    """
    sample = _locked(tx, sample_id, "requested")
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
        _move(tx, sample, "rejected")
    elif state == "approved":
        _move(tx, sample, "approved")
    else:
        audit.record(tx, "sample.decide", str(sample_id), after=[decision.role, approved])


def decide_overrun(tx: Tx, sample_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and management let approved samples exceed their budget when they are issued, or reject them.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong and the refusals of shared.approvals.
    """
    sample = _locked(tx, sample_id, "approved")
    state, _ = draws.decide_overrun(
        tx,
        "sample",
        sample_id,
        excluded=frozenset({sample["requested_by"]}),
        subject_hash=sample["subject_hash"],
        approved=approved,
        reason=reason,
    )
    if state == "rejected":
        _move(tx, sample, "rejected")


def issue(tx: Tx, sample_id: UUID) -> None:
    """Hand them over and book what they cost: the lot's moving average; where it was never bought, the till's cost.

    What is given away is deemed sold, its output VAT is booked with it. By a storekeeper who neither asked nor
    approved. Raises SampleNotFound, ForeignBranch, SampleStateWrong, SamePerson, SampleForbidden,
    SampleTaxRateInvalid, SampleLotExpired, LotStopped, SampleStockShort, SampleCostUnknown, PeriodClosed, Unbudgeted,
    BudgetExceeded, OverrunNotApproved and the refusals of a trade permission.
    """
    sample = _locked(tx, sample_id, "approved")
    if tx.actor.id in {sample["requested_by"], *(each.person for each in _decisions(tx, sample_id))}:
        raise SamePerson("who asked for samples or approved them does not hand them out")
    today = business_date(tx.now)
    rules.require_allowed(_recipient(tx, sample, today), sample["category"], today)
    rules.require_fresh(_expiry(tx, sample), today)
    stop_sales.require_free(tx.conn, [(sample["product_id"], sample["lot"])], tx.now)
    booked_on, reference = repository.booking_day(tx, today)
    basis, cost_fen = _cost(tx, sample, booked_on)
    vat = vat_of(tx, sample, cost_fen, today)
    repository.add_entry(
        tx,
        booked_on=booked_on,
        branch_id=sample["branch_id"],
        kind="sample_issue",
        source_id=str(sample_id),
        postings=rules.issue_postings(book_of(tx.conn).chart, cost_fen, vat.get("vat_fen", 0)),
        customer_id=None,
        reference=reference,
    )
    _move(
        tx,
        sample,
        "issued",
        issued_by=tx.actor.id,
        issued_at=tx.now,
        booked_on=booked_on,
        cost_basis=basis,
        cost_fen=cost_fen,
        **vat,
        confirm_by=today + timedelta(days=rules.rule("confirm_days", today)),
    )
    outbox.append(tx, sample_issued(sample, cost_fen=cost_fen, day=booked_on))


def _expiry(tx: Tx, sample: Mapping[str, Any]) -> date | None:
    """What holds of the lot now: quality assurance may have decided since it was asked for."""
    if sample["expiry"] is None:
        return None
    lot = sample["product_id"], sample["lot_key"]
    return expiries.held(tx, [lot])[lot].expiry


def _cost(tx: Tx, sample: Mapping[str, Any], day: date) -> tuple[str, int]:
    """What these units cost and what that rests on; the lot's row stays locked, so no two issues share a unit."""
    stock = stock_of(tx, sample["branch_id"], (sample["product_id"], sample["lot"]), day)
    if stock is not None:
        if sample["quantity"] > stock.quantity:
            raise rules.SampleStockShort(
                Text("the lot holds {quantity}", quantity=stock.quantity), available=stock.quantity
            )
        return "average", stock.value_of(sample["quantity"])
    sold = tx.conn.execute(
        text(
            "select cost_fen, quantity from sale_lines where product_id = :product and lot_key = :lot"
            " and branch_id = :branch order by booked_on desc, line_id desc limit 1"
        ),
        {"product": sample["product_id"], "lot": sample["lot_key"], "branch": sample["branch_id"]},
    ).one_or_none()
    if sold is not None:
        return "till", half_up(sold.cost_fen * sample["quantity"], sold.quantity)
    if sample["kind"] == rules.PACKAGING:
        return "none", 0
    raise rules.SampleCostUnknown("this branch neither bought nor sold the lot")


def confirm(tx: Tx, sample_id: UUID, *, used: int, returned: int) -> None:
    """What was used and what came back, said by another than who asked or handed out. What came back is kept apart.

    Raises SampleNotFound, ForeignBranch, SampleStateWrong, SamePerson, SampleQuantitiesDiffer.
    """
    sample = _locked(tx, sample_id, "issued")
    if tx.actor.id in {sample["requested_by"], sample["issued_by"]}:
        raise SamePerson("who asked for samples or handed them out does not confirm what became of them")
    rules.require_whole(sample["quantity"], used, returned)
    _move(
        tx,
        sample,
        "confirmed",
        used_quantity=used,
        returned_quantity=returned,
        confirmed_by=tx.actor.id,
        confirmed_at=tx.now,
    )


def _locked(tx: Tx, sample_id: UUID, state: str) -> dict[str, Any]:
    row = (
        tx.conn.execute(select(samples).where(samples.c.sample_id == sample_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise rules.SampleNotFound("no such sample")
    tx.actor.require_branch(row["branch_id"])
    if row["state"] != state:
        raise rules.SampleStateWrong(Text("the sample is {state}", state=row["state"]), state=row["state"])
    return dict(row)


def _decisions(tx: Tx, sample_id: UUID) -> list[Decision]:
    made = tx.conn.execute(select(sample_decisions).where(sample_decisions.c.sample_id == sample_id))
    return [decision_of(each) for each in made]


def _move(tx: Tx, sample: Mapping[str, Any], state: str, **values: Any) -> None:
    tx.conn.execute(
        update(samples).where(samples.c.sample_id == sample["sample_id"]).values(state=state, **values)
    )
    audit.record(
        tx, f"sample.{state}", str(sample["sample_id"]), before=sample["state"], after=[state, values]
    )
