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
from customers.loyalty.rules import Earning
from shared.events import Envelope

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
        for row in cursor.execute(_LOCK, columns_of(rows))
    }


def save_point_sales(cursor: Cursor[Any], heads: Sequence[PointSale]) -> None:
    rows = [(each.sale_id, each.customer_id, each.branch_id, each.version, each.expires_on) for each in heads]
    cursor.execute(_SAVE, columns_of(rows))


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
    return {row[0] for row in cursor.execute(_ADD_REFUNDS, columns_of(rows))}


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


def columns_of(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows turned into one array per column, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)]


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


def hold_sales(conn: Connection, sale_ids: Sequence[str]) -> None:
    """Hold the heads of these sales until the transaction ends: a refund that is heard meanwhile waits."""
    conn.execute(
        text("select 1 from point_sales where sale_id = any(:ids) order by sale_id for update"),
        {"ids": list(sale_ids)},
    )


def looked_at(conn: Connection, sale_ids: Sequence[str]) -> None:
    """Nobody needs to see again what of these sales expires."""
    conn.execute(
        text("update point_sales set look_on = null where sale_id = any(:ids) and look_on is not null"),
        {"ids": list(sale_ids)},
    )


def look_again(conn: Connection, customer_id: str | None) -> None:
    """Points that came back may be past their day."""
    if customer_id is not None:
        conn.execute(text("insert into point_checks (customer_id) values (:id)"), {"id": customer_id})


def next_version(conn: Connection, account: str) -> int:
    """The number of the next fact told of an account that the caller holds."""
    counted: int = conn.execute(
        text("update point_accounts set version = version + 1 where customer_id = :id returning version"),
        {"id": account},
    ).scalar_one()
    return counted


def add_expiry(
    conn: Connection, expiry_id: UUID, account: str, shares: Sequence[tuple[str, int]], on: date
) -> None:
    """What expires of an account on a day: points by sale."""
    conn.execute(
        text(
            "insert into point_expiries (expiry_id, sale_id, customer_id, points, expired_on)"
            " values (:expiry_id, :sale_id, :account, :points, :on)"
        ),
        [
            {"expiry_id": expiry_id, "sale_id": sale_id, "account": account, "points": points, "on": on}
            for sale_id, points in shares
        ],
    )


def due_accounts(conn: Connection, today: date, limit: int) -> list[str]:
    """Accounts with a lot past its day, and those to which points came back; the latter's notes are torn up."""
    noted = conn.execute(
        text(
            "delete from point_checks where id in"
            " (select id from point_checks order by id limit :limit for update skip locked)"
            " returning customer_id"
        ),
        {"limit": limit},
    )
    due = set(noted.scalars())
    rows = conn.execute(
        text(
            "select distinct customer_id from (select customer_id from point_sales where look_on <= :today"
            " order by look_on, sale_id limit :limit) as due where customer_id is not null"
        ),
        {"today": today, "limit": limit},
    )
    return sorted(due | set(rows.scalars()))
