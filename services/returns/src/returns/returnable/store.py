"""Hold and change how much of a sold line is spoken for; all within the caller's transaction."""

from collections.abc import Iterable, Mapping

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from returns.returnable.model import Allotment
from returns.returnable.tables import return_allotments
from shared.transaction import Tx


def lock(tx: Tx, sale_id: str, sold: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], Allotment]:
    """The allotments of these (sale line, lot) keys, held until the transaction ends.

    `sold` gives the quantity sold per key. A key never asked for before gets its zero row first: without a row
    there is nothing that two first requests could queue on.
    """
    keys = sorted(sold)
    tx.conn.execute(
        upsert(return_allotments).on_conflict_do_nothing(),
        [
            {
                "sale_id": sale_id,
                "sale_line_id": line,
                "lot": lot,
                "sold": sold[line, lot],
                "reserved": 0,
                "settled": 0,
            }
            for line, lot in keys
        ],
    )
    rows = tx.conn.execute(
        text(
            "select sale_line_id, lot, sold, reserved, settled from return_allotments"
            " where sale_id = :sale_id and (sale_line_id, lot) in"
            " (select * from unnest(cast(:lines as text[]), cast(:lots as text[])))"
            " order by sale_line_id, lot for update"
        ),
        {"sale_id": sale_id, "lines": [line for line, _ in keys], "lots": [lot for _, lot in keys]},
    )
    return {(row.sale_line_id, row.lot): Allotment(**row._mapping) for row in rows}  # noqa: SLF001


def save(tx: Tx, sale_id: str, allotments: Iterable[Allotment]) -> None:
    for each in allotments:
        tx.conn.execute(
            update(return_allotments)
            .where(
                return_allotments.c.sale_id == sale_id,
                return_allotments.c.sale_line_id == each.sale_line_id,
                return_allotments.c.lot == each.lot,
            )
            .values(reserved=each.reserved, settled=each.settled)
        )
