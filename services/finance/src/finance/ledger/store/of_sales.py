"""What a sale writes into the journal: a part of its one statement, and rows of thousands."""

from collections.abc import Iterator, Mapping, Sequence

import orjson
from sqlalchemy import Connection

from finance.book import stream_of
from finance.kernel.copying import NULL, Copied, Rows, Said, SalePart
from finance.kernel.posting import PostingLine
from finance.kernel.sale import Booked
from shared.database import driver_of

_SQL = """
e as (
    insert into journal_entries (booked_on, stream, branch_id, kind, source_id, total_fen, reference, actor,
        recorded_at)
    select %(booked)s::date, %(stream)s, %(branch)s, 'sale', %(sale)s::uuid, %(posted)s::bigint, %(reference)s,
        %(actor)s, %(now)s::timestamptz from r where %(posted)s::bigint > 0
    returning id
), j as (
    insert into journal_lines (entry_id, no, booked_on, branch_id, account, customer_id, debit_fen, credit_fen)
    select e.id, x.no, %(booked)s::date, %(branch)s, x.account, x.customer_id, x.debit, x.credit
    from e, json_to_recordset(%(journal)s::json) as x(no smallint, account text, customer_id uuid, debit bigint,
        credit bigint)
)
"""
"""Parts of the sale's one statement: its entry, where it posts anything, once `r` has its number."""


def _parameters_of(booked: Booked) -> dict[str, str | None]:
    """What the parts take beside the parameters of the sale's rows."""
    customer_id = booked.priced.receipt.customer_id
    return {
        "stream": stream_of(booked.booked_on),
        "posted": str(booked.posted_fen),
        "reference": booked.reference,
        "journal": lines_json(booked.postings, None if customer_id is None else str(customer_id)),
    }


def lines_json(postings: Sequence[PostingLine], customer_id: str | None) -> str:
    return orjson.dumps(
        [
            {
                "no": no,
                "account": line.account,
                "customer_id": (line.customer_id or customer_id) if line.is_receivable else None,
                "debit": line.debit_fen,
                "credit": line.credit_fen,
            }
            for no, line in enumerate(postings, 1)
        ]
    ).decode()


def new_ids(conn: Connection, count: int) -> list[int]:
    """Ids of journal entries that nobody else gets, ascending."""
    with driver_of(conn) as driver:
        rows = driver.execute(
            "select nextval('journal_entry_ids') from generate_series(1, %s)", (count,), prepare=True
        ).fetchall()
    return [row[0] for row in rows]


def _journal_entries(sale: Copied, said: Said) -> Iterator[str]:
    booked = sale.booked
    if booked.posted_fen:
        yield (
            f"{sale.entry_id}\t{sale.on}\t{stream_of(booked.booked_on)}\t{sale.branch}\tsale\t{booked.sale_id}\t"
            f"{booked.posted_fen}\t{booked.reference or NULL}\t{said.actor}\t{said.now}\n"
        )


def _journal_lines(sale: Copied, _said: Said) -> Iterator[str]:
    if sale.booked.posted_fen:
        for no, line in enumerate(sale.booked.postings, 1):
            customer = sale.customer if line.is_receivable else NULL
            yield (
                f"{sale.entry_id}\t{no}\t{sale.on}\t{sale.branch}\t{line.account}\t{customer}\t{line.debit_fen}\t"
                f"{line.credit_fen}\n"
            )


_COPIED: Mapping[str, tuple[str, Rows]] = {
    "journal_entries": (
        "id, booked_on, stream, branch_id, kind, source_id, total_fen, reference, actor, recorded_at",
        _journal_entries,
    ),
    "journal_lines": (
        "entry_id, no, booked_on, branch_id, account, customer_id, debit_fen, credit_fen",
        _journal_lines,
    ),
}
SALE_PART = SalePart(_SQL, _parameters_of, _COPIED)
"""The entry of a sale and its lines."""
