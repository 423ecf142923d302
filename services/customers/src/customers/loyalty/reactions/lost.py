"""What becomes of points when finance's log has lost events that moved them.

Promises: afterwards every balance is what the events that are left make it, and what the lost ones had done stands
in the ledger beside the entry that makes it good; nothing is deleted. Points of a lost sale go, whether they were
spent or not: the balance may become a debt, as when goods come back whose points were used. Points that a lost
refund took come back, and those that it gave back are used again. A redemption that a lost sale used is open again,
so that the till's second posting of that receipt can use it; was it given back before, it is given back again.
Finance and reporting hear of each change by `customers.points.corrected.v1`.

After our own log lost its end, a sale may have used a redemption that we have forgotten: finance is the judge, and
we take it over from the sale, out of the points that are first to expire.
Source: C38, I13, X3
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text

from customers.loyalty import commands, events, queries, rules
from customers.loyalty.commands import SALE_POSTED
from customers.loyalty.model import KnownSale, Refund, SalePosted
from customers.loyalty.queries import lots_of
from customers.loyalty.rules import RedemptionUnheardOf
from customers.loyalty.store import redemptions
from customers.loyalty.store.points import lock_accounts, read_known_sales
from shared import audit, outbox
from shared.clock import business_date
from shared.database import driver_of
from shared.events import Envelope
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received

_SALES = text(
    "select cause_event_id, sale_id, min(customer_id) as customer_id, min(branch_id) as branch_id, min(day) as day"
    " from point_earnings where cause_event_id = any(:lost) group by 1, 2"
)
_REFUNDED = text("select distinct sale_id from point_refunds where cause_event_id = any(:lost)")
_HEADS = text(
    "select sale_id, customer_id, branch_id, version from point_sales where sale_id = any(:ids)"
    " order by sale_id for update"
)
_USED = text(
    "select redemption_id, customer_id, branch_id, points, sale_id, used_on, used_event_id, restored_at,"
    " restored_cause, redeemed_on from point_redemptions where used_event_id = any(:lost) or redemption_id in"
    " (select redemption_id from point_restorations where cause_event_id = any(:lost))"
    " order by redemption_id for update"
)
_RELEASE = text(
    "update point_redemptions set state = case when restored_at is null then 'open' else 'restored' end,"
    " sale_id = null, used_on = null, used_event_id = null, restore_at = greatest(restore_at, :restore_at)"
    " where redemption_id = :id"
)
_UNKNOWN = text(
    "select id from unnest(cast(:ids as uuid[])) as id where exists (select from log_epochs)"
    " and not exists (select from point_redemptions where redemption_id = id)"
)
_ADD = text(
    "insert into point_corrections (event_id, kind, source_seq, sale_id, return_id, redemption_id, customer_id,"
    " taken, points, lost_day, corrected_on, corrected_at, corrected_by) values (:event_id, :kind, :seq, :sale_id,"
    " :return_id, :redemption_id, :customer_id, :taken, :points, :lost_day, :today, :now, :actor)"
)
SALES_PER_STEP = 1_000


class _Gone(NamedTuple):
    """A lost event and what it said of points: a sale's, a refund's, or the use of a redemption."""

    kind: str
    event_id: UUID
    seq: int
    lost_day: date
    return_id: str | None = None
    redemption_id: UUID | None = None


def take_over(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Set aside anew what these sales used and our log has lost; nothing in a log that was never set back.

    Raises RedemptionUnheardOf when other events of the batch may hold the points that are missing.
    """
    used = {
        UUID(tender["redemption_id"]): (envelope, tender["fen"])
        for envelope in envelopes
        if envelope.type == SALE_POSTED and envelope.data.get("customer_id")
        for tender in envelope.data["tenders"]
        if tender.get("redemption_id")
    }
    if not used:
        return
    for redemption_id in tx.conn.execute(_UNKNOWN, {"ids": sorted(used)}).scalars().all():
        envelope, fen = used[redemption_id]
        sale, rule = msgspec.convert(envelope.data, SalePosted), rules.redemption_rule(envelope.day)
        account, worth = str(sale.customer_id), fen // rule.fen_per_point
        lock_accounts(tx.conn, [account])
        lots = queries.point_lots(tx.conn, account)
        shares = rules.consume_or_owe(lots, worth)
        if not shares or (len(envelopes) > 1 and sum(lot.left for lot in lots) < worth):
            raise RedemptionUnheardOf("points of it are not known yet", redemption_id=str(redemption_id))
        row = {
            "id": redemption_id,
            "customer_id": account,
            "branch_id": sale.branch_id,
            "receipt_number": sale.receipt_number,
            "points": worth,
            "value_fen": fen,
            "today": envelope.day,
            "restore_at": tx.now + rule.restore_after,
        }
        commands.set_aside(tx, row, [(lot.sale_id, part) for lot, part in shares], cause=envelope)


def withdraw(
    tx: Tx, _source: str, _after: int, lost: Sequence[LostEvent], _log: Iterator[Received]
) -> Iterator[dict[str, Any]]:
    """Make good what these events of finance did to points; those that come again are none. Tells each change."""
    seqs = {each.event_id: each.seq for each in lost if each.comes_again_as is None}
    if not seqs:
        return
    ids = {"lost": list(seqs)}
    sold = {row.sale_id: row for row in tx.conn.execute(_SALES, ids)}
    touched = sorted(sold.keys() | set(tx.conn.execute(_REFUNDED, ids).scalars()))
    for first in range(0, len(touched), SALES_PER_STEP):
        yield from _correct_sales(tx, seqs, sold, touched[first : first + SALES_PER_STEP])
    yield from _release(tx, seqs)


