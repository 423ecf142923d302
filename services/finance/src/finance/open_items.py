"""The sub-ledger of account 1122: every line on it has its open items, written in the same transaction.

An item is a debt (amount above 0) or a credit (below 0); the amounts of the items of an entry are its lines on
1122, so Σ amount = balance of 1122. Allocation moves as much off a debt as off a credit and never books, so
Σ open = Σ amount = balance of 1122, per branch, at every instant.
Source: F13, F15, F16, I28, model 3.2 (Receivable)
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, text

from finance.booking import Booked, book_of
from finance.events import receivable_settled
from finance.kernel import dated
from finance.kernel.posting import PostingLine
from finance.kernel.receipt import Receipt, Tender
from shared import outbox
from shared.errors import Conflict, NotFound
from shared.transaction import Tx


class ReceivableUnknown(NotFound):
    code = "receivable_unknown"


class AllocationNotPossible(Conflict):
    """The two items are not a credit and a debt of one customer in one branch."""

    code = "allocation_not_possible"


class AllocationExceedsOpen(Conflict):
    code = "allocation_exceeds_open"


class NewItem(Struct, frozen=True, kw_only=True):
    """An item to be written with an entry; `fen` above 0 is a debt."""

    fen: int
    due_on: date
    kind: str
    principal_id: UUID | None = None
    customer_id: str | None = None
    """Whose it is, where the entry is about several customers."""


class Item(Struct, frozen=True, kw_only=True):
    """An item as it stands, its row locked."""

    item_id: UUID
    customer_id: UUID
    branch_id: str
    kind: str
    source_id: UUID
    booked_on: date
    due_on: date
    amount_fen: int
    open_fen: int
    is_disputed: bool
    version: int


class Match(Struct, frozen=True, kw_only=True):
    """`fen` above 0 sets so much of the credit against the debt; below 0 takes it back."""

    credit_id: UUID
    debt_id: UUID
    fen: int
    undoes: UUID | None = None


# --- made with their entries ------------------------------------------------------------------------

_KINDS: Mapping[str, str] = {"refund_paid": "credit_note"}
_COLUMNS = "customer_id, branch_id, kind, source_id, instalment, booked_on, due_on, amount_fen, open_fen"

OF_ONE_SALE = f"""
, i as (
    insert into receivable_items ({_COLUMNS})
    select %(customer)s::uuid, %(branch)s, 'sale', %(sale)s::uuid, x.no, %(booked)s::date, x.due_on, x.fen, x.fen
    from r, receivable_instalments(%(terms_of)s::uuid, %(day)s::date, %(credit)s::bigint, %(terms)s::jsonb) x
)
"""
"""A further part of the sale's one statement, for sales with a credit tender alone."""

_OF_MANY_SALES = f"""
insert into receivable_items ({_COLUMNS})
select s.customer, s.branch, 'sale', s.sale, x.no, s.booked, x.due_on, x.fen, x.fen
from unnest(%s::uuid[], %s::text[], %s::uuid[], %s::date[], %s::date[], %s::bigint[], %s::jsonb[])
    as s(customer, branch, sale, booked, day, fen, terms),
    receivable_instalments(s.customer, s.day, s.fen, s.terms) x
"""


def credit_of(booked: Booked) -> int:
    """What the sale leaves to be paid, in fen."""
    return credit_in(booked.priced.receipt)


def credit_in(receipt: Receipt) -> int:
    """What the receipt leaves to be paid, in fen."""
    return sum(each.amount.fen for each in receipt.tenders if each.tender is Tender.CREDIT)


@lru_cache(maxsize=4_096)
def default_terms(day: date) -> str:
    """The instalments of a customer without terms of their own, on a business date, as JSON."""
    return json.dumps(dated.newest("credit_terms", day)["value"])


