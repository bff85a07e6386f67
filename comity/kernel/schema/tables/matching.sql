-- MATCHING: what two agencies learn of each other without seeing each other's records. Digests and ids only.

-- Deconfliction by pointer: keyed digests only, matched by one function that tells both parties whom to call.
create table comity.collision_key (
    key bytea not null,
    agency text not null,
    record uuid not null,
    primary key (key, agency, record)
);
create index collision_record on comity.collision_key (record);

-- `about`, what collides: target, place, operation, identity.
create table comity.pointer (
    id uuid primary key,
    agency text not null,
    record uuid not null,
    other text not null,
    found_at timestamptz not null,
    about text not null default 'target',
    unique (agency, record, other, about)
);

-- Live claims that two records are of one thing, or of two (`apart`). `certain` ones chain.
create table comity.tie (
    claim uuid primary key,
    agency text not null,
    one uuid not null,
    other uuid not null,
    apart boolean not null,
    certain boolean not null
);
create index tie_one on comity.tie (one) where certain;
create index tie_other on comity.tie (other) where certain;
