"""Every SQLSTATE has one answer to the question whose fault it is, and it does not come from Python's classes."""

import psycopg
import pytest
import sqlalchemy
from flask import Flask
from psycopg import errors

from shared import problems
from shared.sqlstates import Fault, fault_of, is_stale, is_transient, sqlstate_of

pytestmark = pytest.mark.requirement("X3")

EVERY = {
    kind.sqlstate: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, psycopg.Error) and kind.sqlstate
}
SYSTEM = {
    *("08000", "08001", "08003", "08004", "08006", "08007", "08P01"),
    *("40000", "40001", "40002", "40003", "40P01"),
    *("53000", "53100", "53200", "53300", "53400"),
    *("57P01", "57P02", "57P03", "57P04", "57P05"),
}
DATABASE = {"25006", "28000", "28P01", "3D000", "3F000", "42501", "42703", "42883", "42P01", "55P03"}


@pytest.mark.parametrize("state", sorted(EVERY))
def test_each_sqlstate_is_the_fault_of_the_system_of_the_database_or_of_the_work(state):
    expected = Fault.SYSTEM if state in SYSTEM else Fault.DATABASE if state in DATABASE else Fault.WORK
    error = EVERY[state]("said by the server")
    assert fault_of(error) is expected
    wrapped = sqlalchemy.exc.DBAPIError.instance("statement", {}, error, psycopg.Error)
    assert fault_of(wrapped) is expected
    assert sqlstate_of(wrapped) == state


def test_the_whole_table_of_the_driver_is_asked():
    assert len(EVERY) > 200
    assert set(EVERY) >= SYSTEM | DATABASE


def test_a_code_that_the_driver_does_not_know_is_judged_by_its_class():
    class Unheard(psycopg.OperationalError):
        sqlstate = "53999"

    class Extension(psycopg.OperationalError):
        sqlstate = "58999"

    assert fault_of(Unheard()) is Fault.SYSTEM
    assert fault_of(Extension()) is Fault.WORK


def test_without_a_code_a_lost_connection_is_the_systems_and_a_value_of_ours_is_not():
    assert is_transient(psycopg.OperationalError("server closed the connection unexpectedly"))
    assert is_transient(psycopg.InterfaceError("the connection is closed"))
    assert is_transient(sqlalchemy.exc.TimeoutError())
    assert not is_transient(psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"))
    assert not is_transient(psycopg.ProgrammingError("the query has 1 placeholder"))
    assert not is_transient(KeyError("lines"))


def test_an_index_row_that_is_too_long_never_waits():
    assert not is_transient(errors.ProgramLimitExceeded("index row size 2712 exceeds btree maximum"))


def test_what_a_migration_or_a_failover_left_behind_asks_for_a_new_connection():
    assert is_stale(errors.FeatureNotSupported("cached plan must not change result type"))
    assert is_stale(errors.InvalidSqlStatementName("prepared statement _pg3_0 does not exist"))
    assert is_stale(errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"))
    assert not is_stale(errors.UniqueViolation("twice"))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.TooManyConnections("sorry, too many clients already"), 503),
        (errors.DiskFull("could not extend file"), 503),
        (errors.DeadlockDetected("deadlock detected"), 503),
        (errors.ProgramLimitExceeded("index row size exceeds btree maximum"), 422),
        (errors.CharacterNotInRepertoire("invalid byte sequence"), 422),
        (errors.UndefinedColumn("column does not exist"), 500),  # a bug of ours is never called "try again"
        (errors.FeatureNotSupported("cannot do that"), 500),
    ],
)
def test_a_request_hears_whose_fault_it_was(error, status):
    with Flask("edge").test_request_context():
        wrapped = sqlalchemy.exc.DBAPIError.instance("statement", {}, error, psycopg.Error)
        assert problems.database_problem(wrapped).status_code == status
