-- One's own rows of an offer, read when nobody else moves it. The lock stands for the rows of both sides, until the
-- transaction ends; in plpgsql, so that what is read is read after the wait.
create or replace function comity.hold_offer(held uuid) returns setof comity.offer language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(held::text, 4801009));
    return query select * from comity.offer o where o.id = held and o.agency = comity.me() order by o.to_agency;
end $$;

revoke execute on function comity.hold_offer from public;
grant execute on function comity.hold_offer to comity_app;
