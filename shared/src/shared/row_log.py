"""Every row that a book rests on is written down when it is written: its key and the hash of its content.

Triggers of the table's owner write `row_log`, one row per statement, in the transaction of the change; the log is a
hash chain of its own. `verify` compares every table with what was last written down of each row, so that a row
altered, removed or inserted with the triggers off is found, and one changed by hand with the triggers on is named
`foreign`: sessions of the services say who they are (WRITER), others do not.

Every table is guarded unless it is declared otherwise beside its definition (shared.tables.declare), with the reason.
Two kinds are covered in other ways, so that tills need not wait for hashes: `Followed` tables are written down after
commit in the order of their events, and `Proof`s recompute what can be computed from guarded rows.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Date, Integer, Table, Text, Uuid, text
from sqlalchemy.types import TypeEngine

from shared.chain import CANONICAL, UNSEALED_S_MAX, Chain, Fault, moment
from shared.postgres import WRITER

FOLLOW_ROWS_MAX = 500
FAULTS_MAX = 1_000
"""Of one table: who finds more looks at a table that was replaced."""
CHAIN = Chain(
    name="rows",
    table="row_log",
    partition_key="stream",
    partition_type="text",
    content_sql=f"json_build_array(t.id, t.stream, {moment('t.at')}, t.relation, t.op, t.keys, t.hashes, t.writer,"
    " t.upto)::text",
)


def content_of(table: Table, alias: str, apart: Sequence[str] = ()) -> str:
    """SQL of a row's canonical content: PostgreSQL's text of its columns without those `apart`, under CANONICAL.

    Columns are in the order of their definition. JSON would take more of a trigger's time than all the rest of it.
    """
    columns = ", ".join(f'{alias}."{column.name}"' for column in table.columns if column.name not in apart)
    return f"row({columns})::text"


def key_of(columns: Sequence[tuple[str, TypeEngine[Any]]]) -> str:
    """SQL of a row's key: the text of the JSON array of its columns, as `jsonb_build_array` would write it.

    Joined by hand it takes a third of the time, which is paid for every row that is written.
    """
    return "'[' || " + " || ', ' || ".join(_json_of(*column) for column in columns) + " || ']'"


def _json_of(column: str, kind: TypeEngine[Any]) -> str:
    if isinstance(kind, Integer):
        return column
    if isinstance(kind, Date | Uuid):
        return f"""'"' || {column} || '"'"""
    return f"to_json({column})::text" if isinstance(kind, Text) else f"to_jsonb({column})::text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A table whose rows the triggers write down. `unless` is a condition on rows `n` that something else covers."""

    table: Table
    apart: Sequence[str] = ()
    is_append_only: bool = False
    unless: str | None = None

    @property
    def relation(self) -> str:
        return str(self.table.fullname)

    @property
    def function(self) -> str:
        return f"note_{self.table.name}"

    def key_sql(self, alias: str) -> str:
        return key_of([(f'{alias}."{column.name}"', column.type) for column in self.table.primary_key])

    def content_sql(self, alias: str) -> str:
        return content_of(self.table, alias, self.apart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A table `t` whose rows are written down after commit, in the order of the outbox `o` that they are joined to.

    `event_sql` is a condition that finds the event `o` of a `key`: its row waits until the log has come there.
    """

    relation: str
    key_sql: str
    content_sql: str
    rows_sql: str
    event_sql: str

    @property
    def function(self) -> str:
        return f"follow_{self.relation}"

    def job(self, conn: Connection) -> int:
        """Write down the next FOLLOW_ROWS_MAX events' rows; returns how many."""
        statement = text(f"select {self.function}(:rows)")
        return int(conn.execute(statement, {"rows": FOLLOW_ROWS_MAX}).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`sql` yields one text per row of `relation` that is not what other rows say; none when `name` holds."""

    name: str
    relation: str
    sql: str


def guarded(tables: Sequence[Table]) -> list[Guarded]:
    """What the triggers write down, of all tables of a service."""
    return [
        Guarded(
            table=table,
            apart=table.info.get("apart", ()),
            is_append_only="changes" not in table.info,
            unless=table.info.get("unless"),
        )
        for table in tables
        if "working" not in table.info and "proved" not in table.info
    ]


# --- triggers --------------------------------------------------------------------------------------------

_NOTE = """
create or replace function {function}() returns trigger language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' set datestyle = 'ISO, MDY' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 as $note$
begin
    if tg_op = 'DELETE' then
        insert into row_log (relation, op, keys, hashes, writer)
        select '{relation}', 'delete', array_agg(x.key), array_agg(null::bytea), row_log_writer()
        from (select {old_key} as key from gone o) x having count(*) > 0;
    else
        insert into row_log (relation, op, keys, hashes, writer)
        select '{relation}', lower(tg_op), array_agg(x.key), array_agg(x.hash), row_log_writer()
        from (select {new_key} as key, sha256(convert_to({content}, 'UTF8')) as hash from written n{where}) x
        having count(*) > 0;
    end if;
    return null;
end $note$
"""
_TRIGGERS = {
    "insert": "after insert on {table} referencing new table as written",
    "update": "after update on {table} referencing new table as written",
    "delete": "after delete on {table} referencing old table as gone",
}
_WRITER = f"""
create or replace function row_log_writer() returns text language sql stable
as $$ select session_user || '/' || coalesce(current_setting('{WRITER}', true), '') $$
"""
_FOLLOW = """
create or replace function follow_{relation}(rows_max int) returns int language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' set datestyle = 'ISO, MDY' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 as $follow$
declare
    passed bigint := coalesce((select max(upto) from row_log where relation = '{relation}' and upto is not null), 0);
    reach bigint := (select max(seq) from (select seq from outbox where seq > passed order by seq limit rows_max) next);
    done int;
begin
    if reach is null then
        return 0;
    end if;
    insert into row_log (relation, op, keys, hashes, writer, upto)
    select '{relation}', 'follow', coalesce(array_agg(x.key), '{{}}'), coalesce(array_agg(x.hash), '{{}}'),
        row_log_writer(), reach
    from (select {key} as key, sha256(convert_to({content}, 'UTF8')) as hash
          from {rows} where o.seq > passed and o.seq <= reach) x
    returning cardinality(keys) into done;
    return greatest(done, 1);
end $follow$
"""


def _run(conn: Connection, statement: str) -> None:
    """A statement whose percent signs are its own."""
    conn.exec_driver_sql(statement, execution_options={"no_parameters": True})


def install(conn: Connection, tables: Sequence[Table], followed: Sequence[Followed] = ()) -> None:
    """Make the triggers and functions what the definitions say, as the tables' owner. Safe to repeat.

    A table whose guard is new, or defined otherwise than before, is adopted: what is there is written down once.
    """
    _run(conn, _WRITER)
    marks = conn.execute(
        text(
            "select proname, obj_description(oid, 'pg_proc') as mark from pg_proc where proname ~ '^(note|follow)_'"
        )
    )
    known = {row.proname: row.mark for row in marks}
    for each in followed:
        made = _FOLLOW.format(
            relation=each.relation, key=each.key_sql, content=each.content_sql, rows=each.rows_sql
        )
        _define(conn, each.function, [made], readoption(each), known)
    for one in guarded(tables):
        _define(conn, one.function, _definition(one), adoption(one), known)


def _define(
    conn: Connection, function: str, made: Sequence[str], adopt: str, known: Mapping[str, str | None]
) -> None:
    """Make a function what it says now; rows are adopted when it said something else before, or nothing."""
    mark = hashlib.sha256(repr(made).encode()).hexdigest()
    if known.get(function) == mark:
        return
    for statement in made:
        _run(conn, statement)
    _run(conn, CANONICAL)
    _run(conn, adopt)
    _run(
        conn, f"comment on function {function}({'int' if function.startswith('follow_') else ''}) is '{mark}'"
    )


def _definition(one: Guarded, schema: str | None = None) -> list[str]:
    """The statements that guard a table; `schema` holds a copy of it that is guarded under the table's own name."""
    table = f"{schema}.{one.table.name}" if schema else one.relation
    columns = sorted(column.name for column in one.table.columns)
    function = _NOTE.format(
        function=one.function,
        relation=one.relation,
        old_key=one.key_sql("o"),
        new_key=one.key_sql("n"),
        content=one.content_sql("n"),
        where=f" where not ({one.unless})" if one.unless else "",
    )
    operations = ("insert",) if one.is_append_only else tuple(_TRIGGERS)
    if one.table.info.get("removes"):
        operations = tuple(_TRIGGERS)
    triggers = [
        f"create or replace trigger note_{operation} {_TRIGGERS[operation].format(table=table)}"
        f" for each statement execute function {one.function}()"
        for operation in operations
    ]
    return [f"-- of {', '.join(columns)}\n{function}", *triggers]


def of_copy(tables: Sequence[Table], schema: str) -> list[str]:
    """The statements that guard tables of another schema which will take the place of the known ones."""
    return [statement for one in guarded(tables) for statement in _definition(one, schema)[1:]]


def adoption(one: Guarded, why: str = "adopt") -> str:
    """The statement that writes down every row that differs from what was written down, as it is now.

    To be run under CANONICAL, as the owner; it affects one row of the log per thousand. What it found is kept as
    written under `why`: who adopts has verified before.
    """
    differing = _differing(one.relation, one.key_sql("t"), one.content_sql("t"), _covered(one))
    return _adopting(one.relation, f"{differing} and said.op is distinct from 'follow'", why)


def readoption(each: Followed) -> str:
    """`adoption` of the rows that the log has come to; the others follow."""
    differing = _differing(each.relation, each.key_sql, each.content_sql, "true")
    return _adopting(each.relation, f"{differing} and said.key is not null", "follow")


def _adopting(relation: str, differing: str, why: str) -> str:
    differing = differing.replace(":relation", f"'{relation}'")
    return (
        f"with differing as materialized ({differing}), blocks as ("
        " select row_number() over () / 1000 as block, key, is_there, hash_now from differing)"
        " insert into row_log (relation, op, keys, hashes, writer)"
        f" select '{relation}', case when is_there then '{why}' else 'delete' end, array_agg(key),"
        " array_agg(hash_now), row_log_writer() from blocks group by block, is_there"
    )


# --- verification ----------------------------------------------------------------------------------------

# The newest word on each row, beside the row as it is. A word that was carried on from an archived month
# (shared.chain_months) is older than every other.
_DIFFERING = """
select coalesce(said.key, t.key) as key, said.hash is not null as is_said,
    t.key is not null as is_there, t.hash as hash_now, said.id as log_id
from (
    select distinct on (k.key) k.key, k.hash, l.op, l.id
    from row_log l cross join unnest(l.keys, l.hashes) as k(key, hash)
    where l.relation = :relation order by k.key, l.stream = 'carried', l.id desc
) said full join (
    select {key} as key, sha256(convert_to({content}, 'UTF8')) as hash from {table} t where {covered}
) t on t.key = said.key
where said.hash is distinct from t.hash
"""
# months that went to files took their rows along
_GONE_TO_FILES = {
    "outbox": "select from log_archives a where a.month = (cast(said.key as jsonb) ->> 1)::date",
    "audit": "select from chain_archives a where a.chain = 'audit' and a.stream = cast(said.key as jsonb) ->> 1",
}
UNEXPLAINED = """
select count(*) from row_log l where l.stream = {stream} and l.writer like '%/'
    and not exists (select from acknowledged_findings a where a.log_id = l.id)
"""
_WAITING = """
select min(o.recorded_at) < clock_timestamp() - make_interval(secs => :seconds) from outbox o
where {event} and (o.seq is null or o.seq > coalesce((select max(upto) from row_log where relation = :relation), 0))
"""


def _covered(one: Guarded) -> str:
    return f"not ({one.unless.replace('n.', 't.')})" if one.unless else "true"


def verify(
    conn: Connection, tables: Sequence[Table], followed: Sequence[Followed] = (), proofs: Sequence[Proof] = ()
) -> Iterator[Fault]:
    """Yield a fault for every row that is not what was last written down, and for what strangers wrote."""
    conn.exec_driver_sql(CANONICAL)
    conn.exec_driver_sql("set local statement_timeout = 0; set local work_mem = '128MB'")
    for relation in relations(tables, followed):
        yield from verify_table(conn, relation, tables, followed)
    for proof in proofs:
        yield from proved(conn, proof)
    yield from foreign(conn)


def relations(tables: Sequence[Table], followed: Sequence[Followed]) -> list[str]:
    """Every table that is compared with the log of rows."""
    return list(
        dict.fromkeys([*(one.relation for one in guarded(tables)), *(each.relation for each in followed)])
    )


def verify_table(
    conn: Connection, relation: str, tables: Sequence[Table], followed: Sequence[Followed]
) -> Iterator[Fault]:
    """The rows of one table that are not what was last written down of them; to be read under CANONICAL."""
    for each in followed:
        if each.relation == relation:
            for fault in _compare(conn, relation, each.key_sql, each.content_sql, "true"):
                yield from _due(conn, each, fault)
            return
    for one in guarded(tables):
        if one.relation == relation:
            yield from _compare(conn, relation, one.key_sql("t"), one.content_sql("t"), _covered(one))


def proved(conn: Connection, proof: Proof) -> Iterator[Fault]:
    for (row,) in conn.execute(text(f"{proof.sql} limit {FAULTS_MAX}")):
        yield Fault(chain=CHAIN.name, stream=proof.relation, no=0, kind="differs", row=f"{row}: {proof.name}")


def _differing(relation: str, key: str, content: str, covered: str) -> str:
    """SQL of the rows that are not what was said of them last."""
    statement = _DIFFERING.format(key=key, content=content, table=relation, covered=covered)
    if relation in _GONE_TO_FILES:
        statement += f" and (t.key is not null or not exists ({_GONE_TO_FILES[relation]}))"
    return statement


def _compare(conn: Connection, relation: str, key: str, content: str, covered: str) -> Iterator[Fault]:
    statement = _differing(relation, key, content, covered)
    for row in conn.execute(text(f"{statement} order by 1 limit {FAULTS_MAX}"), {"relation": relation}):
        kind = "inserted" if not row.is_said else "altered" if row.is_there else "removed"
        yield Fault(chain=CHAIN.name, stream=relation, no=row.log_id or 0, kind=kind, row=row.key)


def _due(conn: Connection, each: Followed, fault: Fault) -> Iterator[Fault]:
    """A row that the log has not come to yet is a fault only when it waits too long."""
    if fault.kind == "inserted":
        late = conn.execute(
            text(_WAITING.format(event=each.event_sql)),
            {"key": fault.row, "relation": each.relation, "seconds": UNSEALED_S_MAX},
        ).scalar_one()
        if late is not None:
            if late:
                yield replace(fault, kind="unsealed")
            return
    yield fault


def foreign(conn: Connection) -> Iterator[Fault]:
    """What another program than the service wrote, and nobody has explained (shared.findings)."""
    rows = conn.execute(
        text(
            "select id, relation, writer, keys[1] as row from row_log l where writer like '%/'"
            " and not exists (select from acknowledged_findings a where a.log_id = l.id)"
            f" order by id limit {FAULTS_MAX}"
        )
    )
    for row in rows:
        writer = row.writer.removesuffix("/")
        yield Fault(
            chain=CHAIN.name, stream=row.relation, no=row.id, kind="foreign", row=f"{row.row} by {writer}"
        )
