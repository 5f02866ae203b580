-- From format 2 on a seal's chain covers its marks and its time as well, so that no column of it can change unseen.
alter table log.seal add column format smallint not null default 1;
comment on column log.seal.format is 'what chain covers: 1 = prev, range, root; 2 = these, SHA-256 of marks, time';