def add_for_sales(driver: psycopg.Connection[Any], booked: Sequence[Booked]) -> None:
    """The items of a bulk upload's sales; those that left nothing to be paid cost nothing."""
    rows = [
        (
            each.priced.receipt.customer_id,
            each.priced.receipt.branch_id,
            each.sale_id,
            each.booked_on,
            each.priced.business_date,
            fen,
            default_terms(each.priced.business_date),
        )
        for each in booked
        if (fen := credit_of(each))
    ]
    if rows:
        driver.execute(_OF_MANY_SALES, [list(column) for column in zip(*rows, strict=True)])


def add_for_entry(
    tx: Tx,
    *,
    booked_on: date,
    branch_id: str,
    kind: str,
    source_id: str,
    postings: Sequence[PostingLine],
    customer_id: str | None,
    items: Sequence[NewItem] | None,
) -> None:
    """The items of an entry: those given, else one per line on 1122, due at once."""
    receivables = book_of(tx.conn).chart.code("receivables")
    assert all(line.is_receivable == (line.account == receivables) for line in postings)
    lines = [line.debit_fen - line.credit_fen for line in postings if line.is_receivable]
    if items is None:
        items = [NewItem(fen=fen, due_on=booked_on, kind=_KINDS.get(kind, "other")) for fen in lines]
    assert sum(item.fen for item in items) == sum(lines), "the items of an entry are its lines on 1122"
    if not items:
        return
    assert customer_id or all(item.customer_id for item in items), "what is owed is owed by a customer"
    tx.conn.execute(
        text(
            f"insert into receivable_items ({_COLUMNS}, principal_id) values (:customer, :branch, :kind, :source,"
            " :no, :booked, :due, :fen, :fen, :principal)"
        ),
        [
            {
                "customer": item.customer_id or customer_id,
                "branch": branch_id,
                "kind": item.kind,
                "source": source_id,
                "no": no,
                "booked": booked_on,
                "due": item.due_on,
                "fen": item.fen,
                "principal": item.principal_id,
            }
            for no, item in enumerate(items, 1)
        ],
    )


# --- matching ---------------------------------------------------------------------------------------


def lock(conn: Connection, item_ids: Collection[UUID]) -> dict[UUID, Item]:
    """The items, locked until the transaction ends, always in the same order. Raises ReceivableUnknown."""
    rows = conn.execute(
        text(
            "select item_id, customer_id, branch_id, kind, source_id, booked_on, due_on, amount_fen, open_fen,"
            " disputed_at is not null as is_disputed, version"
            " from receivable_items where item_id = any(:ids) order by item_id for update"
        ),
        {"ids": list(item_ids)},
    ).mappings()
    found = {row["item_id"]: Item(**row) for row in rows}
    if len(found) < len(set(item_ids)):
        raise ReceivableUnknown("no such open item")
    return found


def lock_of_sales(conn: Connection, sale_ids: Collection[UUID]) -> None:
    """Lock the debts of these sales, in the order in which `lock` takes them."""
    conn.execute(
        text(
            "select 1 from receivable_items where source_id = any(:ids) and kind = 'sale' order by item_id for update"
        ),
        {"ids": list(sale_ids)},
    )


def of_source(conn: Connection, source_id: UUID | str, kind: str) -> list[UUID]:
    """The items that one document made, first due first."""
    rows = conn.execute(
        text(
            "select item_id from receivable_items where source_id = :source and kind = :kind"
            " order by due_on, instalment"
        ),
        {"source": source_id, "kind": kind},
    )
    return list(rows.scalars())


def allocate(tx: Tx, matches: Sequence[Match], on: date) -> list[UUID]:
    """Set credits against debts; nothing is booked. Returns the allocations.

    Effective on `on`, or on the later booking day of the two items. A debt that is paid to the last fen is told.
    Raises ReceivableUnknown, AllocationNotPossible, AllocationExceedsOpen.
    """
    items = lock(tx.conn, {each for match in matches for each in (match.credit_id, match.debt_id)})
    made = []
    for match in matches:
        credit, debt = items[match.credit_id], items[match.debt_id]
        _check(match, credit, debt)
        day = max(on, credit.booked_on, debt.booked_on)
        made.append(_write(tx, match, day))
        items[credit.item_id] = _moved(tx, credit, match.fen, day, kind=credit.kind)
        items[debt.item_id] = _moved(tx, debt, -match.fen, day, kind=credit.kind)
    return made


