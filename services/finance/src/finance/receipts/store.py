"""The rows of the directory of receipts."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct
from sqlalchemy import Connection

from finance.kernel.copying import SalePart
from finance.kernel.sale import Booked
from finance.receipts import tables
from shared.database import driver_of
from shared.round_trip import bytea, text_array
from shared.row_log import Proof, content_of

RECEIPTS = "(select sale_id, booked_on, branch_id, receipt_number from receipts)"
"""SQL: the number that its branch gave to each sale, and where the sale is booked."""
CONTENT = (
    f"(select string_agg({content_of(tables.receipts, 'c')}, '' order by c.sale_id) from receipts c"
    " where c.branch_id = t.branch_id and c.receipt_number = t.receipt_number)"
)
"""SQL: what is sealed of the receipt of a sale `t`."""


def belong_to(sales: str) -> Proof:
    """That each receipt has its sale among these (SQL)."""
    return Proof(
        name="receipts belong to their sales",
        relation="receipts",
        sql=f"select c::text from receipts c left join {sales} p on row(p.sale_id, p.booked_on, p.branch_id,"
        " p.receipt_number) = row(c.sale_id, c.booked_on, c.branch_id, c.receipt_number) where p.sale_id is null",
    )


_SQL = """
r as (
    insert into receipts (branch_id, receipt_number, sale_id, booked_on, content_hash)
    select %(branch)s, %(number)s, %(sale)s::uuid, %(booked)s::date, %(hash)s::bytea
    from p where state = 'open'
    on conflict (branch_id, receipt_number) do nothing
    returning 1
)
"""


def _parameters_of(booked: Booked) -> dict[str, str | None]:
    receipt = booked.priced.receipt
    return {
        "branch": receipt.branch_id,
        "number": receipt.receipt_number,
        "sale": booked.sale_id,
        "booked": booked.booked_on.isoformat(),
        "hash": bytea(booked.priced.content_hash),
    }


SALE_PART = SalePart(_SQL, _parameters_of)
"""The sale's number `r`, unless `p` says that its month is not open."""


class Known(Struct, frozen=True):
    """A receipt whose number is taken."""

    sale_id: str
    booked_on: date
    content_hash: bytes


def find_receipt(conn: Connection, branch_id: str, number: str) -> Known | None:
    row = conn.exec_driver_sql(
        "select sale_id, booked_on, content_hash from receipts where branch_id = %s and receipt_number = %s",
        (branch_id, number),
    ).one_or_none()
    return None if row is None else Known(str(row.sale_id), row.booked_on, bytes(row.content_hash))


def known_receipts(conn: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    with driver_of(conn) as driver:
        rows = driver.execute(
            "select r.branch_id, r.receipt_number, r.sale_id, r.booked_on, r.content_hash"
            " from unnest(%s::text[], %s::text[]) as k(branch_id, receipt_number)"
            " join receipts r on r.branch_id = k.branch_id and r.receipt_number = k.receipt_number",
            (text_array(key[0] for key in keys), text_array(key[1] for key in keys)),
            prepare=True,
        ).fetchall()
    return {(row[0], row[1]): Known(str(row[2]), row[3], bytes(row[4])) for row in rows}


_CLAIM = (
    "insert into receipts (branch_id, receipt_number, sale_id, booked_on, content_hash)"
    " select * from unnest(%s::text[], %s::text[], %s::uuid[], %s::date[], %s::bytea[])"
    " order by 1, 2 on conflict (branch_id, receipt_number) do nothing returning sale_id::text"
)


def claim_receipts(conn: Connection, booked: Sequence[Booked]) -> set[str]:
    """Take the numbers; returns the sale ids that got theirs. Taken in order, so two uploads never deadlock."""
    with driver_of(conn) as driver:
        rows = driver.execute(
            _CLAIM,
            (
                text_array(each.priced.receipt.branch_id for each in booked),
                text_array(each.priced.receipt.receipt_number for each in booked),
                text_array(each.sale_id for each in booked),
                text_array(each.booked_on.isoformat() for each in booked),
                text_array(bytea(each.priced.content_hash) for each in booked),
            ),
            prepare=True,
        ).fetchall()
    return {row[0] for row in rows}
