-- For rebuilding: the ties of claims of one's own, which the app role may not read.
create or replace function comity.own_ties() returns table (claim uuid, one uuid, other uuid, apart boolean, certain boolean)
language sql stable security definer set search_path = comity, pg_temp as $$
    select claim, one, other, apart, certain from comity.tie where agency = comity.me()
$$;

revoke execute on function comity.own_ties from public;
grant execute on function comity.own_ties to comity_app;
