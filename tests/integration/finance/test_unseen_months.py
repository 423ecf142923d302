"""A month that nobody has seen is made before its first row, whoever writes it and however many at once."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import msgspec
import pytest
from sqlalchemy import create_engine

from finance.app import SERVICE
from finance.book.store import book_of
from finance.kernel.receipt import Receipt
from finance.periods import store
from finance.sales.rules.pricing import book_sale, price
from finance.sales.store import one
from shared.app import new_app
from shared.clock import next_month, utc_now
from shared.identity import system_actor
from shared.settings import Settings
from shared.transaction import Tx
from tests.support.debtors import a_debtor, pay
from tests.support.eventually import eventually
from tests.support.finance_builders import Office, a_line, a_receipt, money, ndjson
from tests.support.roles import behind

WRITERS = 16


@pytest.fixture(scope="module")
def shop(migrated_database, tmp_path_factory):
    """An office with a connection for each writer, so that they meet in the database and not before it."""
    office = Office(url := migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    office.close()
    office.app = new_app(
        SERVICE, Settings(database_url=url, jwks=str(office.issuer.jwks), database_pool_size=WRITERS)
    )
    office.database = office.app.extensions["database"]
    yield office
    office.close()


def months(first, count):
    found = [first]
    while len(found) < count:
        found.append(next_month(found[-1]))
    return found


def in_middle_of(month):
    return month + timedelta(days=9)


def a_sale_of(month, **odd):
    lines = [a_line(expiry="2099-12-31", tax_bp=0)]
    return a_receipt(lines=lines, sold_at=f"{in_middle_of(month)}T03:00:00Z", **odd)


def a_voucher_of(month):
    return {
        "booked_on": str(in_middle_of(month)),
        "branch_id": "S001",
        "summary": "房租",
        "lines": [{"account": "6601.23", "debit": money(5)}, {"account": "1002", "credit": money(5)}],
    }


def kept_at(call):
    """The answer once it is no longer "too many at once", as a till that obeys Retry-After gets it."""
    answers = []

    def is_let_in():
        answers.append(call())
        return answers[-1].status_code != 429

    eventually(is_let_in, within_s=120)
    return answers[-1]


def statuses_of_upload(shop, receipts):
    uploaded = kept_at(lambda: shop.upload(ndjson(receipts)))
    assert uploaded.status_code == 200, uploaded.text
    lines = [json.loads(line) for line in uploaded.data.splitlines()]
    return [201 if line["state"] == "posted" else line for line in lines]


@pytest.mark.requirement("F1")
def test_sixteen_writers_open_forty_unseen_months_at_once(shop):
    unseen = months(date(2012, 1, 1), 40)

    def write(seed):
        order = random.Random(seed).sample(unseen, len(unseen))
        single = [
            kept_at(lambda month=month: shop.post("/v1/sales", a_sale_of(month))).status_code
            for month in order[:24]
        ]
        return single + statuses_of_upload(shop, [a_sale_of(month) for month in order[24:]])

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = [status for each in pool.map(write, range(WRITERS)) for status in each]
    assert answers == [201] * (WRITERS * 40)
    booked = "select count(*) from journal_entries where booked_on between '2012-01-01' and '2015-04-30'"
    assert shop.value(booked) == WRITERS * 40
    assert shop.value("select count(*) from periods where month between '2012-01-01' and '2015-04-01'") == 40


def test_every_route_that_books_opens_the_months_it_needs(shop):
    unseen = months(date(2016, 1, 1), 24)
    customer = a_debtor(shop)

    def paid_on(day):
        return pay(shop, customer, 5_000, received_on=str(day))

    def voucher(month):
        drafted = shop.post("/v1/vouchers", a_voucher_of(month), role="accountant")
        decided = {"decision": "approved", "reason": None}
        path = f"/v1/vouchers/{drafted.json['voucher_id']}/decisions"
        return shop.post(path, decided, role="finance_head")

    def goods(month):
        return shop.post("/v1/sales", a_sale_of(month, customer_id=None))

    def write(number):
        month = unseen[number // 2]
        route = (goods, voucher, lambda month: paid_on(in_middle_of(month)))[number % 3]
        return kept_at(lambda: route(month))

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(write, range(48)))
    assert [each.text for each in answers if each.status_code // 100 != 2] == []


def test_a_transaction_that_has_written_sees_a_month_made_meanwhile(shop):
    old, made = date(2019, 1, 1), date(2019, 2, 1)
    insert = "insert into tenders (sale_id, tender, booked_on, branch_id, fen) values (gen_random_uuid(), 'cash', %s, 'S001', 1)"
    with shop.database.begin() as conn:
        store.hold_months(conn, [old])
        conn.exec_driver_sql(insert, (old,))
        with shop.database.begin() as other:
            store.hold_months(other, [made])
        store.hold_months(conn, [made])
        conn.exec_driver_sql(insert, (made,))
    assert shop.value("select count(*) from tenders where booked_on >= :made", made=made) == 1


def test_a_writer_waits_for_a_maker_that_has_not_ended(shop):
    """However the two meet: the maker commits before, while and after the writer looks for the month."""
    maker = create_engine(shop.database.url)
    with ThreadPoolExecutor(1) as pool:
        for number, month in enumerate(months(date(2022, 1, 1), 24)):
            with maker.begin() as conn:
                conn.exec_driver_sql("select ensure_month(%s)", (month,))
                sold = pool.submit(shop.post, "/v1/sales", a_sale_of(month))
                conn.exec_driver_sql("select pg_sleep(%s)", (number * 0.001,))
            answer = sold.result(timeout=30)
            assert answer.status_code == 201, answer.text
    maker.dispose()


def test_a_sale_is_written_only_to_a_month_that_was_held_before(shop):
    """A maker may commit between the look for the month and the statement that writes, planned without its partitions."""
    month = date(2024, 6, 1)
    with shop.database.begin() as conn:
        store.hold_months(conn, [month])
    with behind(shop.database) as conn:
        conn.exec_driver_sql("create schema early")
        conn.exec_driver_sql("create function early.hold_month(date) returns text return null::text")
        conn.exec_driver_sql("set local search_path = early, public")
        book = book_of(conn)
        now = utc_now()
        priced = price(msgspec.convert(a_sale_of(month), Receipt), now=now, begins_on=book.begins_on)
        booked = book_sale(priced, priced.business_date, book.chart, None, ())
        written = one.add_sale(Tx(conn=conn, actor=system_actor("finance"), now=now), booked)
        conn.rollback()
    assert (written.added, written.period_state) == (False, None)


def test_a_month_stays_when_the_command_that_needed_it_is_undone(shop):
    month = date(2021, 5, 1)
    with shop.database.engine.connect() as conn:
        store.hold_months(conn, [month])
        conn.rollback()
    assert shop.value("select state from periods where month = :month", month=month) == "open"
