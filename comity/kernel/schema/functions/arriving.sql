-- Whether this very transaction is the one in which the agency arrives with its log.
create or replace function comity.arriving() returns boolean language sql stable as $$
    select exists (select 1 from comity.arrival where agency = comity.me() and arriving = pg_current_xact_id())
$$;

revoke execute on function comity.arriving from public;
grant execute on function comity.arriving to comity_app;
