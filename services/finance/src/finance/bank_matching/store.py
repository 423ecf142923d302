"""The rows of matches and of what they explain, and of the reconciliations of months. Who matches holds the matching."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text

from finance import bank_statements, ledger
from finance.bank_matching.model import Posted
from finance.bank_matching.rules import Batch, BookItem, Item, Line, LineNotFound, Match, MatchNotFound
from finance.bank_matching.tables import bank_book_items, bank_matches, bank_settled, bank_transits
from shared import audit
from shared.transaction import Tx

POSTED = ["bank_settlement", "bank_transit", "bank_direct"]
"""Kinds of the entries that confirmations post."""


def line_of(row: Mapping[str, Any]) -> Line:
    return Line(
        booked_on=row["booked_on"],
        fen=row["fen"],
        reference=row["reference"],
        summary=row["summary"],
        clearing=row["clearing"],
    )


def line(tx: Tx, line_id: UUID) -> tuple[UUID, Line]:
    """The account of a line, and the line. Raises LineNotFound."""
    found = tx.conn.execute(
        text(f"select * from {bank_statements.LINES} l where l.line_id = :id"), {"id": line_id}
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise LineNotFound("no such bank line")
    return row["account_id"], line_of(dict(row))


def is_matched(tx: Tx, line_id: UUID) -> bool:
    found = tx.conn.execute(
        text("select 1 from bank_matches where line_id = :id and undone_at is null"), {"id": line_id}
    )
    return found.first() is not None


def match(tx: Tx, match_id: UUID) -> Match:
    """Raises MatchNotFound."""
    row = tx.conn.execute(
        text("select * from bank_matches where match_id = :id"), {"id": match_id}
    ).one_or_none()
    if row is None:
        raise MatchNotFound("no such match")
    return Match(
        match_id=row.match_id,
        line_id=row.line_id,
        account_id=row.account_id,
        kind=row.kind,
        reason=row.reason,
        fee_fen=row.fee_fen,
        booked_on=row.booked_on,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        undone_by=row.undone_by,
        undone_at=row.undone_at,
        undone_reason=row.undone_reason,
    )


def days_of(tx: Tx, sources: Collection[UUID]) -> tuple[date, date] | None:
    """The first and the last day on which these documents posted something; None when they posted nothing."""
    first, last = tx.conn.execute(
        text(
            f"select min(booked_on), max(booked_on) from {ledger.ENTRIES} e where source_id = any(:sources)"
        ),
        {"sources": list(sources)},
    ).one()
    return None if first is None else (first, last)


def add_match(tx: Tx, confirmed: Match) -> None:
    tx.conn.execute(insert(bank_matches).values(asdict(confirmed)))


def add_book_item(tx: Tx, item: BookItem) -> None:
    """An entry on 1002 that the match shows."""
    tx.conn.execute(insert(bank_book_items).values(asdict(item)))


def add_transit(tx: Tx, match_id: UUID, item: Item) -> None:
    """An entry on cash in transit that has reached the bank."""
    tx.conn.execute(
        insert(bank_transits).values(
            source_id=item.source_id,
            entry_kind=item.entry_kind,
            match_id=match_id,
            fen=item.fen,
        )
    )


def add_settled(tx: Tx, match_id: UUID, batches: Sequence[Batch]) -> None:
    """Days of a clearing account that are settled, before the fee."""
    rows = [
        {"match_id": match_id, **asdict(each), "channel_transaction_id": each.channel_transaction_id or ""}
        for each in batches
    ]
    tx.conn.execute(insert(bank_settled), rows)


def has_arrived(tx: Tx, match_id: UUID) -> bool:
    """Whether the transfer that a match told of has reached another account."""
    found = tx.conn.execute(text("select 1 from bank_transits where source_id = :id"), {"id": match_id})
    return found.first() is not None


def posted_by(tx: Tx, match_id: UUID) -> list[Posted]:
    """The entries that confirming the match posted."""
    rows = tx.conn.execute(
        text(
            "select i.source_id, i.entry_kind, i.booked_on, e.id, e.branch_id from bank_book_items i"
            f" join {ledger.ENTRIES} e on e.source_id = i.source_id and e.kind = i.entry_kind"
            " and e.booked_on = i.booked_on where i.match_id = :id and i.entry_kind = any(:posted)"
        ),
        {"id": match_id, "posted": POSTED},
    )
    return [Posted(row.source_id, row.booked_on, row.id, row.branch_id) for row in rows]


def undo(tx: Tx, match_id: UUID, reason: str) -> None:
    """Open what was matched again. What the match posted stays shown by it, beside what mirrors it."""
    key = {"id": match_id}
    tx.conn.execute(
        text("delete from bank_book_items where match_id = :id and entry_kind <> all(:ours)"),
        {**key, "ours": [*POSTED, "bank_undone"]},
    )
    tx.conn.execute(text("delete from bank_transits where match_id = :id"), key)
    tx.conn.execute(text("delete from bank_settled where match_id = :id"), key)
    tx.conn.execute(
        text(
            "update bank_matches set undone_by = :person, undone_at = :now, undone_reason = :reason"
            " where match_id = :id"
        ),
        {**key, "person": tx.actor.id, "now": tx.now, "reason": reason},
    )


def keep_reconciliation(tx: Tx, account_id: UUID, month: date, content: Mapping[str, Any]) -> int:
    """The month's reconciliation in the place of one before it; its version."""
    version: int = tx.conn.execute(
        text(
            "insert into bank_reconciliations as r (account_id, month, version, book_fen, statement_fen, content,"
            " content_hash, completed_by, completed_at) values (:account_id, :month, 1, :book_fen,"
            " :statement_fen, cast(:content as jsonb), :content_hash, :person, :now)"
            " on conflict (account_id, month) do update set version = r.version + 1,"
            " book_fen = excluded.book_fen, statement_fen = excluded.statement_fen,"
            " content = excluded.content, content_hash = excluded.content_hash,"
            " completed_by = excluded.completed_by, completed_at = excluded.completed_at returning version"
        ),
        {
            "account_id": account_id,
            "month": month,
            "book_fen": content["book_fen"],
            "statement_fen": content["statement_fen"],
            "content": orjson.dumps(content).decode(),
            "content_hash": audit.digest(content),
            "person": tx.actor.id,
            "now": tx.now,
        },
    ).scalar_one()
    return version
