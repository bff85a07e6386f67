-- MARKS THAT ARE PUT ON LATER, what an erasure leaves behind, and the instant at which a transaction acts.

-- 1. Marks. Whoever derives a record and whoever marks one that others derive from take one lock, shared and alone: so
-- nothing is derived unmarked from what is being marked. In plpgsql, so that what is read is read after the wait.
create function comity.derive(targets uuid[]) returns table (target uuid, marks text[]) language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(4801008, 0);
    return query select r.id, r.marks from comity.record r where r.id = any(targets) and cardinality(r.marks) > 0;
end $$;

-- Owes each other agency that has links to one's own records the marks that an entry put on them or took off (`+NAME`,
-- `-NAME`), in the entry's transaction. It shows nothing: whose records they are and whether they derive, is theirs.
create policy passes_on on comity.link for select to current_user using (true);
create policy passes_on on comity.outbox for insert to current_user with check (follower = 'marks');
create function comity.pass_on(entries uuid[], records uuid[], marks text[], at timestamptz) returns void
language plpgsql security definer set search_path = comity, pg_temp as $$
begin
    if exists (select 1 from unnest(entries, records) asked (entry, record) where not exists (
            select 1 from comity.entry e
             where e.id = asked.entry and e.record = asked.record and e.agency = comity.me())) then
        raise exception 'marks are passed on by an entry of one''s own' using errcode = 'insufficient_privilege';
    end if;
    insert into comity.outbox (follower, entry, target, agency, changed_at)
    select distinct 'marks', asked.entry, concat_ws(' ', l.agency, asked.record, asked.mark), l.agency, pass_on.at
      from unnest(entries, records, marks) asked (entry, record, mark)
      join comity.link l on l.target = asked.record and l.agency <> comity.me()
    on conflict do nothing;
end $$;

-- The agencies to which marks are still to be passed on, without showing which.
create index outbox_marks on comity.outbox (agency) where state = 'due' and follower = 'marks';
create function comity.unmarked() returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct o.agency from comity.outbox o join comity.agency a on a.id = o.agency and a.state = 'active'
     where o.state = 'due' and o.follower = 'marks'
$$;
grant execute on function comity.derive(uuid[]), comity.pass_on(uuid[], uuid[], text[], timestamptz),
    comity.unmarked() to comity_app;

-- 2. Erasure. As before, and what was copied from the erased items goes with them: the answer and the grounds of an offer, an
-- emergency's words, a file's name and key (what is stored of it is noise then), a one-time code's name, the digest of a
-- request under a key, a claim's ties. The record's own row is written anew by records/erasing, in the same transaction.
create policy erases on comity.share for update to current_user using (true) with check (true);
create policy erases on comity.emergency for update to current_user
    using (comity.me() in (agency, owner)) with check (comity.me() in (agency, owner));
create or replace function comity.erase(erased uuid, by_order uuid, remaining bytea, remaining_salts bytea) returns void
language plpgsql security definer set search_path = comity, pg_temp as $$
declare
    e comity.entry;
    before jsonb;
    kept jsonb := coalesce(convert_from(remaining, 'UTF8')::jsonb, '{}');
