-- The last place of the node's stream: a number that every receipt's address shows anyway. Followers move up to it,
-- so that entries which an agency may not see are passed once and not at every round.
create or replace function comity.stream_end() returns bigint
language sql stable security definer set search_path = comity, pg_temp as $$
    select coalesce(max(place), 0) from comity.sequence
$$;

revoke execute on function comity.stream_end from public;
grant execute on function comity.stream_end to comity_app;
