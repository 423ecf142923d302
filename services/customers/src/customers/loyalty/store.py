"""The facts of sales and refunds that points are computed from, and the statements that write them.

Statements take whole batches as arrays; rows are written once and never changed, but for the head of a sale,
whose row is the lock that keeps a sale and its refunds, delivered to two consumers at once, from missing each
other. Heads are locked in the order of their ids, so consumers wait for one another and never deadlock.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import Cursor
from sqlalchemy import Connection, text

from customers.loyalty.model import KnownSale, Refund, RefundPaid, SalePosted
from customers.loyalty.rules import Earning, RedemptionUnheardOf, given_back
from shared.events import Envelope
from shared.transaction import Tx

NOT_LOST = (
    "not exists (select from point_corrections c where c.event_id = r.cause_event_id and c.kind = 'refund')"
)
"""Of a refund or restoration `r`: finance's log still has its event."""

_LOCK = """
    insert into point_sales as head (sale_id, customer_id, branch_id, version, expires_on, look_on)
    select u.sale_id, u.customer_id, u.branch_id, u.version, u.expires_on, u.expires_on + 1
    from unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::date[])
        as u(sale_id, customer_id, branch_id, version, expires_on)
    order by u.sale_id
    on conflict (sale_id) do update set sale_id = excluded.sale_id
    returning sale_id, customer_id, branch_id, version, xmax = 0
"""
_SAVE = """
    update point_sales head set customer_id = u.customer_id, branch_id = u.branch_id, version = u.version,
        expires_on = coalesce(head.expires_on, u.expires_on),
        look_on = case when head.expires_on is null then u.expires_on + 1 else head.look_on end
    from unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::date[])
        as u(sale_id, customer_id, branch_id, version, expires_on)
    where head.sale_id = u.sale_id
"""
_COPY_EARNINGS = """
    copy point_earnings (sale_id, sale_line_id, customer_id, branch_id, day, source_seq, cause_event_id,
        gross_fen, basis_fen, points) from stdin
"""
_ADD_REFUNDS = f"""
    insert into point_refunds (refund_id, sale_line_id, sale_id, return_id, day, source_seq, cause_event_id,
        refunded_fen)
    select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::date[], %s::bigint[], %s::uuid[],
        %s::bigint[]) as u(refund_id, sale_line_id, sale_id, return_id, day, source_seq, cause_event_id, refunded_fen)
    where not exists (
        select from point_refunds r where r.refund_id = u.refund_id and r.cause_event_id <> u.cause_event_id
            and {NOT_LOST})
    on conflict do nothing
    returning cause_event_id
"""
_EARNINGS = """
    select sale_id, sale_line_id, gross_fen, basis_fen, points
    from point_earnings where sale_id = any(%s) order by sale_id, sale_line_id
"""
_REFUNDS = f"""
    select sale_id, cause_event_id, return_id, day, sale_line_id, refunded_fen from point_refunds r
    where sale_id = any(%s)
        and {NOT_LOST}
    order by source_seq, refund_id
"""

