"""SQL of the writing side. A sale is one statement in one round trip; thousands are COPY (finance.bulk_rows).

The raw psycopg cursor is used throughout; its errors leave here as SQLAlchemy's, which the edge understands.
"""

from collections.abc import Collection, Sequence
from datetime import date

import orjson
from msgspec import Struct
from sqlalchemy import Connection

from finance import lots, open_items, stop_sales, trade_permissions
from finance.booking import Booked, event_of, stream_of
from finance.budgets import draws
from finance.kernel.period import PeriodClosed, PeriodState
from finance.kernel.posting import PostingLine
from finance.open_items import NewItem
from finance.trade_permissions import Permission
from shared import round_trip
from shared.clock import business_date, month_of
from shared.database import driver_of
from shared.lots import canonical
from shared.partitions import make_months
from shared.round_trip import Statement, bytea, text_array
from shared.transaction import Tx

PERIOD_LOCK = 7101
"""First key of the advisory locks of months: writers share it, closing a month takes it alone."""


class Written(Struct, frozen=True):
    """What the sale statement did: nothing when the month is missing or closed or the number is taken.

    `stopped` are lots of its lines that were off sale when it was made; `tells` whether a lot's expiry is to be told
    (finance.lots): it is new, or contradicts what holds.
    """

    added: bool
    period_state: str | None
    permission: Permission | None
    stopped: list[stop_sales.Lot]
    tells: bool


# `hold_month` may not have found the month that the snapshot of this statement shows: it was committed between them, and
# the statement was planned without its partitions. Nothing is written then, and the month is held first.
_ADD_SALE = """
with p as materialized (
    select state from periods where month = %(month)s::date and current_setting('finance.held_month', true) = %(month)s::date::text
), r as (
    insert into receipts (branch_id, receipt_number, sale_id, booked_on, content_hash)
    select %(branch)s, %(number)s, %(sale)s::uuid, %(booked)s::date, %(hash)s::bytea
    from p where state = 'open'
    on conflict (branch_id, receipt_number) do nothing
    returning 1
), s as (
    insert into sales (sale_id, booked_on, business_date, receipt_number, branch_id, customer_id, channel, sold_at,
        net_fen, tax_fen, total_fen, cost_fen, posted_by, posted_at)
    select %(sale)s::uuid, %(booked)s::date, %(day)s::date, %(number)s, %(branch)s, %(customer)s::uuid,
        %(channel)s, %(sold_at)s::timestamptz, %(net)s::bigint, %(tax)s::bigint, %(total)s::bigint, %(cost)s::bigint, %(actor)s,
        %(now)s::timestamptz from r
), l as (
    insert into sale_lines (sale_id, no, booked_on, line_id, branch_id, product_id, generic_name, category,
        temp_class, dosage_form, specification, mah, maker, approval_number, lot, lot_key, expiry, quantity,
        unit_price_fen, discount_fen, net_fen, tax_bp, tax_fen, cost_fen)
    select %(sale)s::uuid, x.no, %(booked)s::date, x.line_id, %(branch)s, x.product_id, x.generic_name,
        x.category, x.temp_class, x.dosage_form, x.specification, x.mah, x.maker, x.approval_number, x.lot,
        x.lot_key, x.expiry, x.quantity, x.unit_price_fen, x.discount_fen, x.net_fen, x.tax_bp, x.tax_fen, x.cost_fen
    from r, json_to_recordset(%(lines)s::json) as x(no smallint, line_id uuid, product_id text,
        generic_name text, category text, temp_class text, dosage_form text, specification text, mah text,
        maker text, approval_number text, lot text, lot_key text, expiry date, quantity int, unit_price_fen bigint,
        discount_fen bigint, net_fen bigint, tax_bp int, tax_fen bigint, cost_fen bigint)
    returning product_id, lot_key, expiry
), t as (
    insert into tenders (sale_id, tender, booked_on, branch_id, fen)
    select %(sale)s::uuid, x.tender, %(booked)s::date, %(branch)s, x.fen
    from r, json_to_recordset(%(tenders)s::json) as x(tender text, fen bigint)
), e as (
    insert into journal_entries (booked_on, stream, branch_id, kind, source_id, total_fen, reference, actor,
        recorded_at)
    select %(booked)s::date, %(stream)s, %(branch)s, 'sale', %(sale)s::uuid, %(posted)s::bigint, %(reference)s,
        %(actor)s, %(now)s::timestamptz from r where %(posted)s::bigint > 0
    returning id
), j as (
    insert into journal_lines (entry_id, no, booked_on, branch_id, account, customer_id, debit_fen, credit_fen)
    select e.id, x.no, %(booked)s::date, %(branch)s, x.account, x.customer_id, x.debit, x.credit
    from e, json_to_recordset(%(journal)s::json) as x(no smallint, account text, customer_id uuid, debit bigint,
        credit bigint)
), o as (
    insert into outbox (event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, traceparent,
        correlation_id, data)
    select %(event_id)s::uuid, %(type)s, %(sale)s::uuid::text, 'sale', 1, %(booked)s::date, %(total)s::bigint, %(now)s::timestamptz,
        %(traceparent)s, %(request)s, %(event)s::jsonb from r
), a as (
    insert into audit (stream, at, actor, roles, action, subject, after_hash, request_id)
    select %(audit)s, %(now)s::timestamptz, %(actor)s, %(roles)s::text[], 'sale.post', %(sale)s::uuid::text, %(digest)s,
        %(request)s from r
)
"""
_WRITTEN = (
    f"select (select count(*) from r), (select state from p), ({stop_sales.OF_ONE_SALE}), {lots.OF_ONE_SALE}"
)
_HOLD_MONTH = Statement("select hold_month(%(month)s::date)")
_PERMISSION = Statement(trade_permissions.OF_ONE)
_SALE = Statement(_ADD_SALE + _WRITTEN)
_SALE_ON_CREDIT = Statement(_ADD_SALE + open_items.OF_ONE_SALE + _WRITTEN)


