-- Seals carry a signature; old partitions leave for files.
alter table log.seal add column key text;
alter table log.seal add column signature bytea;
comment on column log.seal.key is 'Ed25519 public key, hexadecimal; null: not signed';

-- The first position that is still in the table; all before it lie in the archive.
alter table log.head add column kept_from bigint not null default 1;

create table log.archive (
    first_pos bigint primary key,
    last_pos  bigint not null,
    file      text not null,
    sha256    bytea not null,
    at        timestamptz not null default clock_timestamp()
);
comment on column log.archive.file is 'name within the archive folder; sha256 is that of the whole file';

-- Positions of one partition; fixed once there is one.
alter table log.head add column partition_size bigint not null default 1000000;

create function log.partition_name(first bigint) returns text language sql stable set search_path = log, pg_temp as $$
    select format('event_%s', lpad(((first - 1) / h.partition_size)::text, 6, '0')) from log.head h
$$;

create or replace function log.extend(upto bigint) returns bigint language plpgsql
security definer set search_path = log, pg_temp as $$
declare
    meant constant text := current_setting('streamguard.migrating', true);
    size  bigint;
    first bigint;
    part  text;
begin
    perform pg_advisory_xact_lock(5391001);
    perform set_config('streamguard.migrating', 'on', true);
    select h.capacity + 1, h.partition_size into first, size from log.head h;
    while first <= upto loop
        part := log.partition_name(first);
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

-- Let go of the oldest partition, which lies in a file now. The caller's lock_timeout bounds the wait for readers.
create function log.detach_partition(first_pos bigint, last_pos bigint, file text, digest bytea) returns void
language plpgsql set search_path = log, pg_temp as $$
declare
    meant constant text := current_setting('streamguard.migrating', true);
    part  constant text := log.partition_name(first_pos);
begin
    perform pg_advisory_xact_lock(5391001);
    perform set_config('streamguard.migrating', 'on', true);
    update log.head h set kept_from = last_pos + 1 where h.kept_from = first_pos;
    if not found then
        raise exception 'position % is not the first of the log', first_pos using errcode = '55000';
    end if;
    execute format('alter table log.event detach partition log.%I', part);
    execute format('drop table log.%I', part);
    insert into log.archive (first_pos, last_pos, file, sha256) values (first_pos, last_pos, file, digest);
    perform set_config('streamguard.migrating', coalesce(meant, ''), true);
end $$;

-- Make the table that the newest archived partition is copied back into, and then take it into the log again.
create function log.make_partition(first bigint) returns void language plpgsql set search_path = log, pg_temp as $$
declare
    meant constant text := current_setting('streamguard.migrating', true);
begin
    perform pg_advisory_xact_lock(5391001);
    perform set_config('streamguard.migrating', 'on', true);
    execute format('create table log.%I (like log.event including defaults including storage) with (autovacuum_vacuum_insert_scale_factor = 0.05)', log.partition_name(first));
    perform set_config('streamguard.migrating', coalesce(meant, ''), true);
end $$;

create function log.attach_partition(first_pos bigint, last_pos bigint) returns void
language plpgsql set search_path = log, pg_temp as $$
declare
    meant constant text := current_setting('streamguard.migrating', true);
    part  constant text := log.partition_name(first_pos);
begin
    perform set_config('streamguard.migrating', 'on', true);
    update log.head h set kept_from = first_pos where h.kept_from = last_pos + 1;
    if not found then
        raise exception 'position % does not come before the first of the log', last_pos using errcode = '55000';
    end if;
    execute format('alter table log.%I add check (pos >= %s and pos < %s)', part, first_pos, last_pos + 1);
    execute format('alter table log.event attach partition log.%I for values from (%s) to (%s)', part, first_pos, last_pos + 1);
    perform log.guard(format('log.%I', part)::regclass);
    delete from log.archive a where a.first_pos = attach_partition.first_pos;
    perform set_config('streamguard.migrating', coalesce(meant, ''), true);
end $$;

revoke all on function log.detach_partition(bigint, bigint, text, bytea), log.make_partition(bigint),
    log.attach_partition(bigint, bigint) from public;

do $$
begin
    if to_regrole('streamguard_reader') is not null then
        grant select on log.archive to streamguard_reader, streamguard_auditor;
    end if;
end $$;
