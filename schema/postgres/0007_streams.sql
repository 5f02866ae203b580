-- Streams to which a batch appends whatever their version is: head made or raised in one pass, returned as it is now.
create function log.raise_streams(names text[], counts int[]) returns table (stream text, version int)
language plpgsql security definer set search_path = log, pg_temp as $$
begin
    return query
        insert into log.stream as s (name, version)
        select n.name, n.count from unnest(names, counts) as n (name, count) order by n.name
        on conflict (name) do update set version = s.version + excluded.version
        returning s.name, s.version;
end $$;
revoke all on function log.raise_streams(text[], int[]) from public;
do $$
begin
    if to_regrole('streamguard_writer') is not null then
        grant execute on function log.raise_streams(text[], int[]) to streamguard_writer;
    end if;
end $$;
