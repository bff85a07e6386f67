-- JOINTS: what two agencies learn of each other without seeing each other's records. Digests and ids only, closed to the
-- app role; each is matched by one function, which leaves pointers on both sides and shows nothing else.

-- What collides: target, place, operation, identity.
alter table comity.pointer add column about text not null default 'target';
alter table comity.pointer drop constraint pointer_agency_record_other_key;
alter table comity.pointer add unique (agency, record, other, about);
create index collision_record on comity.collision_key (record);

-- As before, and a record that moved on stops colliding by the keys that it no longer has: an operation called off.
drop function comity.deconflict(bytea[], uuid[], timestamptz);
create function comity.deconflict(keys bytea[], of_records uuid[], abouts text[], moved uuid[], at timestamptz)
returns table (record uuid, other text)
language plpgsql security definer set search_path = comity, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    bucket int;
begin
    if exists (select 1 from unnest(of_records || moved) asked (id) where not exists (
            select 1 from comity.record r where r.id = asked.id and r.agency = comity.me())) then
        raise exception 'a collision is asked for a record of one''s own' using errcode = 'insufficient_privilege';
    end if;
    for bucket in select distinct get_byte(x, 0) * 4 + get_byte(x, 1) % 4 as b from unnest(keys) x order by b loop
        perform pg_advisory_xact_lock(4801003, bucket);
    end loop;
    delete from comity.collision_key c
     where c.agency = comity.me() and c.record = any(moved) and not exists (
           select 1 from unnest(keys, of_records) asked (key, id) where asked.key = c.key and asked.id = c.record);
    insert into comity.collision_key
    select key, comity.me(), id from unnest(keys, of_records) asked (key, id) on conflict do nothing;
    insert into comity.pointer (id, agency, record, other, found_at, about)
    select gen_random_uuid(), side.agency, side.record, side.other, deconflict.at, asked.about
      from unnest(keys, of_records, abouts) asked (key, id, about)
      join comity.collision_key c on c.key = asked.key and c.agency <> comity.me()
      cross join lateral (values (comity.me(), asked.id, c.agency), (c.agency, c.record, comity.me()))
           as side (agency, record, other)
    on conflict do nothing;
    return query select distinct asked.id, c.agency from unnest(keys, of_records) asked (key, id)
                   join comity.collision_key c on c.key = asked.key and c.agency <> comity.me();
end $$;

-- Live claims that two records are of one thing, or of two (`apart`). `certain` ones chain.
create table comity.tie (
    claim uuid primary key,
    agency text not null,
    one uuid not null,
    other uuid not null,
    apart boolean not null,
    certain boolean not null
);
create index tie_one on comity.tie (one) where certain;
create index tie_other on comity.tie (other) where certain;
alter table comity.tie enable row level security;
alter table comity.tie force row level security;
create policy matcher on comity.tie to current_user using (true) with check (true);

-- The records that certain claims chain to `start`, each with the claims on the way, nearest first; at most a thousand.
create function comity.chained(start uuid, besides uuid) returns table (node uuid, claims uuid[])
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

-- Keeps the ties of claims of one's own, and finds for each live one the claims with which it cannot be true: that two
-- are one though certain chains lead from them to certain strangers, or that two differ though certain claims chain them.
-- Both sides get a pointer; the caller learns whose claims they are. One at a time: claims are few.
create function comity.tie_claims(asked uuid[], ones uuid[], others uuid[], aparts boolean[], certains boolean[],
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

grant execute on function comity.deconflict(bytea[], uuid[], text[], uuid[], timestamptz),
    comity.tie_claims(uuid[], uuid[], uuid[], boolean[], boolean[], boolean[], timestamptz) to comity_app;
revoke execute on function comity.chained(uuid, uuid) from public;
