"""The months of a service's own log of events: made ahead of time, and dropped once they are archived.

`outbox` is divided by the month in which an event was recorded (UTC). A month that is not there yet costs nothing: its
events lie in `outbox_default` until the month is made, which moves them. Both functions run with the rights of their
owner, so the roles of the processes need none of their own; the migration that makes them runs as the tables' owner.

- `ensure_log_month(date)` makes a month.
- `drop_log_month(…)` writes down where a month was archived and drops it, all in one transaction, and refuses when it
  does not hold exactly what was archived. Writing the file is shared.archiving's part.
"""

from datetime import date

from sqlalchemy import Connection, text

from shared.clock import next_month

MONTHS_AHEAD = 2

# Numbered rows are updated once: what each update leaves behind is cleared away early and often.
STORAGE = "autovacuum_vacuum_scale_factor = 0.05"
ENSURE = f"""
create or replace function ensure_log_month(wanted date) returns void language plpgsql
security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', wanted)::date;
    child text := 'outbox' || to_char(first, '"_y"YYYY"m"MM');
begin
    if exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace) then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('ensure_log_month', 0));
    if exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace) then
        return;
    end if;
    -- A month that has begun may be written to now: wait for the writers and let none begin, or one of them would look
    -- for its place in the default partition when it is no longer there.
    if first <= (clock_timestamp() at time zone 'UTC')::date
        or exists (select from outbox_default where month = first) then
        lock table outbox in exclusive mode;
    end if;
    execute format('create table %I (like outbox including defaults including constraints) with ({STORAGE})', child);
    execute format('with moved as (delete from outbox_default where month = %L returning *)'
                   ' insert into %I select * from moved', first, child);
    execute format('alter table outbox attach partition %I for values from (%L) to (%L)',
                   child, first, (first + interval '1 month')::date);
end $$
"""
DROP = """
create or replace function drop_log_month(wanted date, first_no bigint, last_no bigint, held bigint, in_file text,
    file_sha256 text, file_totals jsonb) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    first date := date_trunc('month', wanted)::date;
    child text := 'outbox' || to_char(first, '"_y"YYYY"m"MM');
    found record;
begin
    if first >= date_trunc('month', clock_timestamp() at time zone 'UTC')::date then
        raise exception 'a month that is not over is not dropped' using errcode = 'restrict_violation';
    end if;
    execute format('lock table %I in share mode', child);
    execute format('select count(*) as rows, count(seq) as numbered, min(seq) as low, max(seq) as high from %I', child)
        into found;
    if (found.rows, found.numbered, found.low, found.high) is distinct from (held, held, first_no, last_no) then
        raise exception 'the month does not hold what was archived' using errcode = 'restrict_violation';
    end if;
    -- from here to the commit nobody reads or writes the log: it is a matter of milliseconds
    lock table outbox in access exclusive mode;
    if held > 0 then
        insert into log_archives (first_seq, last_seq, month, events, file, sha256, totals, archived_at)
        values (first_no, last_no, first, held, in_file, file_sha256, file_totals, clock_timestamp());
    end if;
    execute format('drop table %I', child);
end $$
"""
_NAMES = ("pk_outbox", "uq_outbox_event_id", "uq_outbox_aggregate_subject_version")


def ensure_months(conn: Connection, today: date) -> None:
    """Have the month of `today` and the next MONTHS_AHEAD ready, in the caller's transaction."""
    conn.execute(text("set local lock_timeout = '5s'"))
    month = today.replace(day=1)
    for _ in range(MONTHS_AHEAD + 1):
        conn.execute(text("select ensure_log_month(:month)"), {"month": month})
        month = next_month(month)


def divide_sql() -> tuple[str, ...]:
    """The statements that turn an undivided `outbox` into one divided by month, with all that it holds."""
    return (
        "set local lock_timeout = '5s'",
        "alter table outbox rename to outbox_undivided",
        *(f"alter table outbox_undivided drop constraint {name}" for name in _NAMES),
        "drop index outbox_unsequenced",
        "drop index outbox_seq",
        """
        create table outbox (
            id bigint generated always as identity, seq bigint, event_id uuid not null, type text not null,
            subject text not null, aggregate text not null, version integer not null, day date not null,
            amount_fen bigint not null, occurred_at timestamptz not null, traceparent text, correlation_id text,
            causation_id text, data jsonb not null, recorded_at timestamptz not null default clock_timestamp(),
            log_hash bigint,
            month date not null default date_trunc('month', clock_timestamp() at time zone 'UTC')::date,
            constraint pk_outbox primary key (id, month),
            constraint uq_outbox_event_id_month unique (event_id, month),
            constraint uq_outbox_aggregate_subject_version_month unique (aggregate, subject, version, month)
        ) partition by range (month)
        """,
        "create index outbox_unsequenced on outbox (month, id) where seq is null",
        "create unique index outbox_seq on outbox (seq, month) where seq is not null",
        "create table outbox_default partition of outbox default",
        ENSURE,
        """
        create table log_archives (
            first_seq bigint not null constraint pk_log_archives primary key, last_seq bigint not null,
            month date not null, events bigint not null, file text not null, sha256 text not null,
            totals jsonb not null, archived_at timestamptz not null
        )
        """,
        DROP,
        """
        insert into outbox (id, seq, event_id, type, subject, aggregate, version, day, amount_fen, occurred_at,
            traceparent, correlation_id, causation_id, data, recorded_at, log_hash, month)
        overriding system value
        select id, seq, event_id, type, subject, aggregate, version, day, amount_fen, occurred_at, traceparent,
            correlation_id, causation_id, data, recorded_at, log_hash,
            date_trunc('month', recorded_at at time zone 'UTC')::date
        from outbox_undivided
        """,
        # the months of what was there, this one and the next two
        f"""
        do $$ begin
            perform ensure_log_month(month) from (select distinct month from outbox_default) as held;
            perform ensure_log_month((current_date + make_interval(months => ahead))::date)
            from generate_series(0, {MONTHS_AHEAD}) as ahead;
        end $$
        """,
        """
        select setval(pg_get_serial_sequence('outbox', 'id'), coalesce((select max(id) from outbox_undivided), 1),
            exists (select from outbox_undivided))
        """,
        "drop table outbox_undivided",
    )


UNDIVIDE = (
    "drop function drop_log_month(date, bigint, bigint, bigint, text, text, jsonb)",
    "drop function ensure_log_month(date)",
    "drop table log_archives",
)
"""A month once archived does not come back by going down: `outbox` stays divided, which the older version reads too."""