def _check(match: Match, credit: Item, debt: Item) -> None:
    if credit.amount_fen >= 0 or debt.amount_fen <= 0:
        raise AllocationNotPossible("an allocation sets a credit against a debt")
    if credit.customer_id != debt.customer_id:
        raise AllocationNotPossible("a credit of one customer does not pay the debt of another")
    if credit.branch_id != debt.branch_id:
        raise AllocationNotPossible("each branch owns its receivables; receive the payment per branch")
    if match.fen > min(-credit.open_fen, debt.open_fen):
        raise AllocationExceedsOpen(
            "more than is open", credit_open_fen=-credit.open_fen, debt_open_fen=debt.open_fen
        )


def _write(tx: Tx, match: Match, day: date) -> UUID:
    made: UUID = tx.conn.execute(
        text(
            "insert into receivable_allocations (credit_id, debt_id, fen, allocated_on, undoes, actor, at)"
            " values (:credit, :debt, :fen, :day, :undoes, :actor, :now) returning allocation_id"
        ),
        {
            "credit": match.credit_id,
            "debt": match.debt_id,
            "fen": match.fen,
            "day": day,
            "undoes": match.undoes,
            "actor": tx.actor.id,
            "now": tx.now,
        },
    ).scalar_one()
    return made


def _moved(tx: Tx, item: Item, fen: int, day: date, *, kind: str) -> Item:
    """Move what is open by `fen`; a debt that comes to 0 is settled, unless a write-off ended it."""
    left = item.open_fen + fen
    written_off = -fen if kind == "write_off" and item.amount_fen > 0 else 0
    row = tx.conn.execute(
        text(
            "update receivable_items set open_fen = :left, version = version + 1,"
            " written_off_fen = written_off_fen + :written_off,"
            " settled_on = case when :left = 0 then cast(:day as date) end"
            " where item_id = :id returning version, written_off_fen"
        ),
        {"left": left, "written_off": written_off, "day": day, "id": item.item_id},
    ).one()
    if item.amount_fen > 0 and left == 0:
        tx.conn.execute(
            text(
                "update dunning_cases set state = 'settled', closed_on = :day, version = version + 1"
                " where item_id = :id and state <> 'settled'"
            ),
            {"day": day, "id": item.item_id},
        )
        if row.written_off_fen == 0:
            outbox.append(
                tx,
                receivable_settled(
                    item_id=str(item.item_id),
                    customer_id=str(item.customer_id),
                    branch_id=item.branch_id,
                    amount_fen=item.amount_fen,
                    due_on=item.due_on,
                    settled_on=day,
                    version=row.version,
                ),
            )
    return replace(item, open_fen=left, version=row.version)


def oldest_first(conn: Connection, debts: Collection[UUID], credit_id: UUID, fen: int) -> list[Match]:
    """Spread `fen` of a credit over debts, first due first, as far as it goes."""
    matches = []
    locked = lock(conn, debts)
    for item in sorted(locked.values(), key=lambda each: (each.due_on, each.booked_on, each.item_id)):
        part = min(fen, item.open_fen)
        if part > 0:
            matches.append(Match(credit_id=credit_id, debt_id=item.item_id, fen=part))
            fen -= part
    return matches


def match_refund(tx: Tx, *, refund_id: UUID, sale_id: UUID, on: date) -> None:
    """Set a refund to credit against what its sale still leaves open; what is left stays a credit."""
    for credit_id in of_source(tx.conn, refund_id, "credit_note"):
        credit = lock(tx.conn, [credit_id])[credit_id]
        debts = of_source(tx.conn, sale_id, "sale")
        matches = oldest_first(tx.conn, debts, credit_id, -credit.open_fen)
        if matches:
            allocate(tx, matches, on)


def next_version(conn: Connection, item_id: UUID) -> int:
    """A new version of a locked item, for an event about it."""
    version: int = conn.execute(
        text("update receivable_items set version = version + 1 where item_id = :id returning version"),
        {"id": item_id},
    ).scalar_one()
    return version
