"""Thousands of receipts in one upload: written in batches, answered one line each (read by finance.receipt_files).

Each batch is one transaction, so what was answered is committed and what was not may be sent again. A receipt
that is refused never hurts another.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from finance import (
    channel_transactions,
    credit,
    ledger,
    periods,
    prices,
    product_checks,
    receipts,
    stop_sales,
    trade_permissions,
)
from finance.book import book_of
from finance.kernel.period import PeriodState
from finance.kernel.receipt import payment_of, uses_credit
from finance.kernel.sale import Booked, PricedSale, credit_of
from finance.lots import Paper, Shelf, Source
from finance.points import PointsNotInBulk
from finance.sales.commands.post import refuse_closed, same_receipt
from finance.sales.rules.files import Item
from finance.sales.rules.pricing import book_sale, price
from finance.sales.store.many import copy_sales
from finance.trade_permissions import Permission
from shared import audit
from shared.clock import business_date, month_of
from shared.errors import DomainError
from shared.faults import listed
from shared.languages import ENGLISH, in_language
from shared.transaction import Tx

BATCH_RECEIPTS_MAX = 1_000
BATCH_LINES_MAX = 10_000
"""Of receipts that are long: a batch begins no receipt beyond it, so that memory is bounded by lines too."""


class Result(NamedTuple):
    line: int
    number: str | None
    state: str
    sale_id: str | None = None
    refusal: DomainError | None = None

    def json(self, language: str = ENGLISH) -> bytes:
        """One line of the answer."""
        told: dict[str, Any] = {
            "line": self.line,
            "receipt_number": self.number and self.number.encode(errors="replace").decode(),
            "state": self.state,
        }
        if self.sale_id is not None:
            told["sale_id"] = self.sale_id
        if self.refusal is not None:
            told |= {
                "code": self.refusal.code,
                "detail": in_language(self.refusal.detail, language),
                **self.refusal.context,
            }
            if "errors" in told:
                told["errors"] = listed(told["errors"], language)
        return orjson.dumps(told, default=str, option=orjson.OPT_APPEND_NEWLINE)


class Batches(Iterator[list[Item]]):
    """At most BATCH_RECEIPTS_MAX items each, and about BATCH_LINES_MAX lines. A number that comes again begins a new
    batch, and finds the first written.

    `read_ahead` reads the next batch, if it was not read yet: whoever waits for something else has the time.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._cut = _cut(items)
        self._ahead: list[list[Item]] = []

    def read_ahead(self) -> None:
        if not self._ahead:
            self._ahead = list(islice(self._cut, 1))

    def __next__(self) -> list[Item]:
        self.read_ahead()
        if not self._ahead:
            raise StopIteration
        return self._ahead.pop()


