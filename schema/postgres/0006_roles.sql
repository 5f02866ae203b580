-- Who may do what. The application connects as whoever its address names and then assumes the role of its task
-- (core.eventlog.roles); the roles cannot log in. Where the migrating user may not create roles, none are made and the
-- application keeps the rights of its own user.
do $$
declare
    name text;
begin
    foreach name in array array['streamguard_reader', 'streamguard_writer', 'streamguard_ingest',
                                'streamguard_projector', 'streamguard_worker', 'streamguard_auditor'] loop
        begin
            execute format('create role %I nologin', name);
        exception
            when duplicate_object or unique_violation then null;  -- another database of this server has made it
        end;
    end loop;
exception
    when insufficient_privilege then raise notice 'roles were not created: %', sqlerrm;
end $$;

-- Writers reach the heads of the streams and of the log through these alone.
alter function log.lock_streams(text[]) security definer set search_path = log, pg_temp;
alter function log.advance(text[], int[], int) security definer set search_path = log, pg_temp;
alter function log.extend(bigint) security definer set search_path = log, pg_temp;
revoke all on function log.lock_streams(text[]), log.advance(text[], int[], int), log.extend(bigint),
    log.guard(regclass), log.canonical(bigint, bigint) from public;

-- The schema of a projection's new generation, made for the projector, who may not make any other.
create function ops.make_generation(name text) returns void language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
begin
    if name !~ '^p_[a-z_]+_[0-9]+$' then
        raise exception 'not the name of a generation: %', name using errcode = '22023';
    end if;
    execute format('create schema %I', name);
    if exists (select from pg_roles where rolname = 'streamguard_projector' and pg_has_role(oid, 'member')) then
        execute format('alter schema %I owner to streamguard_projector', name);
    end if;
end $$;
revoke all on function ops.make_generation(text) from public;

do $$
begin
    if to_regrole('streamguard_worker') is null then
        return;
    end if;
    grant usage on schema log, read, ops, detection to streamguard_reader;
    grant select on all tables in schema log, read, ops, detection to streamguard_reader;
    grant execute on function log.canonical(bigint, bigint) to streamguard_reader;
    grant select on public.transactions, public.streamguard_migration to streamguard_reader;
    alter default privileges in schema read grant select on tables to streamguard_reader;

    grant streamguard_reader to streamguard_writer;
    grant execute on function log.lock_streams(text[]), log.advance(text[], int[], int) to streamguard_writer;
    grant insert on log.event, log.command to streamguard_writer;
    grant update (status) on ops.dead_letter to streamguard_writer;

    grant streamguard_writer to streamguard_ingest;
    grant insert, update on read.payment, read.throughput_second to streamguard_ingest;
    grant insert, update, delete on ops.koff, ops.inlet_member, ops.worker_status to streamguard_ingest;
    grant insert on ops.dead_letter to streamguard_ingest;
    grant insert, update, delete on all tables in schema detection to streamguard_ingest;
    grant execute on all functions in schema detection to streamguard_ingest;

    grant streamguard_writer to streamguard_projector;
    grant update (verdict) on read.payment to streamguard_projector;
    grant insert, update, delete on ops.projection, ops.worker_status to streamguard_projector;
    grant insert on log.seal to streamguard_projector;
    grant execute on function log.extend(bigint) to streamguard_projector;
    grant create on schema read, public to streamguard_projector;
    grant usage on schema ops to streamguard_projector;
    grant execute on function ops.make_generation(text) to streamguard_projector;

    grant streamguard_ingest, streamguard_projector to streamguard_worker;

    grant usage on schema log to streamguard_auditor;
    grant select on all tables in schema log to streamguard_auditor;
    grant execute on function log.canonical(bigint, bigint) to streamguard_auditor;
end $$;

-- Against a DROP or ALTER by mistake, also by a superuser. Migrations and the log's own functions say that they mean it.
create function ops.refuse_ddl() returns event_trigger language plpgsql as $$
declare
    target text;
begin
    if current_setting('streamguard.migrating', true) = 'on' then
        return;
    end if;
    if tg_event = 'sql_drop' then
        select object_identity into target from pg_event_trigger_dropped_objects()
        where schema_name = 'log' or (object_type = 'schema' and object_name = 'log') limit 1;
    else
        select object_identity into target from pg_event_trigger_ddl_commands() where schema_name = 'log' limit 1;
    end if;
    if target is not null then
        raise exception 'the event log is append-only: % on % is refused', tg_tag, target using errcode = '55000';
    end if;
end $$;

create or replace function log.extend(upto bigint) returns bigint language plpgsql
security definer set search_path = log, pg_temp as $$
declare
    size  constant bigint := 1000000;
    meant constant text := current_setting('streamguard.migrating', true);
    first bigint;
    part  text;
begin
    perform pg_advisory_xact_lock(5391001);
    perform set_config('streamguard.migrating', 'on', true);
    select capacity + 1 into first from log.head;
    while first <= upto loop
        part := format('event_%s', lpad(((first - 1) / size)::text, 6, '0'));
        execute format('create table log.%I (like log.event including defaults including storage) with (autovacuum_vacuum_insert_scale_factor = 0.05)', part);
        execute format('alter table log.%I add check (pos >= %s and pos < %s)', part, first, first + size);
        execute format('alter table log.event attach partition log.%I for values from (%s) to (%s)', part, first, first + size);
        perform log.guard(format('log.%I', part)::regclass);
        first := first + size;
    end loop;
    update log.head set capacity = first - 1 where capacity < first - 1;
    perform set_config('streamguard.migrating', coalesce(meant, ''), true);
    return first - 1;
end $$;

do $$
begin
    create event trigger log_drop on sql_drop execute function ops.refuse_ddl();
    create event trigger log_ddl on ddl_command_end execute function ops.refuse_ddl();
exception
    when insufficient_privilege then raise notice 'no event triggers: %', sqlerrm;
end $$;
