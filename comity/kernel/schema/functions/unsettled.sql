-- What somebody waits for goes first: the agencies whose offers were answered and have not followed, without
-- showing which.
create or replace function comity.unsettled() returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct o.agency from comity.offer o join comity.agency a on a.id = o.agency and a.state = 'active'
     where o.agency = o.from_agency and o.answer_entry is not null and o.settled_entry is null
$$;

revoke execute on function comity.unsettled from public;
grant execute on function comity.unsettled to comity_app;
