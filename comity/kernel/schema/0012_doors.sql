-- What rebuilding compares although the app role may not read it, for one's own agency alone; and the pruning of the outbox.

create function comity.own_collisions() returns setof uuid
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct record from comity.collision_key where agency = comity.me()
$$;
create function comity.own_collision_keys(of_record uuid) returns setof bytea
language sql stable security definer set search_path = comity, pg_temp as $$
    select key from comity.collision_key where agency = comity.me() and record = of_record
$$;
create function comity.own_ties() returns table (claim uuid, one uuid, other uuid, apart boolean, certain boolean)
language sql stable security definer set search_path = comity, pg_temp as $$
    select claim, one, other, apart, certain from comity.tie where agency = comity.me()
$$;
revoke execute on function comity.own_collisions(), comity.own_collision_keys(uuid), comity.own_ties() from public;
grant execute on function comity.own_collisions(), comity.own_collision_keys(uuid), comity.own_ties() to comity_app;

-- Of what effects did, the app role deletes deliveries and settled answers alone: what is due, a dead letter, a digest and
-- an escalation stay.
grant delete on comity.outbox to comity_app;
create policy delivered_only on comity.outbox as restrictive for delete
    using (state = 'done' and follower in ('notice', 'webhook', 'settle'));
create index outbox_delivered on comity.outbox (agency, changed_at) where state = 'done' and follower in ('notice', 'webhook', 'settle');
