"""Forget what is certainly known: rows of the inbox below the watermark become pages of ids.

In two steps, because a delivery may be deciding at this moment whether it is a duplicate: first `pruned_seq` is raised
(from then on every new statement treats those numbers as known), and the rows below are deleted only MARGIN_S later,
ten times longer than any statement may run.
"""

from sqlalchemy import Connection, text

from shared.incarnation import DIGEST

PRUNE_ROWS = 10_000
MARGIN_S = 600.0


def raise_pruned(conn: Connection, source: str) -> int:
    """Step one of pruning: from now on every number up to the watermark is known without its inbox row."""
    pruned: int = conn.execute(
        text(
            "update source_state set pruned_seq = contiguous_seq where source = :source returning pruned_seq"
        ),
        {"source": source},
    ).scalar_one()
    return pruned


# What is forgotten row by row is kept as a page of ids, 16 bytes each: any stretch of the log can be compared.
_PRUNE = text(
    f"""
    with gone as (
        delete from inbox where source = :source and seq in
            (select seq from inbox where source = :source and seq <= :through order by seq limit :limit)
        returning seq, event_id
    ), kept as (
        insert into inbox_pages (source, first_seq, last_seq, page_hash, event_ids)
        select :source, min(seq), max(seq), bit_xor({DIGEST.format(seq="seq", id="event_id")}),
            string_agg(uuid_send(event_id), '' order by seq)
        from gone having count(*) > 0
    )
    select count(*) from gone
    """
)


def delete_pruned(conn: Connection, source: str, through: int, *, limit: int = PRUNE_ROWS) -> int:
    """Step two: inbox rows up to `through`, a `pruned_seq` that was committed MARGIN_S ago, become pages; at most `limit`."""
    count: int = conn.execute(_PRUNE, {"source": source, "through": through, "limit": limit}).scalar_one()
    return count
