-- How often a party's fraud is followed by another: where it seldom is, a suspect is a hint and no more.

create table detection.repeat (
    kind     text not null,
    frozen   timestamptz not null,
    followed bigint not null,
    repeated bigint not null,
    primary key (kind, frozen)
);
comment on table detection.repeat is
    'labels, from the beginning to a boundary, that came right after a fraud of the same party, and how many of them were fraud again';

do $$
begin
    if to_regrole('streamguard_worker') is not null then
        grant select on detection.repeat to streamguard_reader;
        grant insert, update, delete on detection.repeat to streamguard_ingest;
    end if;
end $$;

-- As before, and the repeats beside the suspects.
create or replace function detection.freeze(boundary timestamptz, own int) returns void language plpgsql as $$
begin
    insert into detection.list_epoch (epoch) values (boundary) on conflict do nothing;
    if not found then
        return;
    end if;
    -- What people decided on cases counts as labels do.
    insert into detection.label (transaction_id, account_id, is_fraud, known_at, role)
    select transaction_id, account_id, fraud, at, 'case' from read.verdict
    where fraud is not null and at <= boundary and at > boundary - interval '7 days'
    on conflict (transaction_id) do nothing;
    with due as (
        update detection.label l set epoch = boundary
        from read.payment p
        where l.epoch is null and l.known_at <= boundary and p.transaction_id = l.transaction_id
        returning p.merchant_id, p.payee_id, p.event_time, p.own_points, l.is_fraud, l.known_at, l.transaction_id
    ), told as (
        select kind, party, is_fraud, event_time,
               count(*) filter (where not is_fraud)
                   over (partition by kind, party order by known_at desc, transaction_id desc) as honest_since,
               lag(is_fraud) over (partition by kind, party order by known_at, transaction_id) as before
        from due cross join lateral (values ('merchant', merchant_id), ('payee', payee_id)) as v (kind, party)
        where party is not null and not (kind = 'merchant' and is_fraud and own_points >= own)
    ), folded as (
        select kind, party, count(*) filter (where honest_since = 0) as run,
               min(event_time) filter (where honest_since = 0) as since, bool_and(is_fraud) as unbroken,
               bool_or(is_fraud) filter (where before is null) as first,
               count(*) filter (where before) as followed, count(*) filter (where before and is_fraud) as repeated
        from told
        group by kind, party
    ), joined as (
        select f.*, coalesce(b.run, 0) as known_run, b.since as known_since, b.frozen
        from folded f
        left join lateral (
            select run, since, frozen from detection.suspect
            where kind = f.kind and party = f.party
            order by frozen desc
            limit 1
        ) b on true
    ), counted as (
        insert into detection.repeat as r (kind, frozen, followed, repeated)
        select n.kind, greatest(boundary, k.frozen), n.followed + coalesce(k.followed, 0), n.repeated + coalesce(k.repeated, 0)
        from (
            select kind, sum(followed + (known_run > 0)::int) as followed,
                   sum(repeated + (known_run > 0 and first)::int) as repeated
            from joined
            group by kind
        ) n
        left join lateral (
            select followed, repeated, frozen from detection.repeat where kind = n.kind order by frozen desc limit 1
        ) k on true
        where n.followed > 0
        on conflict (kind, frozen) do update set followed = excluded.followed, repeated = excluded.repeated
    )
    insert into detection.suspect as s (kind, party, frozen, run, since)
    select kind, party, greatest(boundary, frozen), run + case when unbroken then known_run else 0 end,
           case when unbroken and known_run > 0 then least(known_since, since) else since end
    from joined
    where run > 0 or known_run > 0
    on conflict (kind, party, frozen) do update set run = excluded.run, since = excluded.since;
end $$;
