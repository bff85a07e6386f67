-- How far the sequencer is behind, and how many entries it set aside, without showing whose they are.
create or replace function comity.lag() returns table (pending bigint, oldest_seconds double precision, set_aside bigint)
language sql security definer set search_path = comity, pg_temp as $$
    select count(*) filter (where reason = ''),
           coalesce(extract(epoch from now() - min(appended_at) filter (where reason = '')), 0),
           count(*) filter (where reason <> '')
      from comity.pending
$$;

revoke execute on function comity.lag from public;
grant execute on function comity.lag to comity_app;
