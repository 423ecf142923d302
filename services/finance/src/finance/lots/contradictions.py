"""What was refused is told to quality assurance: one row per branch, lot and expiry, counted, until it is decided."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import text

from finance.lots.rules import Contradiction, refusal
from shared.clock import new_id
from shared.transaction import Tx

OPEN_OF_BRANCH_MAX = 1_000
"""What comes beyond is counted at the branch's newest: who has that many wants a look at the till, not at the lots."""

_NOTE = """
insert into lot_contradictions as c (contradiction_id, product_id, lot_key, lot, branch_id, told_expiry, held_expiry,
    source, reference, times, first_told_at, last_told_at, last_told_by)
select x.id, x.product_id, x.lot_key, x.lot, x.branch_id, x.told, x.held, x.source, x.reference, x.times, :now, :now,
    :person
from (select *, row_number() over (partition by branch_id order by product_id, lot_key, told) as nth
    from unnest(cast(:ids as uuid[]), cast(:products as text[]), cast(:keys as text[]), cast(:lots as text[]),
        cast(:branches as text[]), cast(:told as date[]), cast(:held as date[]), cast(:sources as text[]),
        cast(:references as text[]), cast(:times as int[]))
    as told(id, product_id, lot_key, lot, branch_id, told, held, source, reference, times)) x
where x.nth + (select count(*) from (select from lot_contradictions b where b.branch_id = x.branch_id
        and b.decision_id is null limit :most) known) <= :most
    or exists (select from lot_contradictions b where b.branch_id = x.branch_id and b.product_id = x.product_id
        and b.lot_key = x.lot_key and b.told_expiry = x.told and b.decision_id is null)
order by x.branch_id, x.product_id, x.lot_key, x.told
on conflict (branch_id, product_id, lot_key, told_expiry) where decision_id is null do update
set times = c.times + excluded.times, held_expiry = excluded.held_expiry, lot = excluded.lot,
    source = excluded.source, reference = excluded.reference, last_told_at = excluded.last_told_at,
    last_told_by = excluded.last_told_by
returning times
"""
_NOTE_AT_NEWEST = """
update lot_contradictions set times = times + :times, last_told_at = :now, last_told_by = :person
where contradiction_id = (select contradiction_id from lot_contradictions
    where branch_id = :branch and decision_id is null order by contradiction_id desc limit 1)
"""


def refuse(tx: Tx, found: Sequence[Contradiction]) -> None:
    """Raises LotExpiryContradicts when there is any; it is noted when the command ends refused."""
    if found:
        tx.when_refused = partial(note, found=found)
        raise refusal(tx.actor, found)


def note(tx: Tx, found: Sequence[Contradiction]) -> None:
    """Count what was refused. Another branch's lots are not touched: a paper is of a branch of the token."""
    rows: dict[tuple[Any, ...], tuple[Contradiction, int]] = {}
    for each in found:
        key = each.paper.branch_id, *each.named.key, each.named.expiry
        rows[key] = each, rows[key][1] + 1 if key in rows else 1
    if not rows:
        return
    written = tx.conn.execute(
        text(_NOTE),
        {
            "ids": [new_id() for _ in rows],
            "branches": [key[0] for key in rows],
            "products": [key[1] for key in rows],
            "keys": [key[2] for key in rows],
            "told": [key[3] for key in rows],
            "lots": [each.named.lot for each, _ in rows.values()],
            "held": [each.held.expiry for each, _ in rows.values()],
            "sources": [each.paper.source for each, _ in rows.values()],
            "references": [each.paper.reference for each, _ in rows.values()],
            "times": [times for _, times in rows.values()],
            "most": OPEN_OF_BRANCH_MAX,
            "now": tx.now,
            "person": tx.actor.id,
        },
    ).rowcount
    if beyond := len(rows) - written:
        last = found[-1].paper.branch_id
        tx.conn.execute(
            text(_NOTE_AT_NEWEST),
            {"branch": last, "times": beyond, "now": tx.now, "person": tx.actor.id},
        )