def add_sale(tx: Tx, booked: Booked) -> Written:
    """Write every row of the sale, in one round trip, if its month is open and its number is free.

    The caller judges the permission that comes back and rolls back by raising. The month stays open until the
    caller's transaction ends.
    """
    parameters = _sale_parameters(tx, booked)
    statement = _SALE
    if credit_fen := open_items.credit_of(booked):
        statement = _SALE_ON_CREDIT
        parameters["credit"] = str(credit_fen)
        parameters["terms"] = booked.terms or open_items.default_terms(booked.priced.business_date)
        # terms agreed for this sale go before those of the customer
        parameters["terms_of"] = None if booked.terms else parameters["customer"]
    # the month by itself, before: the statement that writes is planned with all partitions of the month in sight
    asked = [(_HOLD_MONTH, parameters), (statement, parameters)]
    if booked.priced.receipt.customer_id is not None:
        asked.insert(0, (_PERMISSION, parameters))
    *found, _, added = round_trip.run(tx.conn, asked)
    count, state, stopped, tells = (added.get_value(0, column) for column in range(4))
    is_added = count == b"1"
    tx.has_events = tx.has_events or is_added
    return Written(
        is_added,
        state.decode() if state else None,
        trade_permissions.read(found[0]) if found else None,
        [(product, lot) for product, lot in orjson.loads(stopped or b"[]")],
        tells == b"t",
    )


def _sale_parameters(tx: Tx, booked: Booked) -> dict[str, str | None]:
    priced, receipt = booked.priced, booked.priced.receipt
    customer_id = None if receipt.customer_id is None else str(receipt.customer_id)
    booked_on = booked.booked_on.isoformat()
    return {
        "branch": receipt.branch_id,
        "number": receipt.receipt_number,
        "sale": booked.sale_id,
        "booked": booked_on,
        "month": booked_on[:8] + "01",
        "day": priced.business_date.isoformat(),
        "hash": bytea(priced.content_hash),
        "customer": customer_id,
        "channel": receipt.channel.value,
        "sold_at": receipt.sold_at.isoformat(),
        "net": str(priced.net_fen),
        "tax": str(priced.tax_fen),
        "total": str(priced.total_fen),
        "cost": str(priced.cost_fen),
        "actor": tx.actor.id,
        "roles": text_array(sorted(tx.actor.roles)),
        "now": tx.now.isoformat(),
        "lines": _lines_json(booked),
        "tenders": orjson.dumps(
            [{"tender": each.tender.value, "fen": each.amount.fen} for each in receipt.tenders]
        ).decode(),
        "stream": stream_of(booked.booked_on),
        "posted": str(booked.posted_fen),
        "reference": booked.reference,
        "journal": _journal_json(booked.postings, customer_id),
        "event_id": booked.event_id,
        "type": booked.event_type,
        "event": event_of(booked).decode(),
        "traceparent": tx.traceparent,
        "request": tx.correlation_id or tx.request_id,
        "audit": f"{business_date(tx.now):%Y-%m}",
        "digest": priced.content_hash.hex(),
    }


def _lines_json(booked: Booked) -> str:
    priced = booked.priced
    lines = zip(priced.receipt.lines, booked.line_ids, priced.line_net_fen, priced.line_tax_fen, strict=True)
    return orjson.dumps(
        [
            {
                "no": no,
                "line_id": line_id,
                "product_id": line.product.id,
                "generic_name": line.product.generic_name,
                "category": line.product.category,
                "temp_class": line.product.temp_class.value,
                "dosage_form": line.product.dosage_form,
                "specification": line.product.specification,
                "mah": line.product.mah,
                "maker": line.product.maker,
                "approval_number": line.product.approval_number,
                "lot": line.lot,
                "lot_key": canonical(line.lot),
                "expiry": line.expiry,
                "quantity": line.quantity,
                "unit_price_fen": line.unit_price.fen,
                "discount_fen": line.discount.fen,
                "net_fen": net,
                "tax_bp": line.tax_bp,
                "tax_fen": tax,
                "cost_fen": line.cost.fen,
            }
            for no, (line, line_id, net, tax) in enumerate(lines, 1)
        ]
    ).decode()


