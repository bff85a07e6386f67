-- Whether `asked` agreed that an institution which is no member may offer it a type: one word, for whoever reports
-- that institution's acts. Agreements among members stay between the two.
create or replace function comity.agreed_with_outsider(asked text, outsider text, of_type text, day date) returns boolean
language sql stable security definer set search_path = comity, pg_temp as $$
    select exists (select 1 from comity.agreement g join comity.agency a on a.id = g.to_agency and a.membership <> 'member'
                    where g.agency = asked and g.to_agency = outsider and g.spec->'offers' ? of_type
                      and g.valid_from <= day and day <= g.valid_until)
$$;

revoke execute on function comity.agreed_with_outsider from public;
grant execute on function comity.agreed_with_outsider to comity_app;
