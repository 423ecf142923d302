"""Whatever somebody does to one row past the service, as owner of the tables and with the triggers off, is found.

Tables, rows, columns and values are drawn at random from the catalogue of the database; the seed is printed.
APOTHECA_TEST_SEED repeats a run, APOTHECA_TEST_TAMPERINGS says how many rows of each service are harmed.
"""

import os
import random
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import row_log, verification
from tests.support import worlds
from tests.support.roles import behind, superusers
from tests.support.sealing import settle

TAMPERINGS = int(os.environ.get("APOTHECA_TEST_TAMPERINGS", "40"))
SEED = int(os.environ.get("APOTHECA_TEST_SEED", "0")) or random.randrange(1, 10**6)
PACKAGES = ("customers", "finance", "service_desk", "returns", "reporting")


@pytest.fixture(scope="module", params=PACKAGES)
def world(request, migrated_database, tmp_path_factory):
    made = worlds.World(request.param, migrated_database(request.param), tmp_path_factory.mktemp("keys"))
    worlds.WORLDS[request.param](made)
    made.database = made.app.extensions["database"]
    settle(made.database, made.service)
    yield made
    made.app.extensions["wakeup"].close()
    made.database.dispose()


def faults(conn, service):
    return [
        fault
        for each in verification.every_chain(service)
        for fault in verification.faults_of(conn, service, each)
    ]


def test_a_world_that_nobody_touched_is_sound(world):
    with world.database.begin() as conn:
        assert faults(conn, world.service) == []


def test_rows_are_written_down_anew_when_their_content_is_defined_otherwise(world):
    tables = list(world.service.metadata.tables.values())
    followed = [
        replace(each, content_sql=f"concat('new', {each.content_sql})") for each in world.service.followed
    ]
    with behind(world.database) as conn:
        for one in row_log.guarded(tables):
            conn.exec_driver_sql(f"comment on function {one.function}() is 'what it was before'")
        row_log.install(conn, tables, followed)
        assert list(row_log.verify(conn, tables, followed, world.service.proofs)) == []
        told = text("select count(*) from row_log where op in ('adopt', 'delete')")
        before = conn.execute(told).scalar()
        row_log.install(conn, tables, followed)
        assert conn.execute(told).scalar() == before
        conn.rollback()


def books(world):
    """The tables that verification is about: all but those that are declared as working, with a reason."""
    proved = {"outbox_head", "outbox_totals", "chain_heads", "row_log"}
    return [
        table
        for table in world.service.metadata.tables.values()
        if "working" not in table.info or table.name in proved
    ]


def test_any_change_of_one_row_is_found(world):
    print(f"APOTHECA_TEST_SEED={SEED}")
    chance = random.Random(f"{SEED} {world.service.name}")
    tables, unfound, done = books(world), [], 0
    with world.database.begin() as conn:
        filled = [
            each for each in tables if conn.execute(text(f"select 1 from {each.fullname} limit 1")).first()
        ]
    chance.shuffle(filled)
    for at in range(TAMPERINGS):
        table = filled[at % len(filled)]
        # a forged line of the log itself waits a minute for its number before it is a fault
        harm = chance.choice((altered, removed, altered if table.name == "row_log" else inserted))
        if table.name == "outbox_head":  # of a service that told nothing yet, its absence says the same
            harm = altered
        with behind(world.database) as conn:
            conn.exec_driver_sql("set local session_replication_role = replica")
            said = harm(conn, table, chance)
            if said and not faults(conn, world.service):
                unfound.append(said)
            done += bool(said)
            conn.rollback()
    assert unfound == []
    assert done > TAMPERINGS // 2


def a_row(conn, table, chance):
    """Where one row of the table is, as a condition."""
    place = conn.execute(
        text(f"select tableoid::oid::text, ctid::text from {table.fullname} order by random() limit 1")
    ).one()
    return f"tableoid = {place[0]} and ctid = '{place[1]}'"


def altered(conn, table, chance):
    # where the log is and whether that is disputed says shared.incarnation
    columns = [each for each in table.columns if each.computed is None]
    if table.name == "outbox_head":
        columns = [table.c.last_seq, table.c.log_hash, table.c.epoch]
    column = chance.choice(columns)
    where = a_row(conn, table, chance)
    value = another(column, chance)
    with conn.begin_nested() as savepoint:
        try:
            changed = conn.execute(
                text(
                    f'update {table.fullname} set "{column.name}" = {value} where {where}'
                    f' and "{column.name}" is distinct from ({value})'
                )
            ).rowcount
        except DBAPIError:  # a value that the table itself refuses harms nothing
            savepoint.rollback()
            return None
    return f"{table.fullname}.{column.name} = {value}" if changed else None


def removed(conn, table, chance):
    conn.execute(text(f"delete from {table.fullname} where {a_row(conn, table, chance)}"))
    return f"a row of {table.fullname} deleted"


