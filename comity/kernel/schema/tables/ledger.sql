-- WHAT HAPPENED. Entries are immutable; their content can be erased under an order; the sequencer gives them their place.

create table comity.entry (
    id uuid primary key,
    agency text not null,
    record uuid not null,
    type text not null,
    type_version int not null,
    kind text not null,
    act text not null,
    actor uuid not null,
    occurred_at timestamptz not null,
    entered_at timestamptz not null,
    version int not null,
    state_from text not null,
    state_to text not null,
    refers uuid,
    commitments bytea not null,
    leaf bytea not null check (octet_length(leaf) = 32),
    unique (agency, record, version)
);
create index entry_record on comity.entry (record, agency, version);
create index entry_refers on comity.entry (refers) where refers is not null;

create table comity.entry_content (
    entry uuid primary key,
    agency text not null,
    record uuid not null,
    content bytea not null,
    salts bytea not null
);

-- Entries without a place. Whose each is and its leaf are read from the entry itself when it gets one. `placed_at`: when an
-- arriving entry had its place on the node that it left; "as entered at T" answers the same here as there. `reason`: why
-- the sequencer set it aside and goes on without it; empty while it waits its turn.
create table comity.pending (
    serial bigint generated always as identity primary key,
    entry uuid not null unique references comity.entry (id),
    appended_at timestamptz not null default now(),
    placed_at timestamptz,
    reason text not null default ''
);

create table comity.sequence (
    place bigint primary key,
    agency text not null,
    agency_place bigint not null,
    entry uuid not null unique,
    leaf bytea not null,
    sequenced_at timestamptz not null,
    unique (agency, agency_place)
);

-- An agency's log that was carried here from another node. It arrives once, before it has any entry here.
create table comity.arrival (
    agency text primary key,
    entries bigint not null,
    root bytea not null check (octet_length(root) = 32),
    proof bytea not null,
    at timestamptz not null,
    arriving xid8 not null default pg_current_xact_id()
);
