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
