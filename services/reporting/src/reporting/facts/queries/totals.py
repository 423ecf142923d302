"""What reporting itself counts, for comparison with what producers say they published.

Amounts are added up from lines, not copied from documents, so that a fault in a projection shows here.
Source: X3, architecture decision 5
"""

from datetime import date

from sqlalchemy import Connection, text

# A table with lines counts an event by its first line; a document's amount is the sum of its lines.
_HEADERS_WITH_AMOUNT = (
    "fact_tickets",
    "fact_surveys",
    "fact_feedback",
    "fact_customers",
    "fact_points",
    "fact_other",
)
_STATEMENTS = [
    """
    select h.day, h.type, count(*), coalesce(sum(l.amount_fen), 0)::bigint
    from facts.fact_sales h left join (
        select seq, sum(net_fen + tax_fen) as amount_fen from facts.fact_sale_lines
        where source = :source and day between :first and :last group by seq
    ) l using (seq)
    where h.source = :source and h.day between :first and :last group by h.day, h.type
    """,
    """
    select h.day, h.type, count(*), coalesce(sum(l.amount_fen), 0)::bigint
    from facts.fact_refunds h left join (
        select seq, sum(net_fen + tax_fen) as amount_fen from facts.fact_refund_lines
        where source = :source and day between :first and :last group by seq
    ) l using (seq)
    where h.source = :source and h.day between :first and :last group by h.day, h.type
    """,
    """
    select day, type, count(*) filter (where line = 0),
        sum(case when fact in ('requested', 'settled') then net_fen + tax_fen else amount_fen end)::bigint
    from facts.fact_returns
    where source = :source and day between :first and :last group by day, type
    """,
    """
    select day, type, count(*) filter (where line = 0), sum(amount_fen)::bigint from facts.fact_statements
    where source = :source and day between :first and :last group by day, type
    """,
    *(
        f"select day, type, count(*), sum(amount_fen)::bigint from facts.{table}"
        " where source = :source and day between :first and :last group by day, type"
        for table in _HEADERS_WITH_AMOUNT
    ),
]
_TOTALS = text(" union all ".join(_STATEMENTS))


def own_totals(
    conn: Connection, source: str, first: date, last: date
) -> dict[tuple[date, str], tuple[int, int]]:
    """Events and amounts in fen of one source per (day, type), for days `first` to `last`, both included."""
    rows = conn.execute(_TOTALS, {"source": source, "first": first, "last": last})
    return {(day, event_type): (events, amount_fen) for day, event_type, events, amount_fen in rows}
