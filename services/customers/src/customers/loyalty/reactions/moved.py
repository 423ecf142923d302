"""What sales and refunds do to points, a batch of events at a time.

A batch costs a handful of statements whatever its size. Sales without a customer, of an institution (which never
earns, G17) or below one point leave no trace. Any order and any duplicates give the same tables: a sale line's
earning and a refund's amounts are facts written once, and a refund that comes before its sale waits for it.
Source: C38, I13
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Cursor

from customers import master
from customers.loyalty import events, rules
from customers.loyalty.model import KnownSale, Refund, RefundPaid, SalePosted
from customers.loyalty.store import points, redemptions
from customers.loyalty.store.points import PointSale
from customers.loyalty.store.redemptions import Restoration, Use
from shared import outbox
from shared.clock import business_date
from shared.events import Envelope, Event
from shared.transaction import Tx

SUBSCRIPTIONS: dict[str, type[Struct]] = {
    "finance.sale.posted.v1": SalePosted,
    "finance.refund.paid.v1": RefundPaid,
}


@dataclass(slots=True, kw_only=True)
class _EarningSale:
    """A sale that earns: its event, what it says, and the points of its lines."""

    envelope: Envelope
    sale: SalePosted
    earnings: list[rules.Earning]


@dataclass(slots=True)
class _Outgoing:
    """Outbox rows, each under the trace of the event that caused it."""

    tx: Tx
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, cause: Envelope, event: Event) -> None:
        self.rows.append(outbox.row_caused_by(self.tx, cause, event))


def handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Apply fresh events of finance. Raises msgspec.ValidationError: the culprit is parked."""
    sales, refunds, uses = _read(envelopes)
    if not sales and not refunds and not uses:
        return
    cursor: Cursor[Any] = tx.conn.connection.driver_connection.cursor()  # type: ignore[union-attr]
    institutions = master.institutions_among(
        cursor, {each.sale.customer_id for each in sales if each.sale.customer_id}
    )
    sales = [each for each in sales if each.sale.customer_id not in institutions]
    out = _Outgoing(tx)
    if sales or refunds:
        _book(cursor, out, sales, refunds)
    restorations = [each for envelope, fact in refunds for each in _restorations(envelope, fact)]
    uses += [
        Use(each.redemption_id, fact.sale_id, envelope, is_sale=False)
        for envelope, fact in refunds
        for each in _restorations(envelope, fact)
    ]
    taken_again = redemptions.settle_redemptions(cursor, uses, restorations)
    given_up = redemptions.times_given_up(tx.conn, [use.redemption_id for use, _ in taken_again])
    for use, restored in taken_again:
        fact = events.points_taken_again(
            redemption_id=use.redemption_id,
            customer_id=restored.customer_id,
            branch_id=restored.branch_id,
            sale_id=use.sale_id,
            points=restored.points,
            version=3 + 2 * given_up[use.redemption_id],
            on=business_date(tx.now),
        )
        out.add(use.cause, fact)
    if out.rows:
        outbox.write_rows(cursor, tx, out.rows)


def _read(
    envelopes: Sequence[Envelope],
) -> tuple[list[_EarningSale], list[tuple[Envelope, RefundPaid]], list[Use]]:
    uses: list[Use] = []
    sales: list[_EarningSale] = []
    refunds: list[tuple[Envelope, RefundPaid]] = []
    for envelope in envelopes:
        shape = SUBSCRIPTIONS.get(envelope.type)
        if shape is None:
            continue
        fact = msgspec.convert(envelope.data, shape)
        if isinstance(fact, RefundPaid):
            refunds.append((envelope, fact))
        elif isinstance(fact, SalePosted) and fact.customer_id is not None:
            uses += [
                Use(each.redemption_id, fact.sale_id, envelope, is_sale=True)
                for each in fact.tenders
                if each.redemption_id is not None
            ]
            earnings = _earnings(envelope, fact)
            if earnings:
                sales.append(_EarningSale(envelope=envelope, sale=fact, earnings=earnings))
    return sales, refunds, uses