_EXPIRED = """
    select sale_id, sum(points)::bigint from point_expiries where sale_id = any(%s) group by sale_id
"""
_REDEMPTIONS = """
    select redemption_id, points, sale_id, state, customer_id, branch_id from point_redemptions
    where redemption_id = any(%s)
    order by redemption_id for update
"""
_ADD_RESTORATIONS = f"""
    insert into point_restorations (refund_id, redemption_id, return_id, points, day, source_seq, cause_event_id)
    select * from unnest(%s::text[], %s::uuid[], %s::text[], %s::bigint[], %s::date[], %s::bigint[], %s::uuid[]) as u(
        refund_id, redemption_id, return_id, points, day, source_seq, cause_event_id)
    where not exists (
        select from point_restorations r where r.refund_id = u.refund_id and r.cause_event_id <> u.cause_event_id
            and {NOT_LOST})
    on conflict do nothing
"""
_USE = """
    update point_redemptions r set state = 'used', sale_id = u.sale_id, used_on = least(r.used_on, u.day),
        used_event_id = case when u.is_sale or r.used_event_id is null then u.event_id else r.used_event_id end
    from unnest(%s::uuid[], %s::text[], %s::date[], %s::uuid[], %s::boolean[])
        as u(redemption_id, sale_id, day, event_id, is_sale)
    where r.redemption_id = u.redemption_id
"""
_LOTS_OF_REDEMPTIONS = f"""
    select redemption_id, array_agg(points order by no),
        (select coalesce(sum(r.points), 0)::bigint from point_restorations r
            where r.redemption_id = l.redemption_id and {NOT_LOST})
    from point_redemption_lots l where redemption_id = any(%s) group by redemption_id order by redemption_id
"""
_GIVE_BACK = """
    update point_redemption_lots l set given_back = u.points
    from unnest(%s::uuid[], %s::int[], %s::bigint[]) as u(redemption_id, no, points)
    where l.redemption_id = u.redemption_id and l.no = u.no
"""
_CHECK = """
    insert into point_checks (customer_id)
    select distinct customer_id from point_redemptions where redemption_id = any(%s)
"""


@dataclass(slots=True, kw_only=True)
class PointSale:
    """The head of a sale: whose it is once the sale is known, and how many facts were published about its points."""

    sale_id: str
    customer_id: str | None
    branch_id: str | None
    version: int
    expires_on: date | None = None
    """Of a sale that has come after its refund."""

    is_new: bool
    """The row was made by this statement; if not, the sale or a refund of it was here before."""

    @property
    def is_unsold(self) -> bool:
        """The sale itself was not known before this batch."""
        return self.is_new or self.customer_id is None

    def sold(self, sale: SalePosted, expires_on: date | None) -> None:
        """The sale has come after its refund."""
        self.customer_id, self.branch_id, self.version = sale.customer_id, sale.branch_id, 1
        self.expires_on = expires_on


def lock_point_sales(
    cursor: Cursor[Any], sales: Sequence[tuple[SalePosted, date | None]], refunded: Collection[str]
) -> dict[str, PointSale]:
    """Make or lock the heads of the sales and of the refunded sales, held until the transaction ends.

    Of a sale is said until which day its points may be used, None: for ever.
    """
    rows: list[tuple[str, str | None, str | None, int, date | None]] = [
        (sale.sale_id, sale.customer_id, sale.branch_id, 1, expires_on) for sale, expires_on in sales
    ]
    sold = {sale.sale_id for sale, _ in sales}
    rows.extend((sale_id, None, None, 0, None) for sale_id in set(refunded) - sold)
    return {
        row[0]: PointSale(sale_id=row[0], customer_id=row[1], branch_id=row[2], version=row[3], is_new=row[4])
        for row in cursor.execute(_LOCK, _columns(rows))
    }


def save_point_sales(cursor: Cursor[Any], heads: Sequence[PointSale]) -> None:
    rows = [(each.sale_id, each.customer_id, each.branch_id, each.version, each.expires_on) for each in heads]
    cursor.execute(_SAVE, _columns(rows))


def add_earnings(cursor: Cursor[Any], rows: Sequence[tuple[Envelope, SalePosted, Earning]]) -> None:
    """Write what sale lines earned; the caller holds the heads and knows that the sales are new."""
    if not rows:
        return
    with cursor.copy(_COPY_EARNINGS) as copy:
        for envelope, sale, earning in rows:
            copy.write_row(
                (
                    sale.sale_id,
                    earning.line_id,
                    sale.customer_id,
                    sale.branch_id,
                    envelope.day,
                    envelope.seq,
                    envelope.event_id,
                    earning.gross_fen,
                    earning.basis_fen,
                    earning.points,
                )
            )


