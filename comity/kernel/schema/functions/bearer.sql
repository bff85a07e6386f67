-- Who bears a token, and whether that member and the agency are active, in one round trip.
create or replace function comity.bearer(of_hash bytea)
returns table (agency text, member uuid, expires_at timestamptz, revoked_at timestamptz, agency_state text,
    agency_version int, member_state text, member_name text, roles text[])
language plpgsql as $$
declare
    held comity.token;
begin
    perform set_config('comity.token', encode(of_hash, 'hex'), true);
    select * into held from comity.token t where t.hash = of_hash;
    if not found then
        return;
    end if;
    perform set_config('comity.agency', held.agency, true);
    return query
    select held.agency, held.member, held.expires_at, held.revoked_at, a.state, a.version, m.state, m.name, m.roles
      from (select) one left join comity.agency a on a.id = held.agency
      left join comity.member m on m.id = held.member and m.agency = held.agency;
end $$;

revoke execute on function comity.bearer from public;
grant execute on function comity.bearer to comity_app;
