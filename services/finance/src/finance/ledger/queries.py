"""The journal as it is read."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import text

from shared.clock import next_month
from shared.paging import decode_cursor, page
from shared.transaction import Tx


def entries(tx: Tx, month: date, args: Mapping[str, Any]) -> dict[str, Any]:
    """The journal of a month, entries in the order they were written. Keyset by id."""
    (after,) = decode_cursor(args["cursor"], int)
    span = {"first": month, "until": next_month(month)}
    found = tx.conn.execute(
        text(
            "select id, chain_no as voucher_no, booked_on, branch_id, kind, source_id, total_fen, reference, actor,"
            " recorded_at from journal_entries where booked_on >= :first and booked_on < :until and id > :after"
            " and (cast(:branches as text[]) is null or branch_id = any(:branches)) order by id limit :limit"
        ),
        {
            **span,
            "after": after or 0,
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "limit": args["limit"] + 1,
        },
    ).mappings()
    shown = page(({**row, "lines": []} for row in found), args["limit"], "id")
    by_id = {entry["id"]: entry for entry in shown["items"]}
    lines = tx.conn.execute(
        text(
            "select entry_id, account, customer_id, debit_fen, credit_fen from journal_lines"
            " where booked_on >= :first and booked_on < :until and entry_id = any(:ids) order by entry_id, no"
        ),
        {**span, "ids": list(by_id)},
    ).mappings()
    for line in lines:
        by_id[line["entry_id"]]["lines"].append(dict(line))
    return shown
