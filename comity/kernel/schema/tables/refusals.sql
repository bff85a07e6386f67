-- REFUSALS: which acts of its members were refused, for each agency: who, what, by which rule; nothing of the content.

-- The same refusals of one member within an hour are one row with a count. `key` is a digest of what is the same.
create table comity.refusal (
    id uuid primary key,
    agency text not null,
    member uuid not null,
    on_behalf text not null default '',
    verb text not null,
    type text not null default '',
    act text not null default '',
    record uuid,
    code text not null,
    faults jsonb not null,
    rules text[] not null,
    times bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    key bytea not null,
    unique (agency, key)
);
create index refusal_list on comity.refusal (agency, first_at desc, id desc);
create index refusal_member on comity.refusal (agency, member, first_at desc, id desc);
