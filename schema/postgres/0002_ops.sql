-- Operation: where the inlet stands, who holds what, what was refused, how workers fare, where projections stand.
create schema ops;

-- Next offset and lease of each partition. Rows of one partition number are leased together over all topics, for they
-- are partitioned alike. The epoch rises with every claim; a batch that carries an old epoch changes no row: fenced.
create table ops.koff (
    cluster_id  text not null,
    topic       text not null,
    partition   int not null,
    next_offset bigint not null,
    epoch       bigint not null default 0,
    owner       text,
    lease_until timestamptz not null default '-infinity',
    updated_at  timestamptz not null default clock_timestamp(),
    primary key (cluster_id, topic, partition)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200);

-- Workers that want partitions; their number sets the fair share of each.
create table ops.inlet_member (
    cluster_id text not null,
    worker_id  text not null,
    seen_until timestamptz not null,
    primary key (cluster_id, worker_id)
) with (fillfactor = 50);

create table ops.dead_letter (
    id          bigint generated always as identity primary key,
    cluster_id  text not null,
    topic       text not null,
    partition   int not null,
    "offset"    bigint not null,
    key         bytea,
    value       bytea,
    headers     jsonb not null default '[]',
    error_class text not null,
    reason      text not null,
    at          timestamptz not null default clock_timestamp(),
    status      text not null default 'open' check (status in ('open', 'requeued', 'discarded')),
    unique (cluster_id, topic, partition, "offset")
);

create table ops.worker_status (
    worker_id  text not null,
    task       text not null,
    state      text not null,
    detail     jsonb not null default '{}',
    restarts   int not null default 0,
    pid        int not null,
    host       text not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (worker_id, task)
) with (fillfactor = 50);

-- Where a projection stands. The live generation's tables lie in schema p_<name>_<generation>, behind views in read.
create table ops.projection (
    name          text not null,
    generation    int not null,
    version       int not null,
    live          boolean not null,
    pos           bigint not null default 0,
    at            timestamptz,
    status        text not null default 'running' check (status in ('running', 'paused', 'parked', 'rebuilding')),
    failed_pos    bigint,
    failed_reason text,
    updated_at    timestamptz not null default clock_timestamp(),
    primary key (name, generation)
) with (fillfactor = 50);
create unique index projection_live on ops.projection (name) where live;
