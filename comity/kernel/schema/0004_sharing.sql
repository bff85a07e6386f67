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

-- An effect that failed is due again later.
alter table comity.outbox add column due_at timestamptz not null default '-infinity';
create index outbox_dead on comity.outbox (agency, changed_at) where state = 'dead';

do $$
declare
    t text;
begin
    foreach t in array array['subscription', 'endpoint', 'notice', 'feed_ticket'] loop
        execute format('alter table comity.%I enable row level security', t);
        execute format('alter table comity.%I force row level security', t);
    end loop;
    foreach t in array array['subscription', 'endpoint', 'notice'] loop
        execute format('create policy own on comity.%I using (agency = comity.me()) with check (agency = comity.me())', t);
    end loop;
end $$;
create policy bearer on comity.feed_ticket for select
    using (agency = comity.me() or encode(hash, 'hex') = current_setting('comity.token', true));
create policy own_write on comity.feed_ticket using (agency = comity.me()) with check (agency = comity.me());

grant select, insert, update on comity.subscription, comity.endpoint to comity_app;
grant select, insert on comity.notice, comity.feed_ticket to comity_app;
grant update (used_at) on comity.feed_ticket to comity_app;

-- The last place of the node's stream: a number that every receipt's address shows anyway. Followers move up to it, so
-- that entries which an agency may not see are passed once and not at every round.
create policy ends on comity.sequence for select to current_user using (true);
create function comity.stream_end() returns bigint
language sql stable security definer set search_path = comity, pg_temp as $$
    select coalesce(max(place), 0) from comity.sequence
$$;

-- The agencies for which a webhook is due, without showing what.
create policy due on comity.outbox for select to current_user using (true);
create function comity.webhooks_due(at timestamptz) returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct agency from comity.outbox where state = 'due' and follower = 'webhook' and due_at <= at
$$;
create index outbox_webhooks on comity.outbox (due_at) where state = 'due' and follower = 'webhook';

-- A suspension or a revoked token wakes the feed, which closes that agency's streams. Rare, so a NOTIFY costs nothing.
create function comity.rights_changed() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'agency' then
        perform pg_notify('comity_rights', new.id);
    else
        perform pg_notify('comity_rights', new.agency);
    end if;
    return null;
end $$;
create trigger agency_rights after update on comity.agency for each row
    when (old.state is distinct from new.state) execute function comity.rights_changed();
create trigger member_rights after update on comity.member for each row
    when (old.state is distinct from new.state or old.roles is distinct from new.roles)
    execute function comity.rights_changed();
create trigger token_rights after update on comity.token for each row
    when (old.revoked_at is distinct from new.revoked_at) execute function comity.rights_changed();

grant execute on function comity.stream_end(), comity.webhooks_due(timestamptz), comity.rights_changed() to comity_app;
