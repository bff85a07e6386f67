-- THE WORK: the current state of records, what points where, search and numbers. All of it can be folded from entries.

-- `on_behalf`: the institution for which a record was entered by its owner; empty where the owner entered its own.
create table comity.record (
    id uuid primary key,
    agency text not null,
    type text not null,
    core_type text not null,
    number text,
    title text not null default '',
    state text not null,
    core_state text not null,
    version int not null,
    type_version int not null,
    fields jsonb not null,
    links jsonb not null,
    files jsonb not null default '{}',
    field_marks jsonb not null default '{}',
    marks text[] not null,
    assigned text[] not null,
    parties text[] not null,
    entered_by text not null,
    entered_at timestamptz not null,
    changed_at timestamptz not null,
    on_behalf text not null default '',
    unique (agency, number)
);
create index record_list on comity.record (core_type, entered_at desc, id desc);
create index record_agency_list on comity.record (agency, core_type, entered_at desc, id desc);
create index record_number on comity.record (number) where number is not null;

create table comity.link (
    record uuid not null,
    name text not null,
    target uuid not null,
    agency text not null,
    type text not null,
    primary key (record, name, target)
);
create index link_target on comity.link (target, name, type);

-- Search and filters: btree equality only, because RLS lets nothing else run below the policy (measured: GIN 427 ms).
create table comity.term (
    record uuid not null,
    agency text not null,
    type text not null,
    field text not null,
    grp text not null,
    token text collate "C" not null,
    whole boolean not null,
    primary key (record, field, token, whole)
);
create index term_token on comity.term (token, type, whole, record);

create table comity.file (
    id uuid primary key,
    agency text not null,
    record uuid not null,
    name text not null,
    media_type text not null,
    size bigint not null,
    digest bytea not null,
    stored text not null,
    data_key bytea not null,
    added_at timestamptz not null
);
create index file_record on comity.file (record);

create table comity.counter (
    agency text not null,
    key text not null,
    next bigint not null,
    primary key (agency, key)
);

-- Why a number is absent: the blocks that processes reserved.
create table comity.number_block (
    agency text not null,
    key text not null,
    first bigint not null,
    last bigint not null,
    reserved_at timestamptz not null,
    primary key (agency, key, first)
);

create table comity.idempotency (
    agency text not null,
    key text not null,
    digest bytea not null,
    entry uuid not null,
    record uuid not null,
    primary key (agency, key)
);
