"""The role of a running service owns nothing and may do to its books only what their tables declare."""

import subprocess

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from apotheca.postgres import programs
from shared.service import load
from tests.support.restoring import restore
from tests.support.roles import as_role, deployed, rights_around

PACKAGES = ("customers", "finance", "service_desk", "returns", "reporting")
REFUSED = "42501"


@pytest.fixture(scope="module", params=PACKAGES)
def database(request, postgres):
    url, owner, runtime = deployed(postgres, request.param)
    yield request.param, url, owner, runtime
    postgres.drop_database(url)


def plain(url):
    return url.replace("+psycopg", "", 1)


def tables_of(package):
    return list(load(package).metadata.tables.values())


def refusal(conn, statement):
    """The SQLSTATE of a statement that the database refuses, None of one that it does."""
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_the_runtime_role_owns_nothing(database):
    package, url, _, _ = database
    with psycopg.connect(plain(url)) as conn:
        owned = conn.execute(
            "select classid::regclass::text, objid from pg_shdepend where refobjid = %s::regrole and deptype = 'o'",
            [package],
        ).fetchall()
        may = conn.execute(
            "select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls,"
            " has_schema_privilege(oid, 'public', 'create'), has_database_privilege(oid, current_database(), 'create')"
            " from pg_roles where rolname = %s",
            [package],
        ).fetchone()
    assert (owned, may) == ([], (False,) * 6)


def test_no_table_can_be_dropped_altered_or_emptied_by_the_runtime_role(database):
    package, _, _, runtime = database
    with psycopg.connect(plain(runtime)) as conn:
        done = [
            statement
            for table in tables_of(package)
            for statement in (
                f"drop table {table.fullname} cascade",
                f"alter table {table.fullname} disable trigger all",
                f"alter table {table.fullname} add column forged int",
                f"truncate {table.fullname} cascade",
                f"create trigger t before insert on {table.fullname} execute function row_log_writer()",
            )
            if refusal(conn, statement) != REFUSED
        ]
        done += [
            statement
            for statement in (
                "create table forged (id int)",
                "create schema forged",
                "set session_replication_role = replica",
                "insert into row_log (relation, op, keys, hashes, writer) values ('', '', '{}', '{}', '')",
            )
            if refusal(conn, statement) != REFUSED
        ]
    assert done == []


def test_rows_are_deleted_only_where_a_table_says_why(database):
    package, _, _, runtime = database
    with psycopg.connect(plain(runtime)) as conn:
        for table in tables_of(package):
            expected = None if table.info.get("removes") else REFUSED
            assert refusal(conn, f"delete from {table.fullname}") == expected, table.name


def test_columns_of_append_only_tables_cannot_be_updated(database):
    package, _, _, runtime = database
    with psycopg.connect(plain(runtime)) as conn:
        for table in tables_of(package):
            changes = table.info.get("changes") or ("working" in table.info and "apart" not in table.info)
            for column in table.columns:
                if column.computed is not None or column.identity is not None:
                    continue
                statement = f'update {table.fullname} set "{column.name}" = "{column.name}" where false'
                may = column.name in table.info.get("apart", ()) or column.name == table.info.get("locks")
                expected = None if changes or may else REFUSED
                assert refusal(conn, statement) == expected, (table.name, column.name)


def test_the_runtime_role_makes_the_partitions_of_a_new_month_through_its_owner(database):
    package, _, _, runtime = database
    with psycopg.connect(plain(runtime), autocommit=True) as conn:
        if package in {"finance", "returns", "reporting"}:
            conn.execute("select ensure_month('2031-05-01')")
            assert conn.execute("select see_month('2031-05-01')").fetchone() == (True,)


def test_no_other_service_may_connect_also_after_a_restore(database, postgres, tmp_path):
    package, url, _, runtime = database
    stranger = "returns" if package != "returns" else "finance"
    other, _, _ = deployed(postgres, stranger)
    dump, half = tmp_path / "one.dump", tmp_path / "half.dump"
    run_program("pg_dump", "-Fc", "-f", str(dump), plain(url))
    half.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    restored = postgres.url(package)
    try:
        assert restore(restored, package, half, tmp_path).returncode != 0
        assert tables_in(restored) == 0, "a dump that is broken leaves nothing behind"
        done = restore(restored, package, dump, tmp_path)
        assert (done.returncode, done.stdout.startswith(f"restored {package}; ")) == (0, True), done.stderr
        held = tables_in(restored)
        again = restore(restored, package, dump, tmp_path)
        assert again.returncode == 1
        assert f"the database {package} holds {held} tables; drop it first" in again.stderr
        assert tables_in(restored) == held > 0
        for target in (url, restored):
            intruder = make_url(runtime).set(username=stranger, database=make_url(target).database)
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(plain(intruder.render_as_string(hide_password=False)))
        psycopg.connect(plain(as_role(restored, package))).close()
        with psycopg.connect(plain(restored)) as conn:
            owned = conn.execute(
                "select count(*) from pg_class where relowner = %s::regrole", [package]
            ).fetchone()
            owners = conn.execute(
                "select distinct relowner::regrole::text from pg_class c join pg_namespace n on n.oid = relnamespace"
                " where nspname !~ '^(pg_|information_schema)' and relkind in ('r', 'p')"
            ).fetchall()
        assert (owned, owners) == ((0,), [(f"{package}_owner",)])
    finally:
        postgres.drop_database(package)
        postgres.drop_database(other)


def tables_in(url):
    with psycopg.connect(plain(url)) as conn:
        [(found,)] = conn.execute(
            "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace"
            " where nspname !~ '^(pg_|information_schema)' and relkind in ('r', 'p')"
        ).fetchall()
    return found


def run_program(name, *arguments):
    subprocess.run([str(programs() / name), *arguments], check=True, capture_output=True, timeout=120)


def test_what_older_installations_left_to_the_runtime_role_goes_to_the_owner(postgres):
    url = postgres.create_database()
    rights_around(url, "returns")
    with psycopg.connect(plain(url), autocommit=True) as conn:
        conn.execute("create schema facts; create table facts.old (id bigint generated always as identity)")
        conn.execute("create sequence loose; create function f() returns int language sql as 'select 1'")
        for what in ("schema facts", "table facts.old", "sequence loose", "function f()"):
            conn.execute(sql.SQL(f"alter {what} owner to returns"))
    rights_around(url, "returns")
    with psycopg.connect(plain(url)) as conn:
        [(left,)] = conn.execute(
            "select count(*) from pg_shdepend where refobjid = 'returns'::regrole and deptype = 'o'"
            " and dbid = (select oid from pg_database where datname = current_database())"
        ).fetchall()
    assert left == 0
    postgres.drop_database(url)
