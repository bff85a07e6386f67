-- Owes each other agency that has links to one's own records the marks that an entry put on them or took off
-- (`+NAME`, `-NAME`), in the entry's transaction. It shows nothing: whose records they are and whether they derive,
-- is theirs.
create or replace function comity.pass_on(entries uuid[], records uuid[], marks text[], at timestamptz) returns void
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

revoke execute on function comity.pass_on from public;
grant execute on function comity.pass_on to comity_app;
