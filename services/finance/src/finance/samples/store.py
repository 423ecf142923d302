"""The statements that number, hold and move requests for samples, and what costs read of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from finance.samples import rules
from finance.samples.tables import sample_decisions, samples
from shared import audit
from shared.approvals import Decision, decision_of
from shared.languages import Text
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


def hold(tx: Tx, sample_id: UUID, state: str) -> dict[str, Any]:
    """The request, held, in this state. Raises SampleNotFound, ForeignBranch, SampleStateWrong."""
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


def decided_by(tx: Tx, sample_id: UUID) -> list[Decision]:
    made = tx.conn.execute(select(sample_decisions).where(sample_decisions.c.sample_id == sample_id))
    return [decision_of(each) for each in made]


def move(tx: Tx, sample: Mapping[str, Any], state: str, **values: Any) -> None:
    tx.conn.execute(
        update(samples).where(samples.c.sample_id == sample["sample_id"]).values(state=state, **values)
    )
    audit.record(
        tx, f"sample.{state}", str(sample["sample_id"]), before=sample["state"], after=[state, values]
    )
