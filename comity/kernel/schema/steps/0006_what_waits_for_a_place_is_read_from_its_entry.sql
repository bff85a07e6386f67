-- What waited said itself whose it was and which leaf it had; now that is read from the entry, whatever the row said. A row
-- that no entry stands behind, or a second one for an entry, would have stopped the sequencer: none is taken along.
create temporary table waited on commit drop as
    select min(p.serial) as serial, p.entry, min(p.appended_at) as appended_at, min(p.placed_at) as placed_at
      from comity.pending p join comity.entry e on e.id = p.entry
     where not exists (select 1 from comity.sequence s where s.entry = p.entry)
       and not exists (select 1 from comity.agency a where a.id = e.agency and a.elsewhere)
     group by p.entry;
drop table comity.pending;
create table comity.pending (
    serial bigint generated always as identity primary key,
    entry uuid not null unique references comity.entry (id),
    appended_at timestamptz not null default now(),
    placed_at timestamptz,
    reason text not null default ''
);
insert into comity.pending (entry, appended_at, placed_at)
select entry, appended_at, placed_at from waited order by serial;
