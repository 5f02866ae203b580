-- Payments as the inlet took them in, and the figures of each second. Projections of the log add their views to read.
create schema read;

-- Owner of each column: the inlet writes all but verdict, the projector writes verdict (a person's word).
create table read.payment (
    transaction_id    text collate "C" primary key,
    account_id        text collate "C" not null,
    amount            bigint not null,
    channel           text,
    merchant_id       text,
    merchant_name     text,
    merchant_category text,
    payee_id          text,
    device_id         text,
    city              text,
    state             text,
    latitude          double precision,
    longitude         double precision,
    event_time        timestamptz not null,
    produced_at       timestamptz,
    ingested_at       timestamptz not null default clock_timestamp(),
    partition         int not null,
    "offset"          bigint not null,
    decision          text not null,
    score             int not null,
    verdict           boolean,
    is_fraud          boolean not null generated always as (coalesce(verdict, decision in ('review', 'block'))) stored
) with (fillfactor = 90);
create index payment_account on read.payment (account_id, event_time);
create index payment_time on read.payment using brin (event_time);
comment on column read.payment.amount is 'centavos';
comment on column read.payment.verdict is 'a person''s word on the payment: fraud or not; null while nobody has judged';

create view public.transactions as
select transaction_id, account_id, (amount / 100.0)::numeric(14, 2) as amount, channel, merchant_id, merchant_name,
       merchant_category, payee_id, device_id, city, state, latitude, longitude, event_time, produced_at, ingested_at,
       partition, "offset", decision, score, is_fraud
from read.payment;

-- Wall-clock second of commit. Percentiles of several batches join as the worst of them.
create table read.throughput_second (
    second         timestamptz primary key,
    payments       int not null default 0,
    approve        int not null default 0,
    review         int not null default 0,
    block          int not null default 0,
    alerts         int not null default 0,
    latency_p50_ms real,
    latency_p99_ms real,
    amount_blocked bigint not null default 0
) with (fillfactor = 50);
