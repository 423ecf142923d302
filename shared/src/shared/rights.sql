-- The rights around one service's database, as superuser and inside it; safe to repeat. Used by the first start, by
-- the embedded system, and after a restore: pg_restore does not bring the rights of a database.
-- The setting rights.service names the service. Two roles: <service> runs and owns nothing, <service>_owner migrates
-- and owns everything. Rights on tables are given by `migrate` (shared.rights), as the owner.
do $$
declare
    service text := current_setting('rights.service');
    owner text := service || '_owner';
    one record;
begin
    if not exists (select from pg_roles where rolname = service) then
        execute format('create role %I login connection limit 100', service);
    end if;
    if not exists (select from pg_roles where rolname = owner) then
        execute format('create role %I login connection limit 10', owner);
    end if;
    execute format('alter role %I nosuperuser nocreatedb nocreaterole nobypassrls', service);
    execute format('alter role %I nosuperuser nocreatedb nocreaterole nobypassrls', owner);
    execute format('alter database %I owner to %I', current_database(), owner);
    execute format('revoke all on database %I from public', current_database());
    execute format('revoke all on database %I from %I', current_database(), service);
    execute format('grant connect on database %I to %I', current_database(), service);
    alter schema public owner to pg_database_owner;
    revoke create on schema public from public;
    grant usage on schema public to public;
    -- what an older installation or a restore without owners left to others
    for one in
        select format('schema %I', n.nspname) as what from pg_namespace n
        where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public') and n.nspowner <> owner::regrole
        union all
        select format('%s %s', case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end, c.oid::regclass)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
            and c.relowner <> owner::regrole
            -- a sequence of an identity column follows its table
            and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass
                            and d.deptype in ('a', 'i') and c.relkind = 'S')
        union all
        select format('routine %s', p.oid::regprocedure) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and p.proowner <> owner::regrole
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    loop
        execute format('alter %s owner to %I', one.what, owner);
    end loop;
end $$;
