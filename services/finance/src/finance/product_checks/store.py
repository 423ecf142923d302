"""The statements that hold papers against the catalogue, and keep modes and contradictions.

A till asks nothing more than before: what contradicts comes back with the statement that writes the sale. Contradictions
are rows of their own, at most OF_A_DAY_MAX a branch, day and product, so that no till waits for another's.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text

from finance import products, receipts
from finance.kernel.sale import PricedSale
from finance.product_checks.model import Setting
from finance.product_checks.rules import (
    COMPARED,
    CheckSettingNotFound,
    Contradiction,
    Door,
    Held,
    Mode,
    Paper,
    Said,
    contradictions,
    dispensing,
    of_line,
    refuse,
    told,
    values_of,
)
from finance.product_checks.rules.dispensing import Fault, asks_for_more, dispensing_faults
from finance.product_checks.tables import product_check_settings
from shared.clock import new_id
from shared.database import driver_of
from shared.errors import DomainError
from shared.round_trip import text_array
from shared.transaction import Tx

OF_A_DAY_MAX = 20
"""Contradictions kept of a product, branch and day; who has as many knows enough."""
_COLUMNS = ", ".join(f"h.{name}" for name in COMPARED)
_HELD_COLUMNS = f"h.version, {_COLUMNS}, h.legal_class, h.control_class"


def _mode_on(day: str) -> str:
    return (
        f"(select s.mode from product_check_settings s where s.state = 'approved' and s.effective_from <= {day}"
        " order by s.effective_from desc, s.no desc limit 1)"
    )


OF_ONE_SALE = f"""
    select json_build_array(m.mode, json_agg(json_build_array(y.no, {_HELD_COLUMNS})))
    from (select {_mode_on("%(day)s::date")} as mode) m,
        json_to_recordset(%(lines)s::json) as y(no int, product_id text, {", ".join(f"{name} text" for name in COMPARED)})
        left join lateral ({products.held_on("y.product_id", "%(day)s::date")}) h on true
    where m.mode <> 'off' and (row({_COLUMNS}) is distinct from row({", ".join(f"y.{name}" for name in COMPARED)})
        or h.legal_class = '{dispensing.PRESCRIPTION}' or h.control_class <> '{dispensing.UNCONTROLLED}')
    group by m.mode
