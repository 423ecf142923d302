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
from typing import Any
from uuid import UUID

import msgspec

from customers.loyalty import commands, events, queries, rules
from customers.loyalty.commands import SALE_POSTED
from customers.loyalty.model import KnownSale, Lost, Redemption, Refund, SalePosted
from customers.loyalty.rules import RedemptionUnheardOf
from customers.loyalty.store import lost as losses
from customers.loyalty.store import points as ledger
from customers.loyalty.store import redemptions
from customers.loyalty.store.points import PointSale
from shared import audit, outbox
from shared.clock import business_date
from shared.database import driver_of
from shared.events import Envelope
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received

SALES_PER_STEP = 1_000


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
    for redemption_id in losses.unknown_redemptions(tx.conn, used):
        envelope, fen = used[redemption_id]
        sale, rule = msgspec.convert(envelope.data, SalePosted), rules.redemption_rule(envelope.day)
        account, worth = str(sale.customer_id), fen // rule.fen_per_point
        ledger.lock_accounts(tx.conn, [account])
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
    sold = losses.lost_sales(tx.conn, seqs)
    touched = sorted(sold.keys() | losses.sales_refunded_by(tx.conn, seqs))
    for first in range(0, len(touched), SALES_PER_STEP):
        yield from _correct_sales(tx, seqs, sold, touched[first : first + SALES_PER_STEP])
    yield from _release(tx, seqs)


def _correct_sales(
    tx: Tx, seqs: Mapping[UUID, int], sold: Mapping[str, Lost], sale_ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    with driver_of(tx.conn) as driver:
        heads = ledger.lock_point_sales(driver.cursor(), [], sale_ids)
        every = list(ledger.read_known_sales(driver.cursor(), sale_ids))
    for known in every:
        head, sale = heads[known.sale_id], sold.get(known.sale_id)
        for refund, taken in _taken_by(known, seqs):
            gone = Lost("refund", refund.event_id, seqs[refund.event_id], refund.day, refund.return_id)
            yield from _correct(tx, head, gone, taken=taken, points=0 if sale else taken)
        if sale is not None:
            yield from _correct(tx, head, sale, taken=0, points=-_left(known))
        ledger.look_again(tx.conn, head.customer_id)
    with driver_of(tx.conn) as driver:
        ledger.save_point_sales(driver.cursor(), list(heads.values()))


def _correct(tx: Tx, head: PointSale, gone: Lost, *, taken: int, points: int) -> Iterator[dict[str, Any]]:
    losses.add_correction(
        tx, gone, sale_id=head.sale_id, customer_id=head.customer_id, taken=taken, points=points
    )
    if points:
        head.version += 1
        yield _tell(tx, head, gone, points)


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


def _tell(tx: Tx, head: PointSale, gone: Lost, points: int) -> dict[str, Any]:
    assert head.customer_id is not None
    assert head.branch_id is not None
    fact = events.points_corrected(
        customer_id=head.customer_id,
        branch_id=head.branch_id,
        sale_id=head.sale_id,
        return_id=gone.return_id,
        points=points,
        cause=f"{gone.kind}_lost",
        lost_event_id=gone.event_id,
        version=head.version,
        on=business_date(tx.now),
    )
    outbox.append(tx, fact)
    audit.record(tx, "points.corrected", head.sale_id, after=fact.data)
    return {"corrected_seq": gone.seq, **fact.data}


def _release(tx: Tx, seqs: Mapping[UUID, int]) -> Iterator[dict[str, Any]]:
    """Redemptions that lost sales used, and those of which lost refunds gave back."""
    restore_at = tx.now + rules.redemption_rule(business_date(tx.now)).restore_after
    for each in losses.hold_moved(tx.conn, seqs):
        use = _lost_use(each, seqs)
        went_back = use is not None and each.restored_at is not None
        if use is not None:
            assert each.sale_id is not None
            worth, owner = each.points if went_back else 0, each.customer_id
            losses.add_correction(tx, use, sale_id=each.sale_id, customer_id=owner, taken=worth, points=worth)
            losses.release(tx.conn, each.redemption_id, restore_at)
        if went_back:
            assert each.restored_cause is not None
            redemptions.give_all_back(tx.conn, each.redemption_id)
            version = 2 + 2 * redemptions.times_given_up(tx.conn, [each.redemption_id])[each.redemption_id]
            outbox.append(tx, commands.restored(tx, each, each.restored_cause, version))
        else:
            with driver_of(tx.conn) as driver:
                redemptions.settle_lots(driver.cursor(), [each.redemption_id])
        ledger.look_again(tx.conn, each.customer_id)
        if use is not None:
            state = "restored" if went_back else "open"
            audit.record(tx, "points.released", str(each.redemption_id), before="used", after=state)
            yield {
                "corrected_seq": use.seq,
                "redemption_id": str(each.redemption_id),
                "state": state,
                "points": each.points,
            }


def _lost_use(used: Redemption, seqs: Mapping[UUID, int]) -> Lost | None:
    """The lost event that used a redemption; None where only a refund of its sale was lost."""
    event_id = used.used_event_id
    if event_id is None or event_id not in seqs:
        return None
    assert used.used_on is not None
    return Lost("use", event_id, seqs[event_id], used.used_on, redemption_id=used.redemption_id)
