"""Points as a contract liability: at every instant 2204 = Σ points that are left × their value when earned.

Left is what was earned, less what was taken back, what expired and what paid sales, plus what refunds of such sales
gave back, and corrected by what makes lost events good. Facts come in batches, in any order, repeated or at once: the
same facts make the same tables and entries.
Redemptions alone book nothing: the sale that uses one does.
Source: regulations 3.0c (points earned, redeemed, expired), model 3.2, I28
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from finance import ledger, periods
from finance.book import book_of
from finance.points import rules
from finance.points.model import PointsRedeemed
from finance.points.rules import RedemptionLotsDiffer
from finance.points.store import told as store
from finance.points.store.told import Gone
from shared.clock import business_date
from shared.consumer import SetReaction, in_sets
from shared.database import driver_of
from shared.events import Envelope
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received

EARNED, TAKEN_BACK = "customers.points.earned.v1", "customers.points.taken_back.v1"
EXPIRED, CORRECTED = "customers.points.expired.v1", "customers.points.corrected.v1"


def on_moved(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Book what was earned, taken back, expired and corrected, a batch in a dozen statements whatever its size.

    What is gone is valued as it was earned; told before its sale it is kept, and booked with it. Two batches that
    tell of one sale must not miss each other: those that only earn share a lock that those that take away hold alone.
    Raises PointsExceedEarned, PeriodClosed.
    """
    told: dict[str, list[Envelope]] = {EARNED: [], TAKEN_BACK: [], EXPIRED: [], CORRECTED: []}
    for envelope in envelopes:
        told[envelope.type].append(envelope)
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        store.hold_points(cursor, only_earns=len(told[EARNED]) == len(envelopes))
        earned = store.add_earned(cursor, book_of(tx.conn).chart.standard, told[EARNED])
        new = store.add_taken_back(cursor, told[TAKEN_BACK]) | store.add_expired(cursor, told[EXPIRED])
        new |= store.add_corrected(cursor, told[CORRECTED])
        known = {row[0] for row in earned}
        gone = store.gone_of(cursor, known | {sale_id for sale_id, _ in new})
    store.require_enough(gone)
    movements = [
        _Movement("points_earned", sale_id, branch, day, worth * value)
        for sale_id, branch, worth, value, day in earned
    ]
    movements += [
        _movement_of(each) for each in gone if each.sale_id in known or (each.sale_id, each.cause) in new
    ]
    _post(tx, movements)


def _movement_of(each: Gone) -> "_Movement":
    source_id = _source(each.sale_id, each.cause)
    return _Movement(each.kind, source_id, each.branch_id, each.day, -each.points * each.fen_per_point)


def withdraw(
    tx: Tx, source: str, after: int, lost: Sequence[LostEvent], log: Iterator[Received]
) -> Iterator[dict[str, Any]]:
    """Make good what customers said of points and its log has lost.

    What it took back or let expire it will tell again under other events: it is given back by entries of today. A
    redemption that no sale used goes back; one that was used stays, because we are its judge, and customers takes
    it over from the sale. What sales earned is told again as it was, and is booked once.
    """
    gone = {each.event_id: each.seq for each in lost if each.comes_again_as is None}
    if source != "customers" or not gone:
        return
    events, today = list(gone), business_date(tx.now)
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        store.hold_points(cursor, only_earns=False)
        taken = store.taken_by(cursor, events)
        new = store.correct_lost(cursor, taken, today)
        every = store.gone_of(cursor, {each.sale_id for each in taken})
        given_up = store.give_up_unused(cursor, events, today)
        used = store.used_by_sales(cursor, events)
    corrections = [each for each in every if (each.sale_id, each.cause) in new]
    _post(tx, [_movement_of(each) for each in corrections if each.kind == "points_corrected"])
    for each in taken:
        yield {
            "given_back": "points",
            "sale_id": str(each.sale_id),
            "points": each.points,
            "caused_by_seq": gone[each.event_id],
        }
    for redemption_id in given_up:
        yield {"given_up": "redemption", "redemption_id": redemption_id}
    for redemption_id, sale_id, worth, customer_id in used:
        told = {
            "redemption_id": redemption_id,
            "sale_id": sale_id,
            "points": worth,
            "customer_id": customer_id,
        }
        yield {"stays": "redemption used", **told}


def on_redeemed(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep for which receipts points were set aside, and which; nothing is booked. Raises RedemptionLotsDiffer."""
    events: dict[UUID, tuple[PointsRedeemed, Envelope]] = {}
    for envelope in envelopes:
        event = msgspec.convert(envelope.data, PointsRedeemed)
        if sum(lot.points for lot in event.lots) != event.points:
            raise RedemptionLotsDiffer("the lots are not the points", redemption_id=str(event.redemption_id))
        events.setdefault(event.redemption_id, (event, envelope))
    with driver_of(tx.conn) as driver:
        store.add_redeemed(driver, events)


def on_restored(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep that redemptions went back, so that no sale uses them from now on; one that was used stays used."""
    with driver_of(tx.conn) as driver:
        store.add_restored(driver, envelopes)


def _source(sale_id: UUID, cause: str) -> UUID:
    """The same for every telling of the same fact."""
    return uuid5(NAMESPACE_URL, f"urn:apotheca:points:{sale_id}:{cause}")


class _Movement(NamedTuple):
    kind: str
    source_id: UUID
    branch_id: str
    day: date
    value_fen: int
    """What the liability grows by."""


def _post(tx: Tx, movements: Sequence[_Movement]) -> None:
    """An entry each; those worth nothing have none."""
    worth = [each for each in movements if each.value_fen]
    if not worth:
        return
    chart = book_of(tx.conn).chart
    days = periods.booking_days(tx, {each.day for each in worth})
    ledger.add_entries(
        tx,
        [
            ledger.NewEntry(
                booked_on=days[each.day][0],
                branch_id=each.branch_id,
                kind=each.kind,
                source_id=str(each.source_id),
                postings=(rules.earned if each.value_fen > 0 else rules.taken_back)(
                    chart, abs(each.value_fen)
                ),
                reference=days[each.day][1],
            )
            for each in worth
        ],
    )


SETS: dict[str, SetReaction] = {
    "customers.points.earned.v1": on_moved,
    "customers.points.taken_back.v1": on_moved,
    "customers.points.expired.v1": on_moved,
    "customers.points.corrected.v1": on_moved,
    "customers.points.redeemed.v1": on_redeemed,
    "customers.points.restored.v1": on_restored,
}
handle = in_sets(SETS)