"""
"""A part of the sale's one statement: the mode of its day and, of each line that is not word by word what the catalogue
says, or that is handed out under a rule, the version that holds. While the mode is `off` nothing is looked up.
"""
_HELD = f"""
select x.product_id, x.day, {_HELD_COLUMNS}
from unnest(%s::text[], %s::date[]) as x(product_id, day)
left join lateral ({products.held_on("x.product_id", "x.day")}) h on true
"""
_HELD_ON_A_DAY = f"""
select distinct on (h.product_id) h.product_id, {_HELD_COLUMNS} from {products.VERSIONS} h
where h.product_id = any(%s::text[]) and h.effective_from <= %s::date order by h.product_id, h.version desc
"""
"""The same for many products of one day: one walk through the index, where the other begins at its root for each."""
_MODES = f"select d.day, {_mode_on('d.day')} from unnest(%s::date[]) as d(day)"


def judge_sale(tx: Tx, paper: Paper, priced: PricedSale, found: bytes | None) -> None:
    """Judge a sale by what OF_ONE_SALE found.

    Raises ProductContradictsCatalogue, ProductUnknown, PrescriptionReviewMissing, ControlledDrugLimit,
    ControlledDrugBuyerMissing.
    """
    if found is None:
        return
    mode, rows = orjson.loads(found)
    lines, day = priced.receipt.lines, priced.business_date
    held = {no - 1: _held(row) for no, *row in rows}
    differing = [
        each for index, one in held.items() for each in contradictions(of_line(index, lines[index]), one)
    ]
    known = {lines[index].product.id: one for index, one in held.items() if one is not None}
    _settle(tx, paper, day, Mode(mode), differing, list(dispensing_faults(priced.receipt, day, known)))


def judge(tx: Tx, paper: Paper, day: date, said: Sequence[Said]) -> None:
    """Judge what a paper says of products on a day. Raises ProductContradictsCatalogue, ProductUnknown."""
    mode, found = _found(tx, day, said)
    _settle(tx, paper, day, mode, [one for each in found for one in each])


def faults(tx: Tx, paper: Paper, day: date, said: Sequence[Said]) -> Iterator[tuple[str, DomainError]]:
    """The same, but tell the refusals, each with the path of its product, where all faults are told at once."""
    mode, found = _found(tx, day, said)
    for each, of_product in zip(said, found, strict=False):
        try:
            _settle(tx, paper, day, mode, of_product)
        except DomainError as refusal:
            yield each.path, refusal


def _found(tx: Tx, day: date, said: Sequence[Said]) -> tuple[Mode, list[list[Contradiction]]]:
    """How strictly the day is held, and what contradicts of each; nothing is looked up under `off`."""
    mode = modes_on(tx, [day])[day] if said else Mode.OFF
    if mode is Mode.OFF:
        return mode, []
    holds = _held_of(tx, {(each.product_id, day) for each in said})
    return mode, [list(contradictions(each, holds[each.product_id, day])) for each in said]


def _settle(
    tx: Tx, paper: Paper, day: date, mode: Mode, found: Sequence[Contradiction], handed: Sequence[Fault] = ()
) -> None:
    if mode is Mode.ENFORCE:
        refuse(found, day)
        dispensing.refuse(handed)
    elif found or handed:
        note(tx, [(paper, day, [*found, *(each.told for each in handed)])])


def _held(row: Sequence[Any]) -> Held | None:
    """Of a row of _HELD_COLUMNS."""
    version, *values, legal_class, control_class = row
    return None if version is None else Held(version, tuple(values), legal_class, control_class)


def modes_on(tx: Tx, days: Collection[date]) -> dict[date, Mode]:
    """How strictly the catalogue is held on each of the days."""
    with driver_of(tx.conn) as driver:
        rows = driver.execute(_MODES, (list(days),), prepare=True).fetchall()
    return {day: Mode.OFF if mode is None else Mode(mode) for day, mode in rows}


def _held_of(tx: Tx, wanted: Collection[tuple[str, date]]) -> dict[tuple[str, date], Held | None]:
    """The version of each product that holds on the day, or None."""
    ordered = sorted(wanted)
    ids, days = text_array(each for each, _ in ordered), {day for _, day in ordered}
    held: dict[tuple[str, date], Held | None] = dict.fromkeys(ordered)
    with driver_of(tx.conn) as driver:
        if len(days) == 1:
            (day,) = days
            rows = driver.execute(_HELD_ON_A_DAY, (ids, day), prepare=True)
            return held | {(row[0], day): _held(row[1:]) for row in rows.fetchall()}
        listed = text_array(day.isoformat() for _, day in ordered)
        rows = driver.execute(_HELD, (ids, listed), prepare=True)
        return held | {(row[0], row[1]): _held(row[2:]) for row in rows.fetchall()}


class Checks:
    """The catalogue as the receipts of an upload are held against it: one question for all of them.

    `judge` one receipt after the other; `note` what contradicted of those that were taken.
    """

    def __init__(self, tx: Tx, sales: Sequence[PricedSale]) -> None:
        self._tx = tx
        modes = modes_on(tx, {each.business_date for each in sales}) if sales else {}
        self._modes = {day: mode for day, mode in modes.items() if mode is not Mode.OFF}
        self._warned: dict[tuple[str, str], tuple[date, list[Contradiction]]] = {}
        wanted = {
            (line.product.id, sale.business_date)
            for sale in sales
            if sale.business_date in self._modes
            for line in sale.receipt.lines
        }
        self._held = _held_of(tx, wanted) if wanted else {}

    def judge(self, sale: PricedSale) -> None:
        """Raises what `judge_sale` raises."""
        day = sale.business_date
        mode = self._modes.get(day)
        if mode is None:
            return
        found: list[Contradiction] = []
        known: dict[str, Held] = {}
        for index, line in enumerate(sale.receipt.lines):
            held = self._held[line.product.id, day]
            if held is None or held.values != values_of(line.product):
                found += contradictions(of_line(index, line), held)
            if held is not None and asks_for_more(held):
                known[line.product.id] = held
        handed = list(dispensing_faults(sale.receipt, day, known)) if known else []
        if mode is Mode.ENFORCE:
            refuse(found, day)
            dispensing.refuse(handed)
        elif found or handed:
            self._warned[_key(sale)] = day, [*found, *(each.told for each in handed)]

    def note(self, taken: Iterable[PricedSale]) -> None:
        """Keep what contradicted of the sales that were taken."""
        if self._warned:
            papers = {_key(each): Paper(Door.SALE, *_key(each)) for each in taken}
            note(
                self._tx,
                [(papers[key], day, found) for key, (day, found) in self._warned.items() if key in papers],
            )


def _key(sale: PricedSale) -> tuple[str, str]:
    return sale.receipt.branch_id, sale.receipt.receipt_number


_NOTE = f"""
insert into product_contradictions (contradiction_id, branch_id, day, product_id, door, reference, differing, told_by,
    told_at)
