"""Records of trainings, and what has run out."""

from collections.abc import Mapping
from typing import Any

from reporting import organisation
from shared.clock import business_date
from shared.identity import EVERY_BRANCH
from shared.paging import page_of
from shared.transaction import Tx


def records(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Records of trainings, by id. Raises ForeignBranch."""
    tx.actor.require_branch(EVERY_BRANCH)
    conditions = {
        "t.staff_id = :staff_id": args["staff_id"],
        "t.topic = :topic": args["topic"],
        "t.result = :result": args["result"],
    }
    return page_of(
        tx.conn, "select t.* from training_records t", conditions, {"t.training_record_id": str}, args
    )


_OVERDUE = """select t.staff_id, t.topic, t.trained_on, t.valid_until from (
    select distinct on (staff_id, topic) * from training_records
    where result = 'passed' and trained_on <= cast(:day as date)
    order by staff_id, topic, coalesce(valid_until, 'infinity') desc, training_record_id) t"""


def overdue(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Of those who are employed on a day, each topic whose last training that counted has run out before it.

    Raises ForeignBranch.
    """
    tx.actor.require_branch(EVERY_BRANCH)
    conditions = {
        f"t.valid_until < cast(:day as date) and {organisation.employed_on('t.staff_id', ':day')}": args[
            "day"
        ]
        or business_date(tx.now),
        "t.staff_id = :staff_id": args["staff_id"],
        "t.topic = :topic": args["topic"],
    }
    return page_of(tx.conn, _OVERDUE, conditions, {"t.staff_id": str, "t.topic": str}, args)
