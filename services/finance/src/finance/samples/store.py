"""The statements that number, hold and move requests for samples, and what costs read of them."""

from dataclasses import asdict, fields
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, text, update

from finance.samples import rules
from finance.samples.model import Asked, Issue, Sample
from finance.samples.tables import sample_decisions, samples
from shared import audit
from shared.approvals import Approval, Decision, decide_and_store, decisions_on
from shared.clock import business_date
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx

GIVEN_OUT = (
    "(select sample_id, branch_id, product_id, lot_key, booked_on, quantity, cost_fen, tax_bp, vat_base_fen, vat_fen"
    " from samples where cost_fen is not null)"
)
"""What was handed out, by the day it was booked to."""


def next_number(tx: Tx, branch_id: str, year: int) -> str:
    number = tx.conn.execute(
        text(
            "insert into sample_numbers as n (branch_id, year, last_no) values (:branch, :year, 1)"
            " on conflict (branch_id, year) do update set last_no = n.last_no + 1 returning last_no"
        ),
        {"branch": branch_id, "year": year},
    ).scalar_one()
    return f"YP-{branch_id}-{year}-{number:04d}"


def hold(tx: Tx, sample_id: UUID, state: str) -> Sample:
    """The request, held, in this state. Raises SampleNotFound, ForeignBranch, SampleStateWrong."""
    wanted = [samples.c[each.name] for each in fields(Sample)]
    row = tx.conn.execute(
        select(*wanted).where(samples.c.sample_id == sample_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise rules.SampleNotFound("no such sample")
    tx.actor.require_branch(row.branch_id)
    if row.state != state:
        raise rules.SampleStateWrong(Text("the sample is {state}", state=row.state), state=row.state)
    return Sample(**row._asdict())


def add(tx: Tx, asked: Asked, sample_id: UUID, number: str) -> None:
    """What is decided on is what `_FROZEN` names."""
    frozen = {name: getattr(asked, name) for name in _FROZEN}
    tx.conn.execute(
        insert(samples).values(
            sample_id=sample_id,
            number=number,
            branch_id=asked.branch_id,
            generic_name=asked.generic_name,
            lot_key=canonical(asked.lot),
            state="requested",
            subject_hash=audit.digest(frozen),
            requested_by=tx.actor.id,
            requested_on=business_date(tx.now),
            requested_at=tx.now,
            **frozen,
        )
    )


_FROZEN = ("kind", "recipient", "customer_id", "purpose", "product_id", "category", "lot", "expiry", "quantity", "reason", "tax_bp")  # fmt: skip


def asked_before(tx: Tx, column: str, value: UUID | str, first: date) -> int:
    """What a person or a customer asked for from a day on and was not rejected; requests of one wait for each other."""
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended('finance:sample:' || :key, 0))"),
        {"key": f"{column}:{value}"},
    )
    had: int = tx.conn.execute(
        text(
            f"select coalesce(sum(quantity), 0)::bigint from samples where {column} = :value"
            " and requested_on between :first and :today and state <> 'rejected'"
        ),
        {"value": value, "first": first, "today": business_date(tx.now)},
    ).scalar_one()
    return had


def decided_by(tx: Tx, sample: Sample) -> list[Decision]:
    return decisions_on(tx.conn, sample_decisions, {"sample_id": sample.sample_id})


def decide(
    tx: Tx, sample: Sample, approval: Approval, *, approved: bool, reason: str | None
) -> tuple[Decision, str]:
    """Keep the actor's decision and say the state that it leads to. Raises the refusals of shared.approvals."""
    subject = {"sample_id": sample.sample_id}
    return decide_and_store(tx, sample_decisions, subject, approval, approved=approved, reason=reason)


def issue(tx: Tx, sample: Sample, issued: Issue, confirm_by: date) -> None:
    vat = {} if issued.deemed_sale is None else asdict(issued.deemed_sale)
    move(
        tx,
        sample,
        "issued",
        issued_by=tx.actor.id,
        issued_at=tx.now,
        booked_on=issued.booked_on,
        cost_fen=issued.cost_fen,
        cost_basis=issued.cost_basis,
        **vat,
        confirm_by=confirm_by,
    )


def confirm(tx: Tx, sample: Sample, used: int, returned: int) -> None:
    move(
        tx,
        sample,
        "confirmed",
        used_quantity=used,
        returned_quantity=returned,
        confirmed_by=tx.actor.id,
        confirmed_at=tx.now,
    )


def move(tx: Tx, sample: Sample, state: str, **values: object) -> None:
    tx.conn.execute(
        update(samples).where(samples.c.sample_id == sample.sample_id).values(state=state, **values)
    )
    audit.record(tx, f"sample.{state}", str(sample.sample_id), before=sample.state, after=[state, values])
