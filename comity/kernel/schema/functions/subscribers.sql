-- The agencies whose subscriptions are behind the stream or owe a notice, without showing which.
create or replace function comity.subscribers(of_follower text, of_notice text) returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select s.agency from (select distinct agency from comity.subscription where state = 'active') s
      left join comity.follower f on f.name = of_follower and f.agency = s.agency
     where coalesce(f.place, 0) < comity.stream_end()
    union
    select distinct agency from comity.outbox where state = 'due' and follower = of_notice
$$;

revoke execute on function comity.subscribers from public;
grant execute on function comity.subscribers to comity_app;
