-- Keeps the collision keys of records of one's own: pairs of a key and a record, and what collides (`abouts`). A
-- record of `moved` stops colliding by the keys that it no longer has. Where another agency has such a key, both
-- sides get a pointer; answered are (record, agency with the same key). Two who enter one target at once wait for
-- each other, on one of a thousand buckets, so that a batch does not use up the locks; in order of buckets, so that
-- they never wait in a circle. All of it goes by indexes: a plan that was kept while the tables were small would
-- read them whole for as long as a session lives.
create or replace function comity.deconflict(keys bytea[], of_records uuid[], abouts text[], moved uuid[], at timestamptz)
returns table (record uuid, other text)
language plpgsql security definer set search_path = comity, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    if exists (select 1 from unnest(of_records || moved) asked (id) where not exists (
            select 1 from comity.record r where r.id = asked.id and r.agency = comity.me())) then
        raise exception 'a collision is asked for a record of one''s own' using errcode = 'insufficient_privilege';
    end if;
    perform pg_advisory_xact_lock(4801003, b)
       from (select distinct get_byte(x, 0) * 4 + get_byte(x, 1) % 4 as b from unnest(keys) x order by b) buckets;
    if cardinality(moved) > 0 then
        delete from comity.collision_key c
         where c.agency = comity.me() and c.record = any(moved) and not exists (
               select 1 from unnest(keys, of_records) asked (key, id) where asked.key = c.key and asked.id = c.record);
    end if;
    insert into comity.collision_key
    select key, comity.me(), id from unnest(keys, of_records) asked (key, id) on conflict do nothing;
    if not exists (select 1 from comity.collision_key c where c.key = any(keys) and c.agency <> comity.me()) then
        return;
    end if;
    return query
    with met as (
        select asked.id, asked.about, c.agency, c.record from unnest(keys, of_records, abouts) asked (key, id, about)
          join comity.collision_key c on c.key = asked.key and c.agency <> comity.me()
    ), told as (
        insert into comity.pointer (id, agency, record, other, found_at, about)
        select gen_random_uuid(), side.agency, side.record, side.other, deconflict.at, met.about
          from met cross join lateral (values (comity.me(), met.id, met.agency), (met.agency, met.record, comity.me()))
               as side (agency, record, other)
        on conflict do nothing
    )
    select distinct met.id, met.agency from met;
end $$;

revoke execute on function comity.deconflict from public;
grant execute on function comity.deconflict to comity_app;
