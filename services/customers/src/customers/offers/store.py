"""The rows of offers."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Uuid, any_, func, insert, literal, select, text, update

from customers.offers.model import OPEN, WRITTEN, Offer, OfferNotFound
from customers.offers.tables import offers
from shared.languages import Text


def hold_branch(conn: Connection, branch_id: str) -> None:
    """Parallel proposals of a branch wait here until the transaction ends, so that their bound holds."""
    conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended('offers:' || :branch, 0))"), {"branch": branch_id}
    )


def add(conn: Connection, offer: Offer) -> None:
    conn.execute(insert(offers).values(asdict(offer)))


def save(conn: Connection, offer: Offer) -> None:
    """Write what may change of an offer whose row the caller has locked."""
    values = {name: value for name, value in asdict(offer).items() if name not in WRITTEN}
    conn.execute(update(offers).where(offers.c.offer_id == offer.offer_id).values(values))


def save_answers(conn: Connection, answered: Sequence[Offer]) -> None:
    """Write finance's answers to offers whose rows the caller has locked."""
    conn.execute(
        text(
            "update offers o set state = u.state, drawing_id = u.drawing_id, refusal = u.refusal,"
            " answer_event_id = u.event_id"
            " from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:drawings as uuid[]),"
            " cast(:refusals as text[]), cast(:events as uuid[])) as u(offer_id, state, drawing_id, refusal, event_id)"
            " where o.offer_id = u.offer_id"
        ),
        {
            "ids": [each.offer_id for each in answered],
            "states": [each.state for each in answered],
            "drawings": [each.drawing_id for each in answered],
            "refusals": [each.refusal for each in answered],
            "events": [each.answer_event_id for each in answered],
        },
    )


def all_locked(conn: Connection, offer_ids: Collection[UUID]) -> dict[UUID, Offer]:
    """Offers by id, locked in the order of their ids. Raises OfferNotFound."""
    wanted = sorted(offer_ids)
    rows = conn.execute(
        select(offers)
        .where(offers.c.offer_id == any_(literal(wanted, ARRAY(Uuid))))
        .order_by(offers.c.offer_id)
        .with_for_update()
    ).mappings()
    found = {row["offer_id"]: Offer(**row) for row in rows}
    for missing in (each for each in wanted if each not in found):
        raise OfferNotFound(Text("no offer {missing}", missing=missing), offer_id=str(missing))
    return found


def locked(conn: Connection, offer_id: UUID) -> Offer:
    """Raises OfferNotFound."""
    return _one(conn, select(offers).where(offers.c.offer_id == offer_id).with_for_update(), offer_id)


def answered_by(conn: Connection, event_ids: Sequence[UUID]) -> list[Offer]:
    """Offers that these events of finance answered, locked in the order of their ids."""
    query = select(offers).where(offers.c.answer_event_id.in_(event_ids)).order_by(offers.c.offer_id)
    return [Offer(**row) for row in conn.execute(query.with_for_update()).mappings()]


def one(conn: Connection, offer_id: UUID) -> Offer:
    """Raises OfferNotFound."""
    return _one(conn, select(offers).where(offers.c.offer_id == offer_id), offer_id)


def _one(conn: Connection, query: Any, offer_id: UUID) -> Offer:
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise OfferNotFound(Text("no offer {offer_id}", offer_id=offer_id), offer_id=str(offer_id))
    return Offer(**row)


def count_open(conn: Connection, branch_id: str) -> int:
    found: int = conn.execute(
        select(func.count()).where(offers.c.branch_id == branch_id, offers.c.state.in_(OPEN))
    ).scalar_one()
    return found


def page(
    conn: Connection,
    *,
    branches: Sequence[str] | None,
    state: str | None,
    before: UUID | None,
    limit: int,
) -> list[Offer]:
    """Offers of these branches (None: all), newest first."""
    query = select(offers)
    if branches is not None:
        query = query.where(offers.c.branch_id.in_(branches))
    if state is not None:
        query = query.where(offers.c.state == state)
    if before is not None:
        query = query.where(offers.c.offer_id < before)
    rows = conn.execute(query.order_by(offers.c.offer_id.desc()).limit(limit)).mappings()
    return [Offer(**row) for row in rows]


def published(conn: Connection, *, branch_id: str, on: date) -> list[Offer]:
    """What a branch offers its patients on a day, the oldest offer first."""
    query = select(offers).where(
        offers.c.branch_id == branch_id,
        offers.c.state == "published",
        offers.c.first_day <= on,
        offers.c.last_day >= on,
    )
    rows = conn.execute(query.order_by(offers.c.offer_id)).mappings()
    return [Offer(**row) for row in rows]
