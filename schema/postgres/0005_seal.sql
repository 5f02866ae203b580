-- Seals: each covers a range of the log and the seal before it. marks holds four bytes an event, to name what was
-- changed; the strength lies in root and chain.
create table log.seal (
    no         bigint primary key,
    from_pos   bigint not null,
    to_pos     bigint not null,
    root       bytea not null,
    marks      bytea not null,
    prev       bytea not null,
    chain      bytea not null,
    at         timestamptz not null default clock_timestamp(),
    check (to_pos >= from_pos)
);
select log.guard('log.seal');

-- The text of an event that is sealed. Control characters separate fields and events: JSON text has none of its own,
-- and the lengths tell any other text that would contain them.
create function log.canonical(first bigint, last bigint) returns text language sql stable as $$
    select string_agg(
        concat_ws(E'\x1f', pos, octet_length(stream), stream, version, octet_length(type), type, schema_ver,
                  (extract(epoch from at) * 1000000)::bigint, data::text, meta::text),
        E'\x1e' order by pos)
    from log.event
    where pos >= first and pos <= last
$$;
