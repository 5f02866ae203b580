-- The event log: gapless positions, dense versions per stream, idempotent commands, append-only.
create schema log;

-- One row. Whoever holds its lock gives out positions; it is taken last in a transaction and held to commit, so that
-- positions become visible in order and a reader that has seen position n has seen all before it.
create table log.head (
    single   boolean primary key default true check (single),
    pos      bigint not null,
    capacity bigint not null,
    check (pos >= 0)
);
insert into log.head values (true, 0, 0);

-- The head of every stream; the guard of optimistic concurrency.
create table log.stream (
    name    text collate "C" primary key,
    version int not null check (version >= 0)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- No unique index on (stream, version): it cannot span partitions, and the locked head row of the stream is the guard.
create table log.event (
    pos        bigint not null,
    stream     text collate "C" not null,
    version    int not null,
    type       text collate "C" not null,
    schema_ver smallint not null,
    at         timestamptz not null default clock_timestamp(),
    data       jsonb not null,
    meta       jsonb not null,
    primary key (pos)
) partition by range (pos);
create index event_stream_version on log.event (stream, version);

-- Answers of the commands already obeyed: a repeated command gets its old positions back.
create table log.command (
    command_id uuid primary key,
    first_pos  bigint not null,
    last_pos   bigint not null,
    at         timestamptz not null default clock_timestamp()
);

create function log.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the event log is append-only: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
        using errcode = '55000', hint = 'Append a correcting event instead.';
end $$;

-- Statement triggers cost nothing on INSERT and COPY. They are not inherited, so every partition gets its own;
-- ALWAYS keeps them in force under session_replication_role = replica.
create function log.guard(target regclass) returns void language plpgsql as $$
begin
    execute format('create trigger append_only before update or delete on %s for each statement execute function log.refuse_change()', target);
    execute format('create trigger no_truncate before truncate on %s for each statement execute function log.refuse_change()', target);
    execute format('alter table %s enable always trigger append_only', target);
    execute format('alter table %s enable always trigger no_truncate', target);
end $$;
select log.guard('log.event'), log.guard('log.command');

-- Partitions of 1,000,000 positions. Attaching a table made apart takes a lock that neither readers nor writers meet.
create function log.extend(upto bigint) returns bigint language plpgsql as $$
declare
    size  constant bigint := 1000000;
    first bigint;
    part  text;
begin
    perform pg_advisory_xact_lock(5391001);
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
    return first - 1;
end $$;
select log.extend(2000000);

-- Lock the heads of the streams, making those that are new; sorted, so that two writers cannot lock each other out.
create function log.lock_streams(names text[]) returns table (stream text, version int) language plpgsql as $$
begin
    insert into log.stream as s (name, version)
        select n, 0 from unnest(names) as n
        where not exists (select from log.stream e where e.name = n)
        order by n
        on conflict do nothing;
    return query
        select s.name, s.version from log.stream s where s.name = any(names) order by s.name for no key update;
end $$;

-- Raise the versions of locked streams, then take the log's lock and give out positions.
-- Returns the position before the first one given. Subscribers are told at commit, once.
create function log.advance(names text[], versions int[], total int) returns bigint language plpgsql as $$
declare
    base bigint;
    room bigint;
begin
    update log.stream s set version = n.version from unnest(names, versions) as n (name, version) where s.name = n.name;
    perform pg_advisory_xact_lock(5391002);
    update log.head set pos = pos + total returning pos - total, capacity into base, room;
    if base + total > room then
        perform log.extend(base + total);
    end if;
    notify log_head;
    return base;
end $$;
