-- For rebuilding: the collision keys of a record of one's own, which the app role may not read.
create or replace function comity.own_collision_keys(of_record uuid) returns setof bytea
language sql stable security definer set search_path = comity, pg_temp as $$
    select key from comity.collision_key where agency = comity.me() and record = of_record
$$;

revoke execute on function comity.own_collision_keys from public;
grant execute on function comity.own_collision_keys to comity_app;