def inserted(conn, table, chance):
    """A copy of a row under another key."""
    keys = {column.name for column in table.primary_key}
    unique = [column for column in table.columns if column.unique or column.name in keys]
    values = {column.name: another(column, chance) for column in unique}
    if table.name == "outbox":  # an event may wait a minute for its number: the copy is of an hour ago
        values["recorded_at"] = "clock_timestamp() - interval '1 hour'"
    unsealed = {"chain_no", "chain_hash", "seq", "log_hash"} & {
        column.name for column in table.columns
    } - keys
    columns = [each.name for each in table.columns if each.computed is None]
    selected = ", ".join(values.get(name, "null" if name in unsealed else f'"{name}"') for name in columns)
    listed = ", ".join(f'"{name}"' for name in columns)
    with conn.begin_nested() as savepoint:
        try:
            conn.execute(
                text(
                    f"insert into {table.fullname} ({listed}) overriding system value"
                    f" select {selected} from {table.fullname} where {a_row(conn, table, chance)}"
                )
            )
        except DBAPIError:
            savepoint.rollback()
            return None
    return f"a copy into {table.fullname}"


def another(column, chance):
    """SQL of a value that is hardly the one that stands there."""
    name, kind = f'"{column.name}"', str(column.type).lower()
    if "[]" in kind or "array" in kind:
        return f"{name} || {name}[1:1]"
    if "bigint" in kind or "int" in kind or "numeric" in kind:
        return f"coalesce({name}, 0) + {chance.randint(1, 90)}"
    if "bool" in kind:
        return f"not coalesce({name}, false)"
    if kind == "date":
        return f"coalesce({name}, '2026-01-01') + 1"
    if "timestamp" in kind or "datetime" in kind:
        return f"coalesce({name}, now()) + interval '1 microsecond'"
    if "uuid" in kind:
        return "gen_random_uuid()"
    if "json" in kind:
        return """'{"forged": 1}'"""
    if "bytea" in kind or "blob" in kind or "binary" in kind:
        return f"coalesce({name}, '') || '\\x01'"
    return f"coalesce({name}, '') || 'x'"


# --- ways that were seen --------------------------------------------------------------------------------

WAYS = {
    "the head of a stream is deleted and a row altered": (
        "delete from chain_heads where chain = 'journal'",
        "update journal_entries set total_fen = total_fen + 1",
    ),
    "a stream is deleted with its head": (
        "delete from chain_heads where chain = 'journal' and stream = 'main-2025'",
        "delete from journal_lines where booked_on < '2026-01-01'",
        "delete from journal_entries where booked_on < '2026-01-01'",
    ),
    "the audit is emptied": ("truncate audit",),
    "the audit is emptied with its heads": (
        "truncate audit",
        "delete from chain_heads where chain = 'audit'",
    ),
    "the last row is deleted and the head wound back": (
        """update chain_heads h set last_no = last_no - 1, last_hash = (select chain_hash from journal_entries e
        where e.stream = h.stream and e.chain_no = h.last_no - 1) where chain = 'journal' and last_no > 1""",
        """delete from journal_entries e using chain_heads h where h.chain = 'journal' and e.stream = h.stream
        and e.chain_no > h.last_no""",
    ),
    "a row is moved to a stream without a head": (
        "update journal_entries set stream = 'elsewhere' where id = (select max(id) from journal_entries)",
    ),
    "an unsealed row is forged": (
        """insert into journal_entries (booked_on, stream, branch_id, kind, source_id, total_fen, actor, recorded_at)
        select booked_on, stream, branch_id, 'manual', gen_random_uuid(), 1, 'forger', clock_timestamp()
        from journal_entries limit 1""",
    ),
    "the branch of a journal line is altered": (
        "update journal_lines set branch_id = 'B-MINE' where no = 1",
    ),
    "the amount of a sale's line is altered": ("update sale_lines set net_fen = net_fen + 1 where no = 1",),
    "the branch of a sale is altered": ("update sales set branch_id = 'B-MINE'",),
}


@pytest.fixture(scope="module")
def books_of_finance(migrated_database, tmp_path_factory):
    made = worlds.World("finance", migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    worlds.finance(made)
    made.database = made.app.extensions["database"]
    settle(made.database, made.service)
    yield made
    made.app.extensions["wakeup"].close()
    made.database.dispose()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_that_was_seen_is_found(books_of_finance, way):
    with behind(books_of_finance.database) as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        for statement in WAYS[way]:
            conn.exec_driver_sql(statement)
        assert faults(conn, books_of_finance.service) != []
        conn.rollback()


def test_a_change_by_hand_with_the_triggers_on_is_named_foreign(books_of_finance):
    url = superusers[books_of_finance.database.url].replace("+psycopg", "")
    with psycopg.connect(url) as by_hand:
        by_hand.execute("update receivable_items set told_days = told_days + 1")
        by_hand.commit()
    with books_of_finance.database.begin() as conn:
        found = faults(conn, books_of_finance.service)
    assert {(fault.stream, fault.kind) for fault in found} == {("receivable_items", "foreign")}
    assert "by postgres" in found[0].row


def test_verification_is_the_same_under_any_setting_of_the_session(books_of_finance):
    with books_of_finance.database.engine.connect() as conn:
        before = faults(conn, books_of_finance.service)
        conn.rollback()
        for setting in (
            "timezone = 'America/New_York'",
            "datestyle = 'German, DMY'",
            "bytea_output = 'escape'",
            "extra_float_digits = -15",
            "intervalstyle = 'iso_8601'",
        ):
            conn.exec_driver_sql(f"set {setting}")
        assert faults(conn, books_of_finance.service) == before
        conn.rollback()
