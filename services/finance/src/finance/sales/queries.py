"""Packs that were sold twice, by their trace codes (ADR-0055)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from finance import refunds, sold
from shared.paging import page_of
from shared.transaction import Tx

_REPEATED = f"""
select * from (
    select l.sale_id, l.no, l.branch_id, l.product_id, l.lot, l.booked_on, c.code as trace_code, s.receipt_number,
        s.sold_at, e.sale_id as before_sale_id, e.branch_id as before_branch_id,
        e.receipt_number as before_receipt_number, e.sold_at as before_sold_at
    from {sold.LINES} l
    join {sold.SALES} s on s.sale_id = l.sale_id and s.booked_on = l.booked_on
    cross join lateral unnest(l.trace_codes) as c(code)
    cross join lateral (
        select b.line_id, b.sale_id, b.branch_id, t.receipt_number, t.sold_at
        from {sold.LINES} b join {sold.SALES} t on t.sale_id = b.sale_id and t.booked_on = b.booked_on
        where b.trace_codes is not null and b.trace_codes @> array[c.code]
        and (t.sold_at, t.sale_id) < (s.sold_at, s.sale_id)
        order by t.sold_at desc, t.sale_id desc limit 1
    ) e
    where l.trace_codes is not null and l.booked_on between :first and :until
    and not exists (select from {refunds.RETURNED_LINES} r where r.sale_id = e.sale_id and r.sale_line_id = e.line_id
        and r.booked_on <= s.business_date having sum(r.quantity) > 0)
    and not exists (select from {refunds.RETURNED_LINES} r where r.sale_id = l.sale_id and r.sale_line_id = l.line_id
        having sum(r.quantity) > 0)
) repeated
"""


def repeated_trace_codes(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Packs of the days that an earlier receipt of any branch had sold, nothing of whose line had come back since.

    A receipt that was voided, or of whose line something came back, is not listed either.

    Raises ForeignBranch.
    """
    return page_of(
        tx.conn,
        _REPEATED,
        {"repeated.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"])},
        {"repeated.sale_id": UUID, "repeated.no": int, "repeated.trace_code": str},
        args,
        fixed={"first": args["first"], "until": args["until"]},
    )
