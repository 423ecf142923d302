"""Redeem points under the lock of their account, give back what nobody used, let expire what is past its day.

Locks are taken in one order: accounts, then sales, each by its id; a redemption is locked last. A sale that used
a redemption is heard from finance (`customers.reactions`). Source: C38, G17, I13
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from customers import master
from customers.kernel.customer import CustomerAnonymised, NotAPatient
from customers.loyalty import events, queries, rules
from customers.loyalty.model import Redemption
from customers.loyalty.queries import redemption
from customers.loyalty.rules import (
    PointsInsufficient,
    PointsNotYetKnown,
    ReceiptHasRedemption,
    RedemptionAlreadyGivenBack,
    RedemptionAlreadyUsed,
)
from customers.loyalty.store import points as ledger
from customers.loyalty.store import redemptions
from shared import audit, awaited, outbox
from shared.clock import business_date, new_id
from shared.database import driver_of
from shared.events import Envelope, Event
from shared.transaction import Tx

SALE_POSTED = "finance.sale.posted.v1"
CANCELLED = "cancelled"
NOT_USED = "not_used"


def redeem(tx: Tx, *, customer_id: UUID, branch_id: str, receipt_number: str, points: int) -> dict[str, Any]:
    """Set `points` of the patient aside for a receipt of the branch; a point is worth what the day's rule says.

    Points may be redeemed in any branch, whichever the patient's own is. Raises CustomerNotFound, NotAPatient,
    CustomerAnonymised, ReceiptHasRedemption, PointsInsufficient, PointsNotYetKnown.
    """
    tx.actor.require_branch(branch_id)
    customer = master.row_of(tx.conn, customer_id)
    if customer.kind != "patient":
        raise NotAPatient("institutions have no points")
    if customer.status == "anonymised":
        raise CustomerAnonymised("this customer was anonymised")
    account, today = str(customer_id), business_date(tx.now)
    rule = rules.redemption_rule(today)
    ledger.lock_accounts(tx.conn, [account])
    taken = _consume(tx, account, points, today)
    redemption_id = new_id()
    set_aside(
        tx,
        {
            "id": redemption_id,
            "customer_id": account,
            "branch_id": branch_id,
            "receipt_number": receipt_number,
            "points": points,
            "value_fen": points * rule.fen_per_point,
            "today": today,
            "restore_at": tx.now + rule.restore_after,
        },
        [(lot.sale_id, part) for lot, part in taken],
    )
    return redemption(tx, redemption_id)


def set_aside(
    tx: Tx, row: dict[str, Any], shares: Sequence[tuple[str, int]], *, cause: Envelope | None = None
) -> None:
    """Keep and tell a redemption of points of these sales; the caller holds the account. Raises ReceiptHasRedemption.

    `cause` is the event that made it, where no person asked for it.
    """
    if not redemptions.add_redemption(tx, {**row, "now": tx.now, "actor": tx.actor.id}):
        raise ReceiptHasRedemption("points were redeemed for this receipt before")
    redemptions.add_lots(tx.conn, row["id"], shares)
    fact = events.points_redeemed(
        redemption_id=row["id"],
        customer_id=row["customer_id"],
        branch_id=row["branch_id"],
        receipt_number=row["receipt_number"],
        points=row["points"],
        value_fen=row["value_fen"],
        lots=shares,
        on=row["today"],
    )
    told = outbox.row_of(tx, fact) if cause is None else outbox.row_caused_by(tx, cause, fact)
    with driver_of(tx.conn) as driver:
        outbox.write_rows(driver.cursor(), tx, [told])
    audit.record(tx, "points.redeemed", str(row["id"]), after=fact.data)


def _consume(tx: Tx, account: str, points: int, today: date) -> list[rules.Share]:
    """What is too few now may be enough once the sale of a moment ago has been heard of."""
    try:
        return rules.consume(queries.point_lots(tx.conn, account), points, today)
    except PointsInsufficient as refusal:
        if awaited.is_unknown(tx, "finance", f"points {account}", types=[SALE_POSTED]):
            raise
        raise PointsNotYetKnown(
            "finance has news that is still on its way", retry_after_s=2, **refusal.context
        ) from refusal


def cancel(tx: Tx, redemption_id: UUID) -> dict[str, Any]:
    """Give the points back: the receipt will not be paid with them.

    Raises RedemptionNotFound, ForeignBranch, RedemptionAlreadyUsed, RedemptionAlreadyGivenBack.
    """
    held = redemptions.hold_redemption(tx, redemption_id)
    if held.state == "used":
        raise RedemptionAlreadyUsed("a sale was paid with it", sale_id=held.sale_id)
    if held.state == "restored":
        raise RedemptionAlreadyGivenBack("its points were given back", cause=held.restored_cause)
    _give_back(tx, held, CANCELLED)
    return redemption(tx, redemption_id)


def restore_unused(tx: Tx, limit: int) -> int:
    """Give back the points of at most `limit` redemptions that no sale used in time; returns how many."""
    unused = redemptions.hold_unused(tx.conn, tx.now, limit)
    for each in unused:
        _give_back(tx, each, NOT_USED)
    return len(unused)


def _give_back(tx: Tx, held: Redemption, cause: str) -> None:
    redemptions.restore(tx, held.redemption_id, cause=cause, on=business_date(tx.now))
    ledger.look_again(tx.conn, held.customer_id)
    fact = restored(tx, held, cause)
    outbox.append(tx, fact)
    audit.record(tx, "points.restored", str(held.redemption_id), after=fact.data)


def restored(tx: Tx, held: Redemption, cause: str, version: int = 2) -> Event[events.PointsRestored]:
    """The fact, of today, that the points of a redemption went back."""
    return events.points_restored(
        redemption_id=held.redemption_id,
        customer_id=held.customer_id,
        branch_id=held.branch_id,
        points=held.points,
        lots=[(lot["sale_id"], lot["points"]) for lot in queries.lots_of(tx.conn, held.redemption_id)],
        cause=cause,
        on=business_date(tx.now),
        version=version,
    )


def expire(tx: Tx, limit: int) -> int:
    """Let expire what is past its day in at most `limit` accounts; returns how many were looked at."""
    today = business_date(tx.now)
    accounts = ledger.due_accounts(tx.conn, today, limit)
    if not accounts:
        return 0
    ledger.lock_accounts(tx.conn, accounts)
    past = {
        account: [lot.sale_id for lot in queries.point_lots(tx.conn, account) if lot.is_past(today)]
        for account in accounts
    }
    sale_ids = sorted(sale_id for each in past.values() for sale_id in each)
    ledger.hold_sales(tx.conn, sale_ids)
    for account in accounts:
        _expire_account(tx, account, today)
    ledger.looked_at(tx.conn, sale_ids)
    return len(accounts)


def _expire_account(tx: Tx, account: str, today: date) -> None:
    shares = rules.expiring(queries.point_lots(tx.conn, account), today)
    if not shares:
        return
    expiry_id = new_id()
    version = ledger.next_version(tx.conn, account)
    ledger.add_expiry(tx.conn, expiry_id, account, [(lot.sale_id, part) for lot, part in shares], today)
    fact = events.points_expired(
        expiry_id=expiry_id,
        customer_id=account,
        lots=[(lot.sale_id, lot.branch_id, points) for lot, points in shares],
        version=version,
        on=today,
    )
    outbox.append(tx, fact)
    audit.record(tx, "points.expired", account, after=fact.data)
