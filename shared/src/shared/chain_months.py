"""The months of the audit and of the log of rows: one partition per stream, made ahead and dropped once archived.

Both are chains whose stream is the month in which a row was written, so that a month is one whole chain. What has no
partition yet lies in `<table>_default`; nobody's work fails for want of one. The functions run with the rights of
their owner.

- `ensure_chain_month(table, date)` makes a month.
- `drop_chain_month(…)` writes down where a month went and drops it, all in one transaction, and refuses when it does
  not hold exactly what was archived. Of the log of rows it keeps the newest word on every row in the stream CARRIED:
  that is what tables are compared with, and no larger than the tables themselves.

Writing the files is shared.chain_archive's part.
"""

from datetime import date

from sqlalchemy import Connection, text

from shared.clock import next_month

TABLES = ("audit", "row_log")
CARRIED = "carried"
MONTHS_AHEAD = 2
BLOCK_ROWS = 1_000
ENSURE = """
create or replace function ensure_chain_month(parent text, wanted date) returns void language plpgsql
security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', wanted)::date;
    month_of text := to_char(first, 'YYYY-MM');
    child text := parent || to_char(first, '"_y"YYYY"m"MM');
    held boolean;
begin
    if parent not in ('audit', 'row_log') then
        raise exception 'no such chain' using errcode = 'invalid_parameter_value';
    end if;
    if exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace) then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('ensure_chain_month', 0));
    if exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace) then
        return;
    end if;
    execute format('select exists (select from %I where stream = %L)', parent || '_default', month_of) into held;
    -- A month that has begun may be written to now: wait for the writers and let none begin, or one of them would look
    -- for its place in the default partition when it is no longer there. A day of margin: streams are local months.
    if held or first <= (clock_timestamp() at time zone 'UTC')::date + 1 then
        execute format('lock table %I in exclusive mode', parent);
    end if;
    execute format('create table %I (like %I including defaults including constraints)', child, parent);
    -- moving a row is no change of it: the guard against changes looks away
    execute format('alter table %I disable trigger user', parent || '_default');
    execute format('with moved as (delete from %I where stream = %L returning *) insert into %I select * from moved',
                   parent || '_default', month_of, child);
    execute format('alter table %I enable trigger user', parent || '_default');
    execute format('alter table %I attach partition %I for values in (%L)', parent, child, month_of);
end $$
"""
DROP = """
create or replace function drop_chain_month(parent text, wanted date, first_number bigint, last_number bigint,
    hash_before bytea, hash_last bytea, in_file text, file_sha256 text) returns void language plpgsql
security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', wanted)::date;
    month_of text := to_char(first, 'YYYY-MM');
    child text := parent || to_char(first, '"_y"YYYY"m"MM');
    named text := case parent when 'audit' then 'audit' when 'row_log' then 'rows' end;
    found record;
    head record;
begin
    if named is null or first >= date_trunc('month', clock_timestamp() at time zone 'UTC')::date then
        raise exception 'a month that is not over is not dropped' using errcode = 'restrict_violation';
    end if;
    execute format('lock table %I in share mode', child);
    execute format('select count(*) as rows, count(chain_no) as sealed, min(chain_no) as low, max(chain_no) as high,'
        ' (select chain_hash from %I order by chain_no desc limit 1) as hash from %I', child, child) into found;
    if found.rows > 0 then
        select last_no, last_hash into head from chain_heads where chain = named and stream = month_of;
        if (found.rows, found.sealed, found.low, found.high, found.hash)
            is distinct from (last_number - first_number + 1, found.rows, first_number, last_number, hash_last)
            or (head.last_no, head.last_hash) is distinct from (last_number, hash_last)
        then
            raise exception 'the month does not hold what was archived' using errcode = 'restrict_violation';
        end if;
        if parent = 'row_log' then
            perform carry_rows(child, month_of);
        end if;
    end if;
    -- from here to the commit nobody reads or writes the table: it is a matter of milliseconds
    execute format('lock table %I in access exclusive mode', parent);
    if found.rows > 0 then
        insert into chain_archives (chain, stream, first_no, last_no, previous_hash, last_hash, file, sha256,
            archived_at)
        values (named, month_of, first_number, last_number, hash_before, hash_last, in_file, file_sha256,
            clock_timestamp());
    end if;
    execute format('drop table %I', child);
end $$
"""
CARRY = f"""
create or replace function carry_rows(child text, month_of text) returns void language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    -- the newest word on each row that nobody spoke of later; what went to files with its month needs none
    execute format($carry$
        insert into row_log (stream, relation, op, keys, hashes, writer)
        select '{CARRIED}', relation, op, array_agg(key order by key), array_agg(hash order by key), row_log_writer()
        from (
            select w.relation, w.op, w.key, w.hash, (row_number() over (partition by w.relation, w.op order by w.key) - 1) / {BLOCK_ROWS} as block
            from (
                select distinct on (l.relation, k.key) l.relation, k.key, k.hash,
                    case l.op when 'follow' then 'follow' else 'carry' end as op
                from %I l cross join unnest(l.keys, l.hashes) as k(key, hash) order by l.relation, k.key, l.id desc
            ) w
            where not exists (
                select from (select l.relation, k.key from row_log l cross join unnest(l.keys) as k(key)
                             where l.stream > %L and l.stream <> '{CARRIED}') later
                where later.relation = w.relation and later.key = w.key)
            and case w.relation
                when 'outbox' then not exists (
                    select from log_archives a where a.month = (w.key::jsonb ->> 1)::date)
                when 'audit' then not exists (
                    select from chain_archives a where a.chain = 'audit' and a.stream = w.key::jsonb ->> 1)
                else true end
        ) blocks group by relation, op, block order by relation, op, block
    $carry$, child, month_of);
    -- how far tables that follow the log of events have come
    execute format($carry$
        insert into row_log (stream, relation, op, keys, hashes, writer, upto)
        select '{CARRIED}', relation, 'carry', '{{}}', '{{}}', row_log_writer(), max(upto)
        from %I where upto is not null group by relation
    $carry$, child);
end $$
"""


def parts(table: str) -> tuple[str, ...]:
    """The partitions that every one of TABLES has."""
    made = [f"create table {table}_default partition of {table} default"]
    if table == "row_log":
        made.append(f"create table {table}_{CARRIED} partition of {table} for values in ('{CARRIED}')")
    return tuple(made)


def ensure_months(conn: Connection, table: str, today: date) -> None:
    """Have the month of `today` and the next MONTHS_AHEAD of one of TABLES ready, in the caller's transaction."""
    conn.execute(text("set local lock_timeout = '5s'"))
    month = today.replace(day=1)
    for _ in range(MONTHS_AHEAD + 1):
        conn.execute(text("select ensure_chain_month(:table, :month)"), {"table": table, "month": month})
        month = next_month(month)
