-- The agencies to which marks are still to be passed on, without showing which.
create or replace function comity.unmarked() returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct o.agency from comity.outbox o join comity.agency a on a.id = o.agency and a.state = 'active'
     where o.state = 'due' and o.follower = 'marks'
$$;

revoke execute on function comity.unmarked from public;
grant execute on function comity.unmarked to comity_app;
