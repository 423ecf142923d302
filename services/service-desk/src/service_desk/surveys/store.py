"""The statements that change surveys; all within the caller's transaction."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from service_desk.surveys import tables
from service_desk.surveys.model import Survey
from shared.errors import NotFound
from shared.languages import Text
from shared.transaction import Tx


class SurveyNotFound(NotFound):
    code = "survey_not_found"
    cure = "Look it up in the list of surveys."


def lock_customer(tx: Tx, customer_id: str) -> None:
    """Two invitations of one customer are decided one after the other."""
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"survey:{customer_id}"}
    )


def find_last_sent(tx: Tx, customer_id: str) -> datetime | None:
    """When a survey last reached the customer, whatever it was about."""
    sent_at: datetime | None = tx.conn.execute(
        select(func.max(tables.surveys.c.sent_at)).where(
            tables.surveys.c.customer_id == customer_id, tables.surveys.c.delivered
        )
    ).scalar()
    return sent_at


def has_delivered_survey(tx: Tx, survey: Survey) -> bool:
    """Whether the same cycle, or the same campaign and customer, was already asked."""
    same = (
        (tables.surveys.c.ticket_id == survey.ticket_id, tables.surveys.c.cycle == survey.cycle)
        if survey.ticket_id
        else (
            tables.surveys.c.campaign == survey.campaign,
            tables.surveys.c.customer_id == survey.customer_id,
        )
    )
    return bool(tx.conn.execute(select(select(1).where(tables.surveys.c.delivered, *same).exists())).scalar())


def add_survey(tx: Tx, survey: Survey) -> None:
    values = asdict(survey)
    del values["scores"]
    tx.conn.execute(insert(tables.surveys).values(**values, sent_by=tx.actor.id))


def lock_survey(tx: Tx, survey_id: UUID) -> Survey:
    """Raises SurveyNotFound."""
    row = (
        tx.conn.execute(select(tables.surveys).where(tables.surveys.c.id == survey_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise SurveyNotFound(Text("no survey {survey_id}", survey_id=survey_id))
    kept = {name: row[name] for name in Survey.__dataclass_fields__}
    return Survey(**{**kept, "token_hash": bytes(row["token_hash"])})


def save_answer(tx: Tx, survey: Survey, comment: str | None) -> None:
    tx.conn.execute(
        update(tables.surveys)
        .where(tables.surveys.c.id == survey.id)
        .values(
            answered_at=survey.answered_at, answered_by=tx.actor.id, scores=survey.scores, comment=comment
        )
    )
