-- For rebuilding: the records of one's own that have collision keys.
create or replace function comity.own_collisions() returns setof uuid
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct record from comity.collision_key where agency = comity.me()
$$;

revoke execute on function comity.own_collisions from public;
grant execute on function comity.own_collisions to comity_app;