def _journal_json(postings: Sequence[PostingLine], customer_id: str | None) -> str:
    return orjson.dumps(
        [
            {
                "no": no,
                "account": line.account,
                "customer_id": (line.customer_id or customer_id) if line.is_receivable else None,
                "debit": line.debit_fen,
                "credit": line.credit_fen,
            }
            for no, line in enumerate(postings, 1)
        ]
    ).decode()


def _month_key(day: date) -> int:
    return day.year * 100 + day.month


# --- months -----------------------------------------------------------------------------------------


def ensure_month(conn: Connection, day: date) -> None:
    """Make the partitions and the open period of the month of `day`; they stay, whatever becomes of the caller.

    A month that exists stays as it is. The caller sees the month once it holds it.
    """
    make_months(conn, [month_of(day)])


def hold_months(conn: Connection, days: Sequence[date]) -> dict[date, str]:
    """Make the months that are missing, keep all from closing until the transaction ends, and say their states."""
    months = sorted({month_of(day) for day in days})
    states = _held(conn, months)
    missing = [month for month in months if states[month] is None]
    if missing:
        make_months(conn, missing)
        states |= _held(conn, missing)
    return {month: state for month, state in states.items() if state is not None}


def _held(conn: Connection, months: Sequence[date]) -> dict[date, str | None]:
    with driver_of(conn) as driver:
        rows = driver.execute(
            "select month, hold_month(month) from unnest(%s::date[]) as month", (list(months),), prepare=True
        ).fetchall()
    return dict(rows)


def booking_day(tx: Tx, wanted: date) -> tuple[date, str | None]:
    """The day of a fact while its month is open, else today with a reference; the month stays open. Raises PeriodClosed."""
    return booking_days(tx, {wanted})[wanted]


def booking_days(tx: Tx, wanted: Collection[date]) -> dict[date, tuple[date, str | None]]:
    """`booking_day` of each day."""
    today = business_date(tx.now)
    states = hold_months(tx.conn, [*wanted, today])
    found: dict[date, tuple[date, str | None]] = {}
    for day in wanted:
        if states[month_of(day)] == PeriodState.OPEN:
            found[day] = day, None
        elif states[month_of(today)] == PeriodState.OPEN:
            found[day] = today, f"late:{day:%Y-%m}"
        else:
            raise PeriodClosed("no open period to book to")
    return found


def hold_month_alone(conn: Connection, month: date) -> None:
    """Wait until no writer of the month is left, and let none begin, until the transaction ends."""
    conn.exec_driver_sql(
        "select pg_advisory_xact_lock(%s, %s), see_month(%s)", (PERIOD_LOCK, _month_key(month), month)
    )


# --- what is known ----------------------------------------------------------------------------------


class Known(Struct, frozen=True):
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


# --- bulk -------------------------------------------------------------------------------------------

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


def entry_ids(conn: Connection, count: int) -> list[int]:
    """Ids of journal entries that nobody else gets, ascending."""
    with driver_of(conn) as driver:
        rows = driver.execute(
            "select nextval('journal_entry_ids') from generate_series(1, %s)", (count,), prepare=True
        ).fetchall()
    return [row[0] for row in rows]


# --- entries of reactions ---------------------------------------------------------------------------


def add_entry(
    tx: Tx,
    *,
    booked_on: date,
    branch_id: str,
    kind: str,
    source_id: str,
    postings: Sequence[PostingLine],
    customer_id: str | None,
    reference: str | None = None,
    items: Sequence[NewItem] | None = None,
    corrects_id: int | None = None,
    charged_to: tuple[str, str] = ("", ""),
) -> None:
    """Post one entry of a reaction or command; the month is held open by the caller. Nothing to post, no entry.

    It draws on the budgets of what it spends, those of a (department, campaign), and raises what budgets.draws refuses.
    `items` are the open items of its lines on 1122, when they are not simply one per line, due at once.
    """
    total = sum(line.debit_fen for line in postings)
    if not total:
        return
    draws.draw(tx, kind, source_id, branch_id, charged_to, booked_on, postings, corrects_id)
    tx.conn.exec_driver_sql(
        "with e as (insert into journal_entries (booked_on, stream, branch_id, kind, source_id, total_fen,"
        " reference, corrects_id, actor, recorded_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id)"
        " insert into journal_lines (entry_id, no, booked_on, branch_id, account, customer_id, debit_fen,"
        " credit_fen) select e.id, x.no, %s, %s, x.account, x.customer_id, x.debit, x.credit from e,"
        " json_to_recordset(%s::json) as x(no smallint, account text, customer_id uuid, debit bigint,"
        " credit bigint)",
        (
            booked_on,
            stream_of(booked_on),
            branch_id,
            kind,
            source_id,
            total,
            reference,
            corrects_id,
            tx.actor.id,
            tx.now,
            booked_on,
            branch_id,
            _journal_json(postings, customer_id),
        ),
    )
    open_items.add_for_entry(
        tx,
        booked_on=booked_on,
        branch_id=branch_id,
        kind=kind,
        source_id=source_id,
        postings=postings,
        customer_id=customer_id,
        items=items,
    )
