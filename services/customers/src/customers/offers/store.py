"""The rows of offers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from customers.offers.model import OPEN, WRITTEN, Offer, OfferNotFound
from customers.offers.tables import offers


def add(conn: Connection, offer: Offer) -> None:
    conn.execute(insert(offers).values(asdict(offer)))


def save(conn: Connection, offer: Offer) -> None:
    """Write what may change of an offer whose row the caller has locked."""
    values = {name: value for name, value in asdict(offer).items() if name not in WRITTEN}
    conn.execute(update(offers).where(offers.c.offer_id == offer.offer_id).values(values))


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
        raise OfferNotFound(f"no offer {offer_id}", offer_id=str(offer_id))
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