def _correct_sales(
    tx: Tx, seqs: Mapping[UUID, int], sold: Mapping[str, Any], sale_ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    heads = {row.sale_id: row for row in tx.conn.execute(_HEADS, {"ids": list(sale_ids)})}
    with driver_of(tx.conn) as driver:
        every = list(read_known_sales(driver.cursor(), sale_ids))
    for known in every:
        head, sale = heads[known.sale_id], sold.get(known.sale_id)
        version = head.version
        for refund, taken in _taken_by(known, seqs):
            points = 0 if sale else taken
            gone = _Gone("refund", refund.event_id, seqs[refund.event_id], refund.day, refund.return_id)
            _add(tx, gone, head, taken=taken, points=points)
            if points:
                version += 1
                yield _tell(tx, head, gone, points, version)
        if sale is not None:
            left = _left(known)
            gone = _Gone("sale", sale.cause_event_id, seqs[sale.cause_event_id], sale.day)
            _add(tx, gone, head, taken=0, points=-left)
            if left:
                version += 1
                yield _tell(tx, head, gone, -left, version)
        tx.conn.execute(
            text(
                "update point_sales set version = :version where sale_id = :sale_id and version <> :version"
            ),
            {"version": version, "sale_id": known.sale_id},
        )
        _look_again(tx, head.customer_id)


def _taken_by(known: KnownSale, seqs: Mapping[UUID, int]) -> Iterator[tuple[Refund, int]]:
    """What each lost refund took, as if the lost ones were taken out one by one, the last first."""
    refunds = list(known.refunds)
    now = _taken(known, refunds)
    for refund in [each for each in reversed(refunds) if each.event_id in seqs]:
        refunds.remove(refund)
        after = _taken(known, refunds)
        yield refund, now - after
        now = after


def _taken(known: KnownSale, refunds: Sequence[Refund]) -> int:
    """What these refunds take back of the sale's points: never what has expired."""
    refunded: dict[str, int] = {}
    for each in refunds:
        _, refunded = rules.take_back((), refunded, each.lines)
    taken, _ = rules.take_back(known.earnings, {}, refunded)
    return min(taken, sum(each.points for each in known.earnings) - known.expired)


def _left(known: KnownSale) -> int:
    """What neither refunds took back nor has expired of the sale's points, whether it was spent or not."""
    return sum(each.points for each in known.earnings) - known.expired - _taken(known, known.refunds)


def _add(tx: Tx, gone: _Gone, row: Any, *, taken: int, points: int) -> None:
    """`row` says whose points of which sale they were."""
    values = {**gone._asdict(), "sale_id": row.sale_id, "customer_id": row.customer_id}
    when = {"today": business_date(tx.now), "now": tx.now, "actor": tx.actor.id}
    tx.conn.execute(_ADD, {**values, **when, "taken": taken, "points": points})


def _tell(tx: Tx, head: Any, gone: _Gone, points: int, version: int) -> dict[str, Any]:
    fact = events.points_corrected(
        customer_id=head.customer_id,
        branch_id=head.branch_id,
        sale_id=head.sale_id,
        return_id=gone.return_id,
        points=points,
        cause=f"{gone.kind}_lost",
        lost_event_id=gone.event_id,
        version=version,
        on=business_date(tx.now),
    )
    outbox.append(tx, fact)
    audit.record(tx, "points.corrected", head.sale_id, after=fact.data)
    return {"corrected_seq": gone.seq, **fact.data}


def _release(tx: Tx, seqs: Mapping[UUID, int]) -> Iterator[dict[str, Any]]:
    """Redemptions that lost sales used, and those of which lost refunds gave back."""
    restore_at = tx.now + rules.redemption_rule(business_date(tx.now)).restore_after
    for row in tx.conn.execute(_USED, {"lost": list(seqs)}).all():
        key = {"id": row.redemption_id}
        is_unused = row.used_event_id in seqs
        went_back = is_unused and row.restored_at is not None
        if is_unused:
            worth = row.points if went_back else 0
            gone = _Gone(
                "use", row.used_event_id, seqs[row.used_event_id], row.used_on, None, row.redemption_id
            )
            _add(tx, gone, row, taken=worth, points=worth)
            tx.conn.execute(_RELEASE, {**key, "restore_at": restore_at})
        if went_back:
            tx.conn.execute(
                text("update point_redemption_lots set given_back = points where redemption_id = :id"), key
            )
            outbox.append(tx, _restored_again(tx, row))
        else:
            with driver_of(tx.conn) as driver:
                redemptions.settle_lots(driver.cursor(), [row.redemption_id])
        _look_again(tx, row.customer_id)
        if is_unused:
            state = "restored" if went_back else "open"
            audit.record(tx, "points.released", str(row.redemption_id), before="used", after=state)
            yield {
                "corrected_seq": seqs[row.used_event_id],
                "redemption_id": str(row.redemption_id),
                "state": state,
                "points": row.points,
            }


def _restored_again(tx: Tx, row: Any) -> Any:
    return events.points_restored(
        redemption_id=row.redemption_id,
        customer_id=row.customer_id,
        branch_id=row.branch_id,
        points=row.points,
        lots=[(lot["sale_id"], lot["points"]) for lot in lots_of(tx.conn, row.redemption_id)],
        cause=row.restored_cause,
        on=business_date(tx.now),
        version=2 + 2 * redemptions.times_given_up(tx.conn, [row.redemption_id])[row.redemption_id],
    )


def _look_again(tx: Tx, customer_id: str | None) -> None:
    """Points that came back may be past their day."""
    if customer_id is not None:
        tx.conn.execute(
            text("insert into point_checks (customer_id) values (:customer_id)"), {"customer_id": customer_id}
        )
