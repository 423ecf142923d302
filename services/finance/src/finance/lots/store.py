"""The statements that keep expiries of lots and count what contradicted them.

What papers name is compared with what holds of each lot, and what is told of a lot for the first time is kept. Two that
tell a new lot at one moment meet at its row: one writes it, the other waits and then reads what holds. Lots are written
in order, so that two papers of the same lots never wait for each other. What was refused is told to quality assurance:
one row per branch, lot and expiry, counted, until it is decided.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from finance.kernel.receipt import ReceiptLine
from finance.lots.rules import Contradiction, Decided, Held, Key, Named, Paper, Source, refusal
from finance.lots.tables import lot_expiry_decisions
from shared.clock import new_id
from shared.database import driver_of
from shared.lots import canonical
from shared.round_trip import text_array
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


OF_ONE_SALE = """
    exists (select from l where (
        select x.expiry from lot_expiries x where x.product_id = l.product_id and x.lot_key = l.lot_key
    ) is distinct from l.expiry)
"""
"""A part of the sale's one statement, over the lines `l` it wrote: whether a lot of it is new, or contradicted."""

_TELL = """
insert into lot_expiries (product_id, lot_key, lot, expiry, source, branch_id, reference, told_by, told_at)
select x.product_id, x.lot_key, x.lot, x.expiry, x.source, x.branch_id, x.reference, %s, %s
from unnest(%s::text[], %s::text[], %s::text[], %s::date[], %s::text[], %s::text[], %s::text[])
    as x(product_id, lot_key, lot, expiry, source, branch_id, reference)
order by 1, 2 on conflict do nothing
"""
_HELD = """
select y.product_id, y.lot_key, y.expiry, y.source, y.branch_id, y.reference, y.told_at
from unnest(%s::text[], %s::text[]) as x(product_id, lot_key), lateral (
    select * from lot_expiries e where e.product_id = x.product_id and e.lot_key = x.lot_key limit 1) y
"""
_DIFFERING = """
select x.product_id, x.lot_key, e.expiry, e.source, e.branch_id, e.reference, e.told_at
from unnest(%s::text[], %s::text[], %s::date[]) as x(product_id, lot_key, expiry)
left join lateral (
    select * from lot_expiries e where e.product_id = x.product_id and e.lot_key = x.lot_key limit 1) e on true
where e.expiry is distinct from x.expiry
"""


def of_lines(lines: Iterable[ReceiptLine]) -> list[Named]:
    return [_named(index, line) for index, line in enumerate(lines)]


def _named(index: int, line: ReceiptLine) -> Named:
    return Named(line.product.id, line.lot, line.expiry, f"lines.{index}.expiry")


def tell(tx: Tx, paper: Paper, named: Sequence[Named]) -> None:
    """What is new holds from now on. Raises LotExpiryContradicts, which is told to quality assurance."""
    if not named:
        return
    _write(tx, {each.key: (each, paper) for each in reversed(named)})
    holds = held(tx, {each.key for each in named})
    refuse(
        tx,
        [
            Contradiction(each, holds[each.key], paper)
            for each in named
            if each.expiry != holds[each.key].expiry
        ],
    )


def held(tx: Tx, keys: Collection[Key]) -> dict[Key, Held]:
    """What holds of those lots that anything was told of."""
    with driver_of(tx.conn) as driver:
        rows = driver.execute(
            _HELD, ([product for product, _ in keys], [lot for _, lot in keys]), prepare=True
        ).fetchall()
    return {(row[0], row[1]): Held(*row[2:]) for row in rows}


def differing(tx: Tx, told: Collection[tuple[Key, date]]) -> dict[Key, Held | None]:
    """What holds of those lots of which another expiry holds, or none."""
    with driver_of(tx.conn) as driver:
        rows = driver.execute(
            _DIFFERING,
            (
                text_array(product for (product, _), _ in told),
                text_array(lot for (_, lot), _ in told),
                text_array(expiry.isoformat() for _, expiry in told),
            ),
            prepare=True,
        ).fetchall()
    return {(row[0], row[1]): None if row[2] is None else Held(*row[2:]) for row in rows}


def _write(tx: Tx, told: Mapping[Key, tuple[Named, Paper]]) -> None:
    """What somebody else told first stays."""
    rows = list(told.items())
    with driver_of(tx.conn) as driver:
        driver.execute(
            _TELL,
            (
                tx.actor.id,
                tx.now,
                [key[0] for key, _ in rows],
                [key[1] for key, _ in rows],
                [named.lot for _, (named, _) in rows],
                [named.expiry for _, (named, _) in rows],
                [paper.source for _, (_, paper) in rows],
                [paper.branch_id for _, (_, paper) in rows],
                [paper.reference for _, (_, paper) in rows],
            ),
            prepare=True,
        )