select x.id, x.branch, x.day, x.product, x.door, x.reference, x.differing::jsonb, %s, %s
from (select *, row_number() over (partition by branch, day, product) as nth
    from unnest(%s::uuid[], %s::text[], %s::date[], %s::text[], %s::text[], %s::text[], %s::text[])
    as told(id, branch, day, product, door, reference, differing)) x
where x.nth + (select count(*) from (select from product_contradictions c where c.branch_id = x.branch and c.day = x.day
    and c.product_id = x.product limit {OF_A_DAY_MAX}) kept) <= {OF_A_DAY_MAX}
"""


def note(tx: Tx, found: Sequence[tuple[Paper, date, Sequence[Contradiction]]]) -> None:
    """Append what contradicted and was taken: one row a paper and product."""
    rows: list[tuple[Any, ...]] = []
    for paper, day, of_paper in found:
        by_product: dict[str, list[dict[str, Any]]] = {}
        for each in of_paper:
            listed = by_product.setdefault(each.product_id, [])
            if each.field is not None and told(each) not in listed:
                listed.append(told(each))
        rows += [
            (
                new_id(),
                paper.branch_id,
                day,
                product,
                paper.door,
                paper.reference,
                orjson.dumps(listed).decode(),
            )
            for product, listed in by_product.items()
        ]
    if rows:
        with driver_of(tx.conn) as driver:
            driver.execute(
                _NOTE, (tx.actor.id, tx.now, *(list(column) for column in zip(*rows, strict=True)))
            )


def forget(tx: Tx, before: datetime, most: int) -> int:
    """Remove contradictions told before, at most so many; how many they were."""
    return tx.conn.execute(
        text(
            "delete from product_contradictions where contradiction_id in (select contradiction_id"
            " from product_contradictions where told_at < :before limit :most)"
        ),
        {"before": before, "most": most},
    ).rowcount


def lock(tx: Tx) -> None:
    """One decides on modes at a time, until its transaction ends."""
    tx.conn.execute(text("select pg_advisory_xact_lock(hashtextextended('finance:product_checks', 0))"))


def is_anything_sold(tx: Tx) -> bool:
    return bool(tx.conn.execute(text(f"select exists (select from {receipts.RECEIPTS} r)")).scalar_one())


def add(tx: Tx, setting: Setting) -> None:
    tx.conn.execute(
        insert(product_check_settings).values(
            setting_id=setting.setting_id,
            mode=setting.mode,
            effective_from=setting.effective_from,
            reason=setting.reason,
            state=setting.state,
            subject_hash=setting.subject_hash,
            proposed_by=tx.actor.id,
            proposed_at=tx.now,
        )
    )


def hold(tx: Tx, setting_id: UUID) -> Setting:
    """Raises CheckSettingNotFound."""
    row = tx.conn.execute(
        text(
            "select setting_id, mode, effective_from, reason, state, subject_hash, proposed_by"
            " from product_check_settings where setting_id = :id for update"
        ),
        {"id": setting_id},
    ).one_or_none()
    if row is None:
        raise CheckSettingNotFound("no such setting")
    return Setting(*row)


def settle(tx: Tx, setting_id: UUID, state: str) -> None:
    """An approved one counts after all that were approved before."""
    number = (
        "(select coalesce(max(no), 0) + 1 from product_check_settings)" if state == "approved" else "null"
    )
    tx.conn.execute(
        text(f"update product_check_settings set state = :state, no = {number} where setting_id = :id"),
        {"state": state, "id": setting_id},
    )
