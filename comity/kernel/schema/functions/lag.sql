-- How far the sequencer is behind, without showing whose entries wait.
create or replace function comity.lag() returns table (pending bigint, oldest_seconds double precision)
language sql security definer set search_path = comity, pg_temp as $$
    select count(*), coalesce(extract(epoch from now() - min(appended_at)), 0) from comity.pending
$$;

revoke execute on function comity.lag from public;
grant execute on function comity.lag to comity_app;