class Shelf:
    """The lots of many receipts: what holds of each, and what receipts of the same upload told of it before.

    `judge` and `add` one receipt after the other; `keep` writes what those added told, and when another upload was
    quicker with one of the lots, what was added is judged again. `note` tells quality assurance of all that was refused.
    """

    def __init__(self, tx: Tx, receipts: Iterable[Sequence[ReceiptLine]]) -> None:
        self._tx = tx
        told = {(line.product.id, line.lot, line.expiry) for lines in receipts for line in lines}
        key_of: dict[tuple[str, str], Key] = {
            (each[0], each[1]): (each[0], canonical(each[1])) for each in told
        }
        found = (
            differing(tx, {(key_of[product, lot], expiry) for product, lot, expiry in told}) if told else {}
        )
        self._key_of = {written: key for written, key in key_of.items() if key in found}
        """Of the lots in question: where every receipt tells what holds, nothing is looked at twice."""
        self._held: dict[Key, Held] = {key: holds for key, holds in found.items() if holds is not None}
        self._new: dict[Key, tuple[Named, Paper]] = {}
        self._refused: list[Contradiction] = []

    def judge(self, paper: Paper, lines: Sequence[ReceiptLine]) -> None:
        """Raises LotExpiryContradicts."""
        if not self._key_of:
            return
        told: dict[Key, Held] = {}
        found = []
        for index, line in enumerate(lines):
            key = self._key_of.get((line.product.id, line.lot))
            if key is None:
                continue
            holds = self._held.get(key) or told.get(key)
            if holds is None:
                told[key] = self._of(line, paper)
            elif holds.expiry != line.expiry:
                found.append(Contradiction(_named(index, line), holds, paper))
        if found:
            self._refused += found
            raise refusal(self._tx.actor, found)

    def add(self, paper: Paper, lines: Sequence[ReceiptLine]) -> None:
        """Of a receipt that is accepted, what it tells for the first time."""
        if not self._key_of:
            return
        for index, line in enumerate(lines):
            key = self._key_of.get((line.product.id, line.lot))
            if key is not None and key not in self._held:
                self._new[key] = _named(index, line), paper
                self._held[key] = self._of(line, paper)

    def _of(self, line: ReceiptLine, paper: Paper) -> Held:
        return Held(line.expiry, paper.source, paper.branch_id, paper.reference, self._tx.now)

    def keep(self) -> bool:
        """Write what is new; False when somebody else told another expiry of one of these lots meanwhile."""
        if not self._new:
            return True
        _write(self._tx, self._new)
        holds = held(self._tx, self._new)
        self._held |= holds
        return all(holds[key].expiry == named.expiry for key, (named, _) in self._new.items())

    def note(self) -> None:
        note(self._tx, self._refused)


_HOLD = """
insert into lot_expiries as e (product_id, lot_key, lot, expiry, source, branch_id, reference, told_by, told_at)
values (:product, :key, :lot, :expiry, :source, null, :reference, :person, :now)
on conflict (product_id, lot_key) do update set expiry = excluded.expiry, source = excluded.source, branch_id = null,
    reference = excluded.reference, told_by = excluded.told_by, told_at = excluded.told_at
"""


def decide(tx: Tx, decision_id: UUID, said: Decided) -> date | None:
    """The expiry holds from now on and settles every contradiction of the lot; returns the one that held before."""
    lot = {"product": said.product_id, "key": canonical(said.lot)}
    before: date | None = tx.conn.execute(
        text("select expiry from lot_expiries where product_id = :product and lot_key = :key for update"), lot
    ).scalar_one_or_none()
    tx.conn.execute(
        text(_HOLD),
        {
            **lot,
            "lot": said.lot,
            "expiry": said.expiry,
            "source": Source.DECISION,
            "reference": str(decision_id),
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    settled = tx.conn.execute(
        text(
            "update lot_contradictions set decision_id = :id"
            " where product_id = :product and lot_key = :key and decision_id is null"
        ),
        {**lot, "id": decision_id},
    ).rowcount
    tx.conn.execute(
        insert(lot_expiry_decisions).values(
            decision_id=decision_id,
            product_id=lot["product"],
            lot_key=lot["key"],
            lot=said.lot,
            before=before,
            expiry=said.expiry,
            reason=said.reason,
            contradictions=settled,
            decided_by=tx.actor.id,
            decided_at=tx.now,
        )
    )
    return before
