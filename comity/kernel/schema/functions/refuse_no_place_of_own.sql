-- A place is asked for an entry of one's own that has none; when it had one elsewhere, by an arriving agency alone. An agency
-- whose log is kept on another node has its places there.
create or replace function comity.refuse_no_place_of_own() returns trigger language plpgsql as $$
begin
    if exists (select from added a where not exists (
               select from comity.entry e where e.id = a.entry and e.agency = comity.me()))
       or exists (select from added) and exists (select from comity.agency g where g.id = comity.me() and g.elsewhere)
       or exists (select from added a join comity.sequence s on s.entry = a.entry)
       or (exists (select from added a where a.placed_at is not null) and not comity.arriving()) then
        raise exception 'a place is asked for an entry of one''s own that has none' using errcode = 'insufficient_privilege';
    end if;
    return null;
end $$;

revoke execute on function comity.refuse_no_place_of_own from public;
