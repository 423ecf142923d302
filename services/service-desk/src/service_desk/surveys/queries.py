"""What is read of surveys, limited to the branches of the token."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from service_desk.surveys import store, tables
from shared.languages import Text
from shared.paging import newest_first
from shared.transaction import Tx


def get_survey(tx: Tx, survey_id: UUID) -> dict[str, Any]:
    """Raises SurveyNotFound, ForeignBranch."""
    row = (
        tx.conn.execute(select(tables.surveys).where(tables.surveys.c.id == survey_id))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise store.SurveyNotFound(Text("no survey {survey_id}", survey_id=survey_id))
    tx.actor.require_branch(row["branch_id"])
    return dict(row)


def list_surveys(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    query = select(tables.surveys)
    if filters.get("ticket_id"):
        query = query.where(tables.surveys.c.ticket_id == filters["ticket_id"])
    return newest_first(tx, query, tables.surveys.c.id, filters, tables.surveys.c.branch_id)
