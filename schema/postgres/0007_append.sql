-- Appends with fewer passes and round trips, and reads in the log's canonical text.

-- Lock the heads of the streams, making those that are new; sorted, so that two writers cannot lock each other out.
create or replace function log.lock_streams(names text[]) returns table (stream text, version int) language plpgsql
security definer set search_path = log, pg_temp as $$
declare
    found_all boolean;
begin
    select count(*) = cardinality(names) into found_all from log.stream s where s.name = any(names);
    if not found_all then
        insert into log.stream as s (name, version) select n, 0 from unnest(names) as n order by n on conflict do nothing;
    end if;
    return query
        select s.name, s.version from log.stream s where s.name = any(names) order by s.name for no key update;
end $$;

-- Raise the versions of locked streams, then take the log's lock and give out positions.
-- Returns the position before the first one given. Subscribers are told the new head at commit, once.
create or replace function log.advance(names text[], versions int[], total int) returns bigint language plpgsql
security definer set search_path = log, pg_temp as $$
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
    perform pg_notify('log_head', (base + total)::text);
    return base;
end $$;

-- A whole append in one call, for events that expect nothing: names (sorted, each once) with how many events each gets,
-- then the events; nth counts from 1 within an event's stream. Returns the position before the first event, and the
-- streams' versions afterwards in the order of names.
create function log.append_unconditional(
    names text[], counts int[],
    streams text[], nth int[], nameds int[], types text[], schema_vers smallint[], datas text[], metas text[]
) returns table (base bigint, versions int[]) language plpgsql
security definer set search_path = log, pg_temp as $$
begin
    with raised as (
        insert into log.stream as s (name, version)
        select n.name, n.count from unnest(names, counts) as n (name, count) order by n.name
        on conflict (name) do update set version = s.version + excluded.version
        returning s.name, s.version
    )
    select array_agg(r.version order by r.name) into versions from raised r;
    base := log.advance('{}', '{}', cardinality(streams));
    insert into log.event (pos, stream, version, type, schema_ver, data, meta)
    select base + e.ordinal, e.stream, versions[e.named] - counts[e.named] + e.nth, e.type, e.schema_ver,
           e.data::jsonb, e.meta::jsonb
    from unnest(streams, nth, nameds, types, schema_vers, datas, metas) with ordinality
        as e (stream, nth, named, type, schema_ver, data, meta, ordinal);
    return next;
end $$;
revoke all on function log.append_unconditional(text[], int[], text[], int[], int[], text[], smallint[], text[], text[])
    from public;

-- The text of an event: what is read, sealed and archived. Fields end with U+001F, events are parted by U+001E; JSON
-- text has neither, and the lengths tell any other text that would contain them.
create function log.line(
    pos bigint, stream text, version int, type text, schema_ver smallint, at timestamptz, data jsonb, meta jsonb
) returns text language sql stable as $$
    select concat_ws(E'\x1f', pos, octet_length(stream), stream, version, octet_length(type), type, schema_ver,
                     round(date_part('epoch', at) * 1000000)::bigint, data, meta)
$$;

create or replace function log.canonical(first bigint, last bigint) returns text language sql stable as $$
    select string_agg(line, E'\x1e')
    from (
        select log.line(pos, stream, version, type, schema_ver, at, data, meta) as line
        from log.event where pos >= first and pos <= last order by pos
    ) lines
$$;

do $$
begin
    if to_regrole('streamguard_writer') is not null then
        grant execute on function log.append_unconditional(
            text[], int[], text[], int[], int[], text[], smallint[], text[], text[]) to streamguard_writer;
    end if;
end $$;
