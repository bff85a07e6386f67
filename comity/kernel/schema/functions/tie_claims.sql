-- Keeps the ties of claims of one's own, and finds for each live one the claims with which it cannot be true: that
-- two are one though certain chains lead from them to certain strangers, or that two differ though certain claims
-- chain them. Both sides get a pointer; the caller learns whose claims they are. One at a time: claims are few.
create or replace function comity.tie_claims(asked uuid[], ones uuid[], others uuid[], aparts boolean[], certains boolean[],
                                  lives boolean[], at timestamptz)
returns table (claim uuid, agencies text[])
language plpgsql security definer set search_path = comity, pg_temp as $$
#variable_conflict use_column
declare
    i int;
    against uuid[];
begin
    if exists (select 1 from unnest(asked) a (id) where not exists (
            select 1 from comity.record r where r.id = a.id and r.agency = comity.me())) then
        raise exception 'a tie is asked for a claim of one''s own' using errcode = 'insufficient_privilege';
    end if;
    perform pg_advisory_xact_lock(4801007);
    for i in 1 .. coalesce(cardinality(asked), 0) loop
        delete from comity.tie where tie.claim = asked[i] and agency = comity.me();
        continue when not lives[i];
        against := null;
        if aparts[i] then
            select c.claims into against from comity.chained(ones[i], asked[i]) c where c.node = others[i];
        else
            select x.claims || y.claims || t.claim into against
              from comity.chained(ones[i], asked[i]) x cross join comity.chained(others[i], asked[i]) y
              join comity.tie t on t.certain and t.apart and (t.one, t.other) in ((x.node, y.node), (y.node, x.node))
             order by cardinality(x.claims) + cardinality(y.claims), t.claim limit 1;
        end if;
        insert into comity.tie values (asked[i], comity.me(), ones[i], others[i], aparts[i], certains[i]);
        continue when against is null;
        insert into comity.pointer (id, agency, record, other, found_at, about)
        select gen_random_uuid(), side.agency, side.record, side.other, tie_claims.at, 'identity'
          from comity.tie t
          cross join lateral (values (comity.me(), asked[i], t.agency), (t.agency, t.claim, comity.me()))
               as side (agency, record, other)
         where t.claim = any(against) and t.agency <> comity.me()
        on conflict do nothing;
        return query select asked[i], array_agg(distinct t.agency) from comity.tie t where t.claim = any(against);
    end loop;
end $$;

revoke execute on function comity.tie_claims from public;
grant execute on function comity.tie_claims to comity_app;