begin
    if not exists (select 1 from comity.entry
                    where id = by_order and agency = comity.me() and kind = 'erase' and refers = erased) then
        raise exception 'an erasure needs its order in the log' using errcode = 'insufficient_privilege';
    end if;
    select * into e from comity.entry where id = erased and agency = comity.me();
    select convert_from(content, 'UTF8')::jsonb into before from comity.entry_content
     where entry = erased and agency = comity.me();
    perform set_config('comity.erasing', erased::text, true);
    if remaining is null then
        delete from comity.entry_content where entry = erased and agency = comity.me();
    else
        update comity.entry_content set content = remaining, salts = remaining_salts
         where entry = erased and agency = comity.me();
    end if;
    perform set_config('comity.erasing', '', true);
    if e.id is null then
        return;
    end if;
    update comity.idempotency set digest = '' where entry = erased and agency = comity.me();
    update comity.offer set answer = coalesce((
        select jsonb_object_agg(a.key, a.value) from jsonb_each(answer) a
         where kept ? ('answer/' || a.key) or a.key = 'reason' and kept ? 'reason'), '{}')
     where answer_entry = erased;
    update comity.share s set ground = '' from comity.offer o
     where s.offer = o.id and o.offer_entry = erased and s.agency = comity.me() and not kept ? ('share/' || s.record);
    update comity.file set name = '', media_type = '', size = 0, digest = '', data_key = ''
     where record = e.record and agency = comity.me() and before ? ('file/' || id) and not kept ? ('file/' || id);
    if e.type = 'kernel.emergency' and not kept ? 'reason' and before ? 'reason' then
        update comity.share s set ground = '' from comity.emergency m
         where m.id = e.record and s.basis = 'emergency' and s.to_agency = comity.me()
           and (s.record, s.to_member, s.until) = (m.record, m.member, m.until);
        update comity.emergency set reason = '' where id = e.record and agency = comity.me();
    end if;
    if e.type = 'kernel.emergency' and not kept ? 'set/finding' and before ? 'set/finding' then
        update comity.emergency set finding = '' where id = e.record and owner = comity.me();
    end if;
    if e.type = 'kernel.member' and not kept ? 'set/name' and before ? 'set/name' then
        update comity.invitation set name = '' where agency = comity.me() and name = before->>'set/name';
        update comity.member set name = id::text
         where id = e.record and agency = comity.me() and name = before->>'set/name';
    end if;
    delete from comity.tie where claim = e.record and agency = comity.me() and exists (
        select 1 from jsonb_object_keys(before) path where path like 'link/%' and not kept ? path);
end $$;

-- 3. One clock. A transaction says its instant when it begins (comity/clock.py), and what ends, ends by it in SQL as in
-- Python. Whoever speaks SQL as the app role can set it too. So it only ever shortens: an end is measured by the later of it
-- and the database's own clock, and a beginning, as well as the longest time of an emergency (policy emergency_opens), by
-- the database's own clock alone. A clock set back revives nothing, one set ahead begins nothing early.
create function comity.now() returns timestamptz language sql stable as
$$ select greatest(pg_catalog.now(), nullif(current_setting('comity.instant', true), '')::timestamptz) $$;

drop function comity.begin(text, uuid);
create function comity.begin(for_agency text, for_member uuid, at timestamptz default null)
returns table (epoch bigint, agency_state text, agency_version int, member_state text, member_name text, roles text[])
language plpgsql as $$
begin
    perform set_config('comity.agency', for_agency, true), set_config('comity.instant', coalesce(at::text, ''), true);
    return query
    select e.n, a.state, a.version, m.state, m.name, m.roles
      from comity.epoch e left join comity.agency a on a.id = for_agency
      left join comity.member m on m.id = for_member and m.agency = for_agency;
end $$;
grant execute on function comity.now(), comity.begin(text, uuid, timestamptz) to comity_app;

-- As before, by this clock; an offer whose time is over ties nobody, whether or not its offerer has ended it yet.
create or replace function comity.reach() returns text[] language plpgsql stable security definer
set search_path = comity, pg_temp as $$
declare
    instant timestamptz := comity.now();
begin
    return case when exists (select 1 from comity.agency where id = comity.me() and state = 'suspended')
        then array[comity.me()] else (
        select array_agg(other) from (
            select comity.me() as other
            union select case agency when comity.me() then to_agency else agency end from comity.agreement
                   where (agency = comity.me() or to_agency = comity.me())
                     and valid_from <= current_date + 1 and instant::date - 1 <= valid_until
            union select case from_agency when comity.me() then to_agency else from_agency end from comity.offer
                   where (from_agency = comity.me() or to_agency = comity.me()) and not ends
                     and (state <> 'offered' or expires_at is null or expires_at > instant)
            union select agency from comity.share where to_agency = comity.me() and live
                     and (until is null or until > instant)
            union select agency from comity.reported where by_agency = comity.me() and state <> 'open'
        ) reachable) end;
end $$;