def _cut(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    seen: set[tuple[str, str]] = set()
    lines = 0
    for item in items:
        key = None if item.receipt is None else (item.receipt.branch_id, item.receipt.receipt_number)
        if len(batch) >= BATCH_RECEIPTS_MAX or lines >= BATCH_LINES_MAX or (key is not None and key in seen):
            yield batch
            batch, seen, lines = [], set(), 0
        batch.append(item)
        if key is not None:
            seen.add(key)
        if item.receipt is not None:
            lines += len(item.receipt.lines)
    if batch:
        yield batch


class _Candidate(NamedTuple):
    item: Item
    priced: PricedSale


def load(tx: Tx, batch: Sequence[Item], meanwhile: Callable[[], None] = lambda: None) -> list[Result]:
    """Write a batch in the caller's transaction; one result per item, in order.

    `meanwhile` is called at most once, while PostgreSQL is at work, and may not use the database.
    """
    results: dict[int, Result] = {}
    candidates = _priced(tx, batch, results)
    # before we look which are new: the same upload at the same time waits here, and is known when it goes on
    room = credit.Room(tx, {_owing(each) for each in candidates if uses_credit(each.priced.receipt)})
    if candidates:
        candidates = _new_ones(tx, candidates, results)
    if candidates:
        checks = product_checks.Checks(tx, [each.priced for each in candidates])
        booked = _judged(tx, candidates, room, checks, results)
        checks.note(sale.priced for sale in _write(tx, booked, results, meanwhile))
    return [results[item.line] for item in batch]


def _priced(tx: Tx, batch: Sequence[Item], results: dict[int, Result]) -> list[_Candidate]:
    begins_on = book_of(tx.conn).begins_on
    candidates = []
    for item in batch:
        refusal = item.refusal
        if item.receipt is not None:
            try:
                tx.actor.require_branch(item.receipt.branch_id)
                candidates.append(_Candidate(item, price(item.receipt, now=tx.now, begins_on=begins_on)))
                continue
            except DomainError as error:
                refusal = error
        results[item.line] = Result(item.line, item.number, "refused", refusal=refusal)
    return candidates


def _key(candidate: _Candidate) -> tuple[str, str]:
    receipt = candidate.priced.receipt
    return receipt.branch_id, receipt.receipt_number


def _new_ones(tx: Tx, candidates: Sequence[_Candidate], results: dict[int, Result]) -> list[_Candidate]:
    known = receipts.known_receipts(tx.conn, [_key(each) for each in candidates])
    fresh = []
    for each in candidates:
        existing = known.get(_key(each))
        if existing is None:
            fresh.append(each)
            continue
        results[each.item.line] = _of_known(each, existing)
    return fresh


def _of_known(candidate: _Candidate, known: receipts.Known) -> Result:
    item = candidate.item
    try:
        same_receipt(known, candidate.priced)
    except DomainError as error:
        return Result(item.line, item.number, "refused", refusal=error)
    return Result(item.line, item.number, "duplicate", known.sale_id)


def _judged(
    tx: Tx,
    candidates: Sequence[_Candidate],
    room: credit.Room,
    checks: product_checks.Checks,
    results: dict[int, Result],
) -> list[tuple[_Candidate, Booked]]:
    today = business_date(tx.now)
    stopped = stop_sales.active(tx.conn)
    days = {each.priced.business_date for each in candidates}
    if any(each.priced.receipt.late for each in candidates):
        days.add(today)
    states = periods.hold_months(tx.conn, sorted(days))
    customers = {
        (each.priced.receipt.customer_id, each.priced.business_date)
        for each in candidates
        if each.priced.receipt.customer_id is not None
    }
    held = trade_permissions.held(tx.conn, customers)
    chart = book_of(tx.conn).chart
    booked = []
    for each in candidates:
        receipt = each.priced.receipt
        try:
            if payment_of(receipt) is not None:
                raise PointsNotInBulk("post a receipt that points pay by itself")
            checks.judge(each.priced)
            if receipt.customer_id is not None:
                day = each.priced.business_date
                trade_permissions.check(tx, held.get((receipt.customer_id, day)), receipt, day)
            if stopped:
                stop_sales.refuse(stop_sales.among(stopped, receipt))
            booked_on = _booking_day(each.priced, today, states)
        except DomainError as error:
            results[each.item.line] = Result(each.item.line, each.item.number, "refused", refusal=error)
        else:
            booked.append((each, book_sale(each.priced, booked_on, chart)))
    return _with_their_lots(tx, room, _above_floors(tx, booked, held, results), results)


def _owing(candidate: _Candidate) -> UUID:
    customer_id = candidate.priced.receipt.customer_id
    assert customer_id is not None, "credit needs a customer"
    return customer_id


def _with_their_lots(
    tx: Tx, room: credit.Room, booked: Sequence[tuple[_Candidate, Booked]], results: dict[int, Result]
) -> list[tuple[_Candidate, Booked]]:
    """What its lots' expiries and its customer's credit allow. Last of all, so that what is refused for another reason
    takes no room from the next receipt, and tells nothing of a lot.
    """
    shelf = Shelf(tx, [each.priced.receipt.lines for each, _ in booked])
    claims = channel_transactions.Claims(tx.conn, [each.priced.receipt for each, _ in booked])
    kept = []
    for each, sale in booked:
        lines, paper = each.priced.receipt.lines, _paper(each)
        try:
            shelf.judge(paper, lines)
            claims.judge(each.priced.receipt)
            if not room.is_for_nobody and (fen := credit_of(sale)):
                room.take(_owing(each), fen)
        except DomainError as error:
            results[each.item.line] = Result(each.item.line, each.item.number, "refused", refusal=error)
        else:
            shelf.add(paper, lines)
            claims.add(each.priced.receipt)
            kept.append((each, sale))
    if not shelf.keep():
        kept = [pair for pair in kept if _still_agrees(shelf, pair[0], results)]
    shelf.note()
    return kept


def _paper(candidate: _Candidate) -> Paper:
    receipt = candidate.priced.receipt
    return Paper(Source.SALE, receipt.branch_id, receipt.receipt_number)


def _still_agrees(shelf: Shelf, each: _Candidate, results: dict[int, Result]) -> bool:
    try:
        shelf.judge(_paper(each), each.priced.receipt.lines)
    except DomainError as error:
        results[each.item.line] = Result(each.item.line, each.item.number, "refused", refusal=error)
        return False
    return True


def _above_floors(
    tx: Tx,
    booked: Sequence[tuple[_Candidate, Booked]],
    held: Mapping[tuple[UUID, date], Permission],
    results: dict[int, Result],
) -> list[tuple[_Candidate, Booked]]:
    below = prices.below(tx.conn, [each.priced for each, _ in booked], held)
    for index, refusal in below.items():
        item = booked[index][0].item
        results[item.line] = Result(item.line, item.number, "refused", refusal=refusal)
    return [pair for index, pair in enumerate(booked) if index not in below]


def _booking_day(priced: PricedSale, today: date, states: Mapping[date, str]) -> date:
    if states[month_of(priced.business_date)] == PeriodState.OPEN:
        return priced.business_date
    if priced.receipt.late and states[month_of(today)] == PeriodState.OPEN:
        return today
    raise refuse_closed(priced)


def _write(
    tx: Tx,
    booked: Sequence[tuple[_Candidate, Booked]],
    results: dict[int, Result],
    meanwhile: Callable[[], None],
) -> list[Booked]:
    """Those that were written."""
    if not booked:
        return []
    claimed = receipts.claim_receipts(tx.conn, [sale for _, sale in booked])
    mine = [sale for _, sale in booked if sale.sale_id in claimed]
    lost = [each for each, sale in booked if sale.sale_id not in claimed]
    if mine:
        channel_transactions.keep(tx.conn, mine)
        copy_sales(tx, mine, ledger.new_ids(tx.conn, len(mine)), meanwhile)
        digest = [sale.priced.content_hash.hex() for sale in mine]
        audit.record(tx, "sale.post_bulk", f"{mine[0].sale_id}..{mine[-1].sale_id}", after=digest)
    for each, sale in booked:
        if sale.sale_id in claimed:
            results[each.item.line] = Result(each.item.line, each.item.number, "posted", sale.sale_id)
    if lost:
        # another upload wrote them between our look and our claim
        known = receipts.known_receipts(tx.conn, [_key(each) for each in lost])
        for each in lost:
            results[each.item.line] = _of_known(each, known[_key(each)])
    return mine
