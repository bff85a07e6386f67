-- The first statement of every transaction: says for whom and at what instant it acts (comity.now) and brings what
-- every step needs, in one round trip.
create or replace function comity.begin(for_agency text, for_member uuid, at timestamptz default null)
returns table (epoch bigint, agency_state text, agency_version int, member_state text, member_name text, roles text[])
language plpgsql as $$
begin
    perform set_config('comity.agency', for_agency, true), set_config('comity.instant', coalesce(at::text, ''), true);
    return query
    select e.n, case when a.elsewhere and a.state = 'active' then 'elsewhere' else a.state end, a.version, m.state, m.name, m.roles
      from comity.epoch e left join comity.agency a on a.id = for_agency
      left join comity.member m on m.id = for_member and m.agency = for_agency;
end $$;

revoke execute on function comity.begin from public;
grant execute on function comity.begin to comity_app;
