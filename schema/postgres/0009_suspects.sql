-- Merchants and payees whose newest labels are fraud, in place of rates over a week: a party turns bad on one day and
-- good again on another, and the newest labels know that first.

alter table read.payment add column own_points smallint not null default 0;
comment on column read.payment.own_points is
    'points that the features gave it when it was decided: a fraud that the account''s own behaviour explains says nothing of the merchant';

drop table detection.list_rate;

-- The standing of a party from a boundary on: how many of its newest labels say fraud without a break, and the event
-- time of the first of these payments. A run of 0 ends one.
create table detection.suspect (
    kind   text not null,
    party  text collate "C" not null,
    frozen timestamptz not null,
    run    int not null,
    since  timestamptz,
    primary key (kind, party, frozen)
);
create index suspect_frozen on detection.suspect (frozen);

do $$
begin
    if to_regrole('streamguard_worker') is not null then
        grant select on detection.suspect to streamguard_reader;
        grant insert, update, delete on detection.suspect to streamguard_ingest;
    end if;
end $$;

-- Draw up the lists of one boundary: labels known by then and not yet counted, with the parties of their payments. A
-- label that comes after a later boundary was drawn up joins the newest standing. own: points from which a fraud is
-- explained by the account's own behaviour.
drop function detection.freeze(timestamptz, bigint);
create function detection.freeze(boundary timestamptz, own int) returns void language plpgsql as $$
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
                   over (partition by kind, party order by known_at desc, transaction_id desc) as honest_since
        from due cross join lateral (values ('merchant', merchant_id), ('payee', payee_id)) as v (kind, party)
        where party is not null and not (kind = 'merchant' and is_fraud and own_points >= own)
    ), folded as (
        select kind, party, count(*) filter (where honest_since = 0) as run,
               min(event_time) filter (where honest_since = 0) as since, bool_and(is_fraud) as unbroken
        from told
        group by kind, party
    )
    insert into detection.suspect as s (kind, party, frozen, run, since)
    select f.kind, f.party, greatest(boundary, b.frozen), f.run + case when f.unbroken then coalesce(b.run, 0) else 0 end,
           case when f.unbroken and b.run > 0 then least(b.since, f.since) else f.since end
    from folded f
    left join lateral (
        select run, since, frozen from detection.suspect
        where kind = f.kind and party = f.party
        order by frozen desc
        limit 1
    ) b on true
    where f.run > 0 or b.run > 0
    on conflict (kind, party, frozen) do update set run = excluded.run, since = excluded.since;
end $$;
