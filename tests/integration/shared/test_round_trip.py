"""Statements in one round trip: in order, all or nothing, and prepared as often as psycopg forgets."""

import json

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared import round_trip
from shared.database import Database, driver_of
from shared.round_trip import Statement, bytea, text_array

TAKE = Statement("insert into idempotency_keys (key, actor, route, body_hash, status, response, created_at)"
                 " values (%(key)s, 'a', 'r', %(bytes)s, 201, %(bytes)s, now()) returning key")  # fmt: skip
COUNT = Statement("select count(*) from idempotency_keys where key = %(key)s")
TEXTS = Statement("select array_to_json(%(texts)s::text[]), %(nothing)s::text, %(bytes)s::bytea = '\\x00ff'")
BROKEN = Statement("select 1 / %(key)s::int")
ONE = {"key": "1", "bytes": bytea(b"\x00\xff")}


@pytest.fixture
def database(migrated_database):
    database = Database(migrated_database("returns"), pool_size=1)
    yield database
    database.dispose()


def counted(database):
    with database.begin() as conn:
        return int(round_trip.run(conn, [(COUNT, ONE)])[0].get_value(0, 0))


def test_answers_come_in_the_order_of_the_statements_with_and_without_preparing(database):
    for _ in range(3):
        with database.begin() as conn:
            before, taken, after = round_trip.run(conn, [(COUNT, ONE), (TAKE, ONE), (COUNT, ONE)])
            assert [each.get_value(0, 0) for each in (before, taken, after)] == [b"0", b"1", b"1"]
            conn.rollback()


def test_parameters_arrive_as_they_are(database):
    texts = ["plain", 'with "quotes"', "back\\slash", "{a,b}", "药", "", "null"]
    with database.begin() as conn:
        given = {"texts": text_array(texts), "nothing": None, **ONE}
        (row,) = round_trip.run(conn, [(TEXTS, given)])
    assert json.loads(row.get_value(0, 0)) == texts
    assert [row.get_value(0, 1), row.get_value(0, 2)] == [None, b"t"]


def test_the_transaction_commits_with_the_last_message_and_the_block_has_nothing_left_to_do(database):
    with database.begin() as conn:
        round_trip.run(conn, [(TAKE, ONE)], commit=True)
        with driver_of(conn) as driver:
            assert driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert counted(database) == 1


@pytest.mark.parametrize("asked", [[TAKE, BROKEN], [BROKEN, TAKE]], ids=["after", "before"])
def test_nothing_is_committed_when_one_of_the_statements_fails(database, asked):
    zero = {**ONE, "key": "0"}
    with pytest.raises(DBAPIError) as refused, database.begin() as conn:
        round_trip.run(conn, [(each, zero) for each in asked], commit=True)
    assert isinstance(refused.value.orig, psycopg.errors.DivisionByZero)
    with database.begin() as conn:
        assert round_trip.run(conn, [(COUNT, zero)])[0].get_value(0, 0) == b"0"


def test_a_key_taken_twice_names_its_table_and_takes_back_the_rest(database):
    with database.begin() as conn:
        round_trip.run(conn, [(TAKE, ONE)], commit=True)
    with pytest.raises(IntegrityError) as refused, database.begin() as conn:
        round_trip.run(conn, [(TAKE, {**ONE, "key": "2"}), (TAKE, ONE)], commit=True)
    assert refused.value.orig.diag.table_name == "idempotency_keys"
    with database.begin() as conn:
        assert round_trip.run(conn, [(COUNT, {"key": "2"})])[0].get_value(0, 0) == b"0"


def test_a_connection_whose_server_forgot_what_was_prepared_goes_on(database):
    for _ in range(3):
        with database.begin() as conn:
            round_trip.run(conn, [(COUNT, ONE)])
            with driver_of(conn) as driver:
                driver.execute("select 1", prepare=True)
            conn.rollback()  # psycopg now lets the server forget all that is prepared
        with database.begin() as conn, conn.begin_nested() as inner:
            round_trip.run(conn, [(COUNT, ONE)])
            inner.rollback()


def test_a_connection_that_was_lost_in_between_is_given_up(database):
    with pytest.raises(DBAPIError):
        ask_after_losing_it(database)
    assert counted(database) == 0


def ask_after_losing_it(database):
    with database.begin() as conn:
        pid = conn.exec_driver_sql("select pg_backend_pid()").scalar_one()
        with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", (pid,))
        round_trip.run(conn, [(TAKE, ONE)], commit=True)


def test_what_cannot_be_encoded_sends_nothing_and_leaves_the_connection_usable(database):
    with database.begin() as conn:
        with pytest.raises(UnicodeEncodeError):
            round_trip.run(conn, [(TAKE, ONE), (COUNT, {"key": "\ud800"})])
        assert round_trip.run(conn, [(COUNT, ONE)])[0].get_value(0, 0) == b"0"
