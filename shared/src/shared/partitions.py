"""Tables divided by month: a month is made in a transaction of its own, before a row needs it.

A service with such tables has three SQL functions, written by migrations from `functions_sql` and `tell_sql`:

- `ensure_month(date)` makes what is missing of a month: the partitions and what the service adds. It runs with the
  rights of its owner (SECURITY DEFINER), so the roles that processes run under need no right to create anything; the
  migration that makes it must run as the owner of the tables. One maker at a time per database.
- `see_month(date)` says whether the month is there, and makes the caller's transaction see it: see below.
- `tell_of_months()` has every connection forget what it knows of the partitions.

Why two steps. PostgreSQL keeps what it knows of a table's partitions until it takes a lock that it does not hold yet.
A transaction that has written to the table before, or whose statement was planned while another one made the month,
fails with "no partition of relation". `see_month` therefore waits for a maker that has not ended wholly, and then reads
a catalog, which takes in all news. Statements after it find the month; the statement that calls it may not.

Why every connection is told once more. One that is reading the partitions while a maker commits may take in the news
half-way and keep the list it began with: it would miss the month until the next one is made. Who made a month, or found
it missing, therefore tells of all months in a second transaction.

Why a transaction of its own. Making a month inside a command would hold the makers' lock beside the command's own row
locks until its end: two commands then wait for each other.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from shared import postgres
from shared.database import driver_of

MAKER_LOCK = 7102
"""First key of the advisory locks of months being made; the second is year * 100 + month."""
WAIT_S_MAX = 30
"""A month that takes longer, because a migration or a backup is at work, is refused as busy."""

_making = threading.Lock()
"""One maker per process: makers queue in the database anyhow, and each takes a connection beside the pool."""


def functions_sql(parents: Sequence[str], *, also: str = "", schema: str = "public") -> tuple[str, str]:
    """The statements that create or replace `ensure_month` and `see_month` for the tables `parents` in `schema`.

    `also` is PL/pgSQL that runs once, after the partitions of the month `first` were attached.
    """
    last = parents[-1]
    tables = ", ".join(f"'{table}'" for table in parents)
    names = f"n.nspname = '{schema}' and c.relname = '{last}_y' || to_char(first, 'YYYY\"m\"MM')"
    there = f"exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where {names})"
    key = f"{MAKER_LOCK}, extract(year from first)::int * 100 + extract(month from first)::int"
    ensure = f"""
create or replace function ensure_month(wanted date) returns void language plpgsql
security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', wanted)::date;
    parent text;
    child text;
begin
    if {there} then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('ensure_month', 0));
    if {there} then
        return;
    end if;
    perform pg_advisory_xact_lock({key});
    foreach parent in array array[{tables}] loop
        child := parent || to_char(first, '"_y"YYYY"m"MM');
        -- made beside the table and attached: PARTITION OF would lock every reader and writer out
        execute format('create table {schema}.%I (like {schema}.%I including defaults including constraints)',
                       child, parent);
        execute format('alter table {schema}.%I attach partition {schema}.%I for values from (%L) to (%L)',
                       parent, child, first, (first + interval '1 month')::date);
    end loop;
    {also}
end $$
"""
    see = f"""
create or replace function see_month(wanted date) returns boolean language plpgsql volatile as $$
declare
    first date := date_trunc('month', wanted)::date;
begin
    if not {there} then
        return false;
    end if;
    perform pg_advisory_xact_lock_shared({key});
    -- reads pg_inherits, whose lock is never kept: with it come the news of the partitions
    perform pg_partition_root(to_regclass('{schema}.{last}'));
    return true;
end $$
"""
    return ensure, see


def tell_sql(parents: Sequence[str], *, schema: str = "public") -> str:
    """The statement that creates `tell_of_months` for the tables `parents` in `schema`.

    It writes a column's setting that stays as it is, under a lock that keeps out makers alone: PostgreSQL then has all
    connections read the table's description anew.
    """
    tables = ", ".join(f"'{table}'" for table in parents)
    return f"""
create or replace function tell_of_months() returns void language plpgsql
security definer set search_path = public, pg_temp as $$
declare
    parent text;
begin
    foreach parent in array array[{tables}] loop
        execute format('alter table only {schema}.%I alter column %I set statistics -1', parent,
            (select attname from pg_attribute
             where attrelid = format('{schema}.%I', parent)::regclass and attnum > 0 and not attisdropped limit 1));
    end loop;
end $$
"""


def see_months(conn: Connection, months: Iterable[date]) -> None:
    """Have `months` (first days) ready for the statements that follow in the caller's transaction.

    Raises DBAPIError with lock_not_available when a month cannot be made within WAIT_S_MAX.
    """
    wanted = sorted(set(months))
    missing = _not_seen(conn, wanted)
    if missing:
        make_months(conn, missing)
        unseen = _not_seen(conn, missing)
        assert not unseen, f"made, and not seen: {unseen}"


def _not_seen(conn: Connection, months: Sequence[date]) -> list[date]:
    with driver_of(conn) as driver:
        rows = driver.execute(
            "select month from unnest(%s::date[]) as month where not see_month(month)",
            (list(months),),
            prepare=True,
        ).fetchall()
    return [row[0] for row in rows]


def make_months(conn: Connection, months: Iterable[date]) -> None:
    """Make the months of these days that are missing and commit them, whatever becomes of the caller's transaction.

    The caller sees them by `see_month`. Raises DBAPIError with lock_not_available after WAIT_S_MAX.
    """
    url = conn.engine.url.render_as_string(hide_password=False)
    try:
        with _making, postgres.connect(url, options=f"-c lock_timeout={WAIT_S_MAX}s") as maker:
            for month in months:
                maker.execute("select ensure_month(%s)", (month,))
            maker.execute("select tell_of_months()")  # a transaction of its own: the months are committed
    except psycopg.Error as error:
        # Any: SQLAlchemy types the statement and parameters more narrowly than it handles them
        wrapped: Any = DBAPIError.instance(None, None, error, psycopg.Error)
        raise wrapped from error
