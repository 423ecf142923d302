"""What offers drew on promotion plans, and what they cost in the end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal, select, text, update

from finance.promotions.model import Drawing, OfferProposed
from finance.promotions.tables import drawings
from shared.transaction import Tx


def add_drawings(tx: Tx, drawn: Sequence[tuple[UUID, OfferProposed]], causes: Sequence[UUID]) -> None:
    """Each drawing's id with its offer; `causes` are the events that proposed them."""
    tx.conn.execute(
        text(
            "insert into promotion_drawings (drawing_id, plan_id, offer_id, amount_fen, cause_event_id, drawn_by,"
            " drawn_at) select u.*, :person, :now from unnest(cast(:ids as uuid[]), cast(:plans as uuid[]),"
            " cast(:offers as text[]), cast(:fen as bigint[]), cast(:causes as uuid[])) as u"
        ),
        {
            "ids": [drawing_id for drawing_id, _ in drawn],
            "plans": [offer.plan_id for _, offer in drawn],
            "offers": [str(offer.offer_id) for _, offer in drawn],
            "fen": [offer.cost_fen for _, offer in drawn],
            "causes": list(causes),
            "person": tx.actor.id,
            "now": tx.now,
        },
    )


def settle_drawings(tx: Tx, used: Mapping[UUID, int], causes: Sequence[UUID]) -> None:
    """What each drawing cost in fen, by its id; `causes` are the events that told it, in the same order."""
    tx.conn.execute(
        text(
            "update promotion_drawings d set used_fen = u.fen, settled_event_id = u.cause, settled_at = :now"
            " from unnest(cast(:ids as uuid[]), cast(:used as bigint[]), cast(:causes as uuid[]))"
            " as u(id, fen, cause) where d.drawing_id = u.id"
        ),
        {"ids": list(used), "used": list(used.values()), "causes": list(causes), "now": tx.now},
    )


def resettle_drawing(tx: Tx, drawing_id: UUID, used_fen: int | None) -> None:
    """What it cost as no event says it: 0 frees it, None opens it again."""
    tx.conn.execute(
        update(drawings)
        .where(drawings.c.drawing_id == drawing_id)
        .values(used_fen=used_fen, settled_at=None if used_fen is None else tx.now, settled_event_id=None)
    )


def drawings_of(tx: Tx, drawing_ids: Sequence[UUID]) -> list[Drawing]:
    """Those that there are, in the order of their ids."""
    return _drawings(tx, drawings.c.drawing_id == any_(literal(drawing_ids, ARRAY(Uuid))))


def drawings_touched_by(tx: Tx, event_ids: Collection[UUID]) -> list[Drawing]:
    """What these events drew or settled, in the order of their ids."""
    return _drawings(tx, _touched_by(event_ids))


def plans_touched_by(tx: Tx, event_ids: Collection[UUID]) -> set[UUID]:
    """The plans on which these events drew or settled something."""
    return set(tx.conn.execute(select(drawings.c.plan_id).where(_touched_by(event_ids))).scalars())


def _touched_by(event_ids: Collection[UUID]) -> ColumnElement[bool]:
    return drawings.c.cause_event_id.in_(event_ids) | drawings.c.settled_event_id.in_(event_ids)


def _drawings(tx: Tx, wanted: ColumnElement[bool]) -> list[Drawing]:
    columns = [drawings.c[each.name] for each in fields(Drawing)]
    rows = tx.conn.execute(select(*columns).where(wanted).order_by(drawings.c.drawing_id)).all()
    return [Drawing(*row) for row in rows]