def _restorations(envelope: Envelope, refund: RefundPaid) -> Iterator[Restoration]:
    """The points part of a refund; one per redemption, which is one per sale."""
    for each in refund.tenders:
        if each.redemption_id is not None:
            yield Restoration(
                refund_id=refund.refund_id,
                redemption_id=each.redemption_id,
                return_id=refund.return_id,
                points=each.points,
                day=envelope.day,
                source_seq=envelope.seq,
                cause_event_id=envelope.event_id,
            )


def _earnings(envelope: Envelope, sale: SalePosted) -> list[rules.Earning]:
    rule = rules.earning_rule(envelope.day)
    if rule is None:
        return []
    excluded_fen = sum(each.fen for each in sale.tenders if each.tender in rule.excluded_tenders)
    lines = [(line.line_id, line.net_fen + line.tax_fen) for line in sale.lines]
    return rules.earn(lines, excluded_fen, rule.fen_per_point)


def _book(
    cursor: Cursor[Any],
    out: _Outgoing,
    sales: Sequence[_EarningSale],
    refunds: Sequence[tuple[Envelope, RefundPaid]],
) -> None:
    """Write the facts under the lock of every sale touched, then settle the sales that have refunds."""
    by_sale = {each.sale.sale_id: each for each in sales}
    heads = points.lock_point_sales(
        cursor,
        [(each.sale, rules.points_expire_on(each.envelope.day)) for each in by_sale.values()],
        {fact.sale_id for _, fact in refunds},
    )
    fresh = [each for sale_id, each in by_sale.items() if heads[sale_id].is_unsold]
    points.add_earnings(
        cursor, [(each.envelope, each.sale, earning) for each in fresh for earning in each.earnings]
    )
    for each in fresh:
        out.add(each.envelope, _earned(each))
    new_refunds = points.add_refunds(cursor, refunds)
    late = {each.sale.sale_id: each for each in fresh if not heads[each.sale.sale_id].is_new}
    for sale_id, each in late.items():
        heads[sale_id].sold(each.sale, rules.points_expire_on(each.envelope.day))
    touched = sorted(
        late.keys()
        | {
            fact.sale_id
            for envelope, fact in refunds
            if envelope.event_id in new_refunds and heads[fact.sale_id].customer_id
        }
    )
    if not touched:
        return
    causes = {envelope.event_id: envelope for envelope, _ in refunds}
    for known in points.read_known_sales(cursor, touched):
        came_late = late.get(known.sale_id)
        due = [each for each in known.refunds if came_late or each.event_id in new_refunds]
        for refund, event in _taken_back(heads[known.sale_id], known, due):
            cause = causes.get(refund.event_id) or (came_late.envelope if came_late else None)
            assert cause is not None, "a refund is settled by its own event or by its sale's"
            out.add(cause, event)
    points.save_point_sales(cursor, [heads[sale_id] for sale_id in touched])


def _taken_back(head: PointSale, known: KnownSale, due: Sequence[Refund]) -> Iterator[tuple[Refund, Event]]:
    """One event per due refund, in the order of finance; together they take back what all refunds must."""
    assert head.customer_id is not None
    assert head.branch_id is not None
    due_ids = {each.event_id for each in due}
    refunded: dict[str, int] = {}
    for each in known.refunds:
        if each.event_id not in due_ids:
            _, refunded = rules.take_back((), refunded, each.lines)
    reversed_before, _ = rules.take_back(known.earnings, {}, refunded)
    left = sum(each.points for each in known.earnings) - known.expired
    left -= min(reversed_before, left)
    for each in due:
        points, refunded = rules.take_back(known.earnings, refunded, each.lines)
        points = min(points, left)  # what has expired is gone already
        left -= points
        head.version += 1
        yield (
            each,
            events.points_taken_back(
                customer_id=head.customer_id,
                branch_id=head.branch_id,
                sale_id=head.sale_id,
                return_id=each.return_id,
                points=points,
                version=head.version,
                on=each.day,
            ),
        )


def _earned(each: _EarningSale) -> Event:
    assert each.sale.customer_id is not None
    return events.points_earned(
        customer_id=each.sale.customer_id,
        branch_id=each.sale.branch_id,
        sale_id=each.sale.sale_id,
        points=sum(earning.points for earning in each.earnings),
        money_basis_fen=sum(earning.basis_fen for earning in each.earnings),
        on=each.envelope.day,
    )