def add_refunds(cursor: Cursor[Any], refunds: Sequence[tuple[Envelope, RefundPaid]]) -> set[UUID]:
    """Write what was refunded per sale line; return the ids of the events that were not here before.

    A refund counts once; one that finance's log lost counts again when it is paid again. A refund may name a sale line several times, once per lot and disposition: their amounts are summed.
    """
    rows = [
        (
            fact.refund_id,
            line_id,
            fact.sale_id,
            fact.return_id,
            envelope.day,
            envelope.seq,
            envelope.event_id,
            refunded_fen,
        )
        for envelope, fact in refunds
        for line_id, refunded_fen in _refunded_per_line(fact).items()
    ]
    if not rows:
        return set()
    return {row[0] for row in cursor.execute(_ADD_REFUNDS, _columns(rows))}


def _refunded_per_line(fact: RefundPaid) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in fact.lines:
        sums[line.sale_line_id] = sums.get(line.sale_line_id, 0) + line.net_fen + line.tax_fen
    return sums


def read_known_sales(cursor: Cursor[Any], sale_ids: Sequence[str]) -> Iterator[KnownSale]:
    """What these sales earned and every refund of theirs, in the order of `sale_ids`."""
    expired: dict[str, int] = dict(cursor.execute(_EXPIRED, (list(sale_ids),)).fetchall())
    known = {
        each: KnownSale(sale_id=each, earnings=[], refunds=[], expired=expired.get(each, 0))
        for each in sale_ids
    }
    for sale_id, line_id, gross_fen, basis_fen, points in cursor.execute(_EARNINGS, (list(sale_ids),)):
        known[sale_id].earnings.append(Earning(line_id, gross_fen, basis_fen, points))
    by_id: dict[UUID, Refund] = {}
    for sale_id, event_id, return_id, day, line_id, refunded_fen in cursor.execute(
        _REFUNDS, (list(sale_ids),)
    ):
        if event_id not in by_id:
            by_id[event_id] = Refund(event_id=event_id, return_id=return_id, day=day, lines={})
            known[sale_id].refunds.append(by_id[event_id])
        by_id[event_id].lines[line_id] = refunded_fen
    yield from known.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A sale that was paid with a redemption, as the sale or a refund of it tells."""

    redemption_id: UUID
    sale_id: str
    day: date
    cause: Envelope
    is_sale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenAgain:
    """A redemption whose points we had given back although a sale had used it."""

    use: Use
    customer_id: str
    branch_id: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """Points of a redemption that a refund of its sale gives back."""

    refund_id: str
    redemption_id: UUID
    return_id: str
    points: int
    day: date
    source_seq: int
    cause_event_id: UUID


_Used = tuple[str, date, UUID, bool]
"""Of a redemption that is used: the sale, its first day, the event that told it, whether that is the sale's own."""


def settle_redemptions(
    cursor: Cursor[Any], uses: Sequence[Use], restorations: Sequence[Restoration]
) -> list[TakenAgain]:
    """Write what finance said of redemptions; what their lots get back is a function of all that was said.

    Finance is the judge: a redemption it used is used, though we may have given its points back meanwhile, and
    they are taken again; those are returned, each once. Raises RedemptionUnheardOf.
    """
    ids = sorted({each.redemption_id for each in uses} | {each.redemption_id for each in restorations})
    again: dict[UUID, TakenAgain] = {}
    if not ids:
        return []
    found = {row[0]: row for row in cursor.execute(_REDEMPTIONS, (ids,))}
    for redemption_id in ids:
        if redemption_id not in found:
            raise RedemptionUnheardOf("no such redemption", redemption_id=str(redemption_id))
    used: dict[UUID, _Used] = {}
    for use in uses:
        _, points, sale_id, state, customer_id, branch_id = found[use.redemption_id]
        by = used[use.redemption_id][0] if use.redemption_id in used else sale_id
        if by not in {None, use.sale_id}:
            raise RedemptionUnheardOf("another sale used it", redemption_id=str(use.redemption_id))
        used[use.redemption_id] = _used(used.get(use.redemption_id), use)
        if state == "restored":
            known = TakenAgain(use=use, customer_id=customer_id, branch_id=branch_id, points=points)
            again.setdefault(use.redemption_id, known)
    if used:
        cursor.execute(_USE, _columns([(each, *used[each]) for each in sorted(used)]))
    if restorations:
        rows = [
            (
                each.refund_id,
                each.redemption_id,
                each.return_id,
                each.points,
                each.day,
                each.source_seq,
                each.cause_event_id,
            )
            for each in restorations
        ]
        cursor.execute(_ADD_RESTORATIONS, _columns(rows))
    settle_lots(cursor, ids)
    cursor.execute(_CHECK, (ids,))
    return list(again.values())


