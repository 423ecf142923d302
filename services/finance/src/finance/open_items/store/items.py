"""The sub-ledger of account 1122: every line on it has its open items, written in the same transaction.

An item is a debt (amount above 0) or a credit (below 0); the amounts of the items of an entry are its lines on
1122, so Σ amount = balance of 1122. Allocation moves as much off a debt as off a credit and never books, so
Σ open = Σ amount = balance of 1122, per branch, at every instant.
Source: F13, F15, F16, I28, model 3.2 (Receivable)
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text, update

from finance.book import book_of
from finance.ledger import NewEntry
from finance.open_items.rules import Item, NewItem, Opened, ReceivableUnknown
from finance.open_items.tables import receivable_items
from shared.transaction import Tx

ITEMS = "(select * from receivable_items)"
"""SQL: every open item, for those who set something beside them."""
_KINDS: Mapping[str, str] = {"refund_paid": "credit_note"}
COLUMNS = "customer_id, branch_id, kind, source_id, instalment, booked_on, due_on, amount_fen, open_fen"


def add_for_entry(tx: Tx, entry: NewEntry, items: Sequence[NewItem] | None) -> None:
    """The items of an entry: those given, else one per line on 1122, due at once."""
    receivables = book_of(tx.conn).chart.code("receivables")
    assert all(line.is_receivable == (line.account == receivables) for line in entry.postings)
    lines = [line.debit_fen - line.credit_fen for line in entry.postings if line.is_receivable]
    if items is None:
        items = [
            NewItem(fen=fen, due_on=entry.booked_on, kind=_KINDS.get(entry.kind, "other")) for fen in lines
        ]
    assert sum(item.fen for item in items) == sum(lines), "the items of an entry are its lines on 1122"
    if not items:
        return
    assert entry.customer_id or all(item.customer_id for item in items), "what is owed is owed by a customer"
    tx.conn.execute(
        text(
            f"insert into receivable_items ({COLUMNS}, principal_id) values (:customer, :branch, :kind, :source,"
            " :no, :booked, :due, :fen, :fen, :principal)"
        ),
        [
            {
                "customer": item.customer_id or entry.customer_id,
                "branch": entry.branch_id,
                "kind": item.kind,
                "source": entry.source_id,
                "no": no,
                "booked": entry.booked_on,
                "due": item.due_on,
                "fen": item.fen,
                "principal": item.principal_id,
            }
            for no, item in enumerate(items, 1)
        ],
    )


def lock(conn: Connection, item_ids: Collection[UUID]) -> dict[UUID, Item]:
    """The items, locked until the transaction ends, always in the same order. Raises ReceivableUnknown."""
    rows = conn.execute(
        text(
            "select item_id, customer_id, branch_id, kind, source_id, booked_on, due_on, amount_fen, open_fen, written_off_fen,"
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


def change(conn: Connection, item_id: UUID, *, is_told: bool, **values: Any) -> int:
    """Change what an item holds, its row locked. What is told of it has a new version, which is returned."""
    version: int = conn.execute(
        update(receivable_items)
        .where(receivable_items.c.item_id == item_id)
        .values(version=receivable_items.c.version + int(is_told), **values)
        .returning(receivable_items.c.version)
    ).scalar_one()
    return version


def take_untold(tx: Tx, limit: int) -> list[Opened]:
    """At most `limit` items that nobody was told of, marked as told; those that others hold now come next time."""
    rows = tx.conn.execute(
        text(
            "update receivable_items set is_opening_told = true, version = version + 1 where item_id = any(array("
            " select item_id from receivable_items where not is_opening_told limit :limit for update skip locked))"
            " returning item_id, customer_id, branch_id, kind, source_id, booked_on, due_on, amount_fen, version"
        ),
        {"limit": limit},
    )
    return [Opened(**row) for row in rows.mappings()]
