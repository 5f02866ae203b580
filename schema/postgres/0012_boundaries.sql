-- What the lists hold at a boundary depends on the records alone, not on when they were read or which boundaries were
-- asked for: a label counts from an instant of its own on.

alter table detection.label add column published timestamptz, add column partition int;
comment on column detection.label.published is 'timestamp of its record: when it was published, or known_at itself where a file is replayed';
comment on column detection.label.epoch is 'the instant from which lists hold it; null while it waits for that or for its payment';

alter table detection.partition alter column state drop not null, add column reached timestamptz;
comment on column detection.partition.reached is
    'newest event time (of the grid of live boundaries) among the payments taken in, or of the one that waits to be';

-- When a label counts: once it is known. What is published as it happens, within an hour, may still be on its way at
-- that moment, label or payment: it counts from five seconds after both were published.
create function detection.counts_from(known_at timestamptz, published timestamptz, event_time timestamptz, produced_at timestamptz)
returns timestamptz language sql immutable as $$
    select greatest(
        known_at, event_time,
        case when produced_at - event_time < interval '1 hour' then greatest(produced_at, published) + interval '5 seconds' end,
        case when published <> known_at and published - known_at < interval '1 hour' then published + interval '5 seconds' end
    )
$$;

-- Partitions whose payments must go on before the lists of the boundary are whole: a label that may count by then has
-- none yet. Labels older than a suspicion lasts are waited for no longer.
create function detection.missing(boundary timestamptz, oldest timestamptz) returns setof int language sql stable as $$
    select distinct l.partition from detection.label l
    where l.epoch is null and l.known_at <= boundary and l.known_at > oldest and l.partition is not null
    and not exists (select from read.payment p where p.transaction_id = l.transaction_id)
    and not exists (select from detection.partition q where q.partition = l.partition and q.reached >= boundary)
$$;

-- Draw up the lists of one boundary: labels that count by then and were not counted yet, with the parties of their
-- payments, give each party's standing from every instant on at which it changed. A label that comes when a later
-- boundary was drawn up counts right after the newest one before this. own: points from which a fraud is explained by
-- the account's own behaviour.
create or replace function detection.freeze(boundary timestamptz, own int) returns void language plpgsql as $$
declare
    before timestamptz;
begin
    perform pg_advisory_xact_lock(5391004);
    insert into detection.list_epoch (epoch) values (boundary) on conflict do nothing;
    if not found then
        return;
    end if;
    select max(epoch) into before from detection.list_epoch where epoch < boundary;
    -- What people decided on cases counts as labels do.
    insert into detection.label (transaction_id, account_id, is_fraud, known_at, role)
    select transaction_id, account_id, fraud, at, 'case' from read.verdict
    where fraud is not null and at <= boundary and at > boundary - interval '7 days'
    on conflict (transaction_id) do nothing;
    with found as (
        select l.transaction_id, l.is_fraud, l.known_at, p.merchant_id, p.payee_id, p.event_time, p.own_points,
               detection.counts_from(l.known_at, l.published, p.event_time, p.produced_at) as counts
        from detection.label l join read.payment p on p.transaction_id = l.transaction_id
        where l.epoch is null and l.known_at <= boundary
    ), due as (
        update detection.label l set epoch = greatest(f.counts, before + interval '1 microsecond')
        from found f
        where f.counts <= boundary and l.transaction_id = f.transaction_id
        returning f.*, l.epoch as frozen
    ), told as (
        select v.kind, v.party, d.is_fraud, d.event_time, d.known_at, d.transaction_id, greatest(d.frozen, b.frozen) as frozen,
               coalesce(b.run, 0) as known_run, b.since as known_since
        from due d cross join lateral (values ('merchant', d.merchant_id), ('payee', d.payee_id)) as v (kind, party)
        left join lateral (
            select run, since, frozen from detection.suspect s
            where s.kind = v.kind and s.party = v.party and s.frozen <= boundary
            order by s.frozen desc
            limit 1
        ) b on true
        where v.party is not null and not (v.kind = 'merchant' and d.is_fraud and d.own_points >= own)
    ), ordered as (
        select *, count(*) filter (where not is_fraud) over told_so_far as honest,
               count(*) filter (where is_fraud) over told_so_far as frauds,
               coalesce(lag(is_fraud) over told_so_far, known_run > 0) as follows,
               row_number() over told_so_far as number
        from told
        window told_so_far as (partition by kind, party order by frozen, known_at, transaction_id)
    ), standing as (
        select *, count(*) filter (where is_fraud) over unbroken + case when honest = 0 then known_run else 0 end as run,
               least(min(event_time) filter (where is_fraud) over unbroken,
                     case when honest = 0 and known_run > 0 then known_since end) as since
        from ordered
        window unbroken as (partition by kind, party, honest order by number)
    ), counted as (
        insert into detection.repeat as r (kind, frozen, followed, repeated)
        select kind, frozen, known_followed + sum(followed) over upto, known_repeated + sum(repeated) over upto
        from (
            select s.kind, greatest(s.frozen, k.frozen) as frozen, coalesce(k.followed, 0) as known_followed,
                   coalesce(k.repeated, 0) as known_repeated, count(*) as followed, count(*) filter (where s.is_fraud) as repeated
            from standing s
            left join lateral (
                select followed, repeated, frozen from detection.repeat
                where kind = s.kind and frozen <= boundary
                order by frozen desc
                limit 1
            ) k on true
            where s.follows
            group by s.kind, greatest(s.frozen, k.frozen), k.followed, k.repeated
        ) steps
        window upto as (partition by kind order by frozen)
        on conflict (kind, frozen) do update set followed = excluded.followed, repeated = excluded.repeated
    )
    insert into detection.suspect as s (kind, party, frozen, run, since)
    select distinct on (kind, party, frozen) kind, party, frozen, run, since
    from standing
    where frauds > 0 or known_run > 0
    order by kind, party, frozen, number desc
    on conflict (kind, party, frozen) do update set run = excluded.run, since = excluded.since;
end $$;
