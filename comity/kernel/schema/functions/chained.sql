-- The records that certain claims chain to `start`, each with the claims on the way, nearest first; at most a
-- thousand.
create or replace function comity.chained(start uuid, besides uuid) returns table (node uuid, claims uuid[])
language plpgsql stable security definer set search_path = comity, pg_temp as $$
declare
    nodes uuid[] := array[start];
    ways text[] := array['{}'];
    here int := 1;
    t record;
begin
    while here <= cardinality(nodes) and cardinality(nodes) < 1000 loop
        for t in select claim, case when one = nodes[here] then other else one end as far from comity.tie
                  where certain and not apart and claim <> besides and nodes[here] in (one, other) order by claim loop
            if not t.far = any(nodes) then
                nodes := nodes || t.far;
                ways := ways || (ways[here]::uuid[] || t.claim)::text;
            end if;
        end loop;
        here := here + 1;
    end loop;
    return query select n, w::uuid[] from unnest(nodes, ways) as found (n, w);
end $$;

revoke execute on function comity.chained from public;
