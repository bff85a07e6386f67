-- WHO ELSE LEARNS: subscriptions, the notices and webhooks that they bring, and the tickets of the live feed.

-- What a member, or everybody in a role, wants to be told. `wanted` is the filter; rights are decided at each delivery.
create table comity.subscription (
    id uuid primary key,
    agency text not null,
    member uuid,
    role text not null default '',
    made_by uuid not null,
    name text not null,
    purpose text not null,
    wanted jsonb not null,
    endpoint uuid,
    state text not null default 'active' check (state in ('active', 'stopped', 'ended')),
    reason text not null default '',
    errors int not null default 0,
    place bigint not null,
    made_at timestamptz not null,
    check ((member is null) <> (role = ''))
);
create index subscription_agency on comity.subscription (agency, state);

-- Where an agency lets webhooks be sent. The secret is wrapped with the agency's key, which is not in the database.
create table comity.endpoint (
    id uuid primary key,
    agency text not null,
    url text not null,
    secret bytea not null,
    state text not null default 'active' check (state in ('active', 'stopped', 'removed')),
    reason text not null default '',
    failures int not null default 0,
    paused_until timestamptz not null default '-infinity',
    version int not null default 1,
    added_at timestamptz not null
);
create index endpoint_agency on comity.endpoint (agency, state);

-- A delivery to the inbox. Its id is made from (subscription, entry): the same delivery twice is one row.
create table comity.notice (
    id uuid primary key,
    agency text not null,
    member uuid,
    role text not null default '',
    subscription uuid not null,
    entry uuid not null,
    record uuid not null,
    act text not null,
    from_agency text not null,
    place bigint not null,
    at timestamptz not null
);
create index notice_agency on comity.notice (agency, at desc);

create table comity.feed_ticket (
    hash bytea primary key,
    agency text not null,
    member uuid not null,
    token bytea,
    purpose text not null,
    wanted jsonb not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