def times_given_up(conn: Connection, redemption_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often each was given back because the sale that took it again was lost: its facts are told in turn."""
    if not redemption_ids:
        return {}
    asked = text(
        "select id, count(c.redemption_id) from unnest(cast(:ids as uuid[])) as id left join point_corrections c"
        " on c.redemption_id = id and c.kind = 'use' and c.points > 0 group by id"
    )
    return {row[0]: row[1] for row in conn.execute(asked, {"ids": list(redemption_ids)})}


def _used(before: _Used | None, use: Use) -> _Used:
    """The event kept is the sale's own, whenever it is told; else the first that spoke of it."""
    if before is None:
        return use.sale_id, use.day, use.cause.event_id, use.is_sale
    _, day, event_id, is_sale = before
    if use.is_sale:
        event_id = use.cause.event_id
    return use.sale_id, min(day, use.day), event_id, is_sale or use.is_sale


def settle_lots(cursor: Cursor[Any], redemption_ids: Sequence[UUID]) -> None:
    """Spread what refunds gave back of redemptions, whose rows the caller holds, over their lots."""
    rows = []
    for redemption_id, lots, restored in cursor.execute(_LOTS_OF_REDEMPTIONS, (list(redemption_ids),)):
        if restored > sum(lots):
            raise RedemptionUnheardOf("more comes back than was redeemed", redemption_id=str(redemption_id))
        back = given_back(lots, restored)
        rows += [(redemption_id, no, points) for no, points in enumerate(back, 1)]
    if rows:
        cursor.execute(_GIVE_BACK, _columns(rows))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows turned into one array per column, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)]


def add_redemption(tx: Tx, row: dict[str, Any]) -> bool:
    """False when the receipt has one already that may still be, or was, used."""
    added = tx.conn.execute(
        text(
            "insert into point_redemptions (redemption_id, customer_id, branch_id, receipt_number, points,"
            " value_fen, state, redeemed_on, redeemed_at, redeemed_by, restore_at)"
            " select :id, :customer_id, :branch_id, :receipt_number, :points, :value_fen, 'open', :today, :now,"
            " :actor, :restore_at where not exists (select 1 from point_redemptions"
            " where branch_id = :branch_id and receipt_number = :receipt_number and state = 'used')"
            " on conflict (branch_id, receipt_number) where state = 'open' do nothing"
        ),
        row,
    )
    return bool(added.rowcount)


def add_lots(conn: Connection, redemption_id: UUID, shares: Sequence[tuple[str, int]]) -> None:
    conn.execute(
        text(
            "insert into point_redemption_lots (redemption_id, no, sale_id, points)"
            " values (:id, :no, :sale_id, :points)"
        ),
        [
            {"id": redemption_id, "no": no, "sale_id": sale_id, "points": points}
            for no, (sale_id, points) in enumerate(shares, 1)
        ],
    )


def lock_accounts(conn: Connection, accounts: Sequence[str]) -> None:
    """Make the accounts that are missing, and hold all until the transaction ends. `accounts` is sorted."""
    conn.execute(
        text(
            "insert into point_accounts (customer_id) select unnest(cast(:ids as text[]))"
            " on conflict (customer_id) do nothing"
        ),
        {"ids": list(accounts)},
    )
    conn.execute(
        text("select 1 from point_accounts where customer_id = any(:ids) order by customer_id for update"),
        {"ids": list(accounts)},
    )
