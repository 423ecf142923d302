"""The facts held, and facts taken out.

Who stores events holds FACTS_LOCK shared until the transaction ends; closing a month and swapping in a rebuild hold it
exclusively.
"""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Cursor
from sqlalchemy import ARRAY, BigInteger, Connection, any_, delete, literal, text

from reporting.facts.model import Withdrawn
from reporting.facts.tables import FACT_TABLES
from shared.transaction import Tx

FACTS_LOCK: Final = 7_301


def hold(conn: Connection) -> None:
    """Keep new facts out until the caller's transaction ends."""
    conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": FACTS_LOCK})


def hold_shared(cursor: Cursor[Any]) -> None:
    """New facts are about to be stored: nobody holds the facts, who closes or swaps waits for this transaction."""
    cursor.execute("select pg_advisory_xact_lock_shared(%s)", (FACTS_LOCK,))


def take_out(tx: Tx, source: str, numbers: Sequence[int]) -> list[Withdrawn]:
    """Take out the facts of these events of a source, and only those, and tell what they were, by number."""
    hold(tx.conn)
    found: dict[int, Withdrawn] = {}
    for table in FACT_TABLES:
        rows = tx.conn.execute(
            delete(table)
            .where(table.c.source == source, table.c.seq == any_(literal(list(numbers), ARRAY(BigInteger))))
            .returning(table.c.seq, table.c.day, table.c.type, table.c.branch_id)
        )
        for seq, day, event_type, branch_id in rows:
            known = found.setdefault(seq, Withdrawn(seq, event_type, day, branch_id))
            known.rows += 1
    return [found[seq] for seq in sorted(found)]
