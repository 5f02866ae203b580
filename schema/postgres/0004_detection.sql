-- What the consumer worker remembers between batches, written in the batch's own transaction, and the lists it judges by.
create schema detection;

-- One row an account, as bytes of core.detection.account: history, recent payments, open incidents.
create table detection.account (
    account_id text collate "C" primary key,
    state      bytea not null
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
alter table detection.account alter column state set storage external;

-- What belongs to a partition as a whole: the amounts of its population.
create table detection.partition (
    partition int primary key,
    state     bytea not null
) with (fillfactor = 50);

-- Ground truth as it becomes known; epoch is the boundary from which lists hold it, null while it waits.
create table detection.label (
    transaction_id text collate "C" primary key,
    account_id     text collate "C" not null,
    is_fraud       boolean not null,
    known_at       timestamptz not null,
    scenario       text,
    campaign_id    text,
    role           text,
    sequence       int,
    epoch          timestamptz
) with (fillfactor = 80);
create index label_waiting on detection.label (known_at) where epoch is null;
create index label_campaign on detection.label (campaign_id) where campaign_id is not null;

-- Boundaries of event time at which the lists were drawn up; what is learned later counts from a later one.
create table detection.list_epoch (
    epoch     timestamptz primary key,
    frozen_at timestamptz not null default clock_timestamp()
);

-- Labels of a party that took effect at a boundary; frozen is the boundary from which lists hold them (later than epoch
-- for a label that came late).
create table detection.list_rate (
    frozen timestamptz not null,
    epoch  timestamptz not null,
    kind   text not null,
    party  text collate "C" not null,
    labels int not null,
    frauds int not null,
    primary key (frozen, epoch, kind, party)
);

-- Draw up the lists of one boundary: labels known by then and not yet counted, with the parties of their payments.
-- width: milliseconds between boundaries.
create function detection.freeze(boundary timestamptz, width bigint) returns void language plpgsql as $$
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
        returning p.merchant_id, p.payee_id, l.is_fraud,
            to_timestamp(ceil(extract(epoch from l.known_at) * 1000 / width) * width / 1000.0) as effective
    )
    insert into detection.list_rate (frozen, epoch, kind, party, labels, frauds)
    select boundary, effective, kind, party, count(*), count(*) filter (where is_fraud)
    from due cross join lateral (values ('merchant', merchant_id), ('payee', payee_id)) as v (kind, party)
    where party is not null
    group by effective, kind, party;
end $$;
