-- What somebody waits for goes first: the agencies whose offers were answered and have not followed, without showing which.
create policy waiting on comity.offer for select to current_user using (true);
create function comity.unsettled() returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct o.from_agency from comity.offer o join comity.agency a on a.id = o.from_agency and a.state = 'active'
     where o.answer_entry is not null and o.settled_entry is null
$$;
create index offer_unsettled on comity.offer (from_agency) where answer_entry is not null and settled_entry is null;
grant execute on function comity.unsettled() to comity_app;
