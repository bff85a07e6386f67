-- WHICH SCHEMA THIS IS: the revision, the steps that brought it here or are in it from the start, and the digest of each file
-- of functions and rights as it was applied. Written by config/migration alone.
create table comity.schema_state (
    one boolean primary key default true check (one),
    revision int not null,
    steps text[] not null,
    digests jsonb not null,
    changed_at timestamptz not null
);
