-- WORK THAT IS DUE, found without looking where none is; and collisions in fewer statements.

-- A function that checks that a record is one's own need not work out first whom one reaches. It sees nothing more: one's
-- own rows are always within reach. PostgreSQL tries the last name first, so this one stands before `reach`.
create policy sees_own on comity.record for select to current_user using (agency = comity.me());

-- As before, with one statement each to check, to lock and to keep; pointers are made where another has such a key. All of it
-- goes by indexes: a plan that was kept while the tables were small would read them whole for as long as a session lives.
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

-- The agencies whose subscriptions are behind the stream or owe a notice, without showing which.
create policy behind on comity.subscription for select to current_user using (true);
create policy behind on comity.follower for select to current_user using (true);
create function comity.subscribers(of_follower text, of_notice text) returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select s.agency from (select distinct agency from comity.subscription where state = 'active') s
      left join comity.follower f on f.name = of_follower and f.agency = s.agency
     where coalesce(f.place, 0) < comity.stream_end()
    union
    select distinct agency from comity.outbox where state = 'due' and follower = of_notice
$$;
grant execute on function comity.subscribers(text, text) to comity_app;
