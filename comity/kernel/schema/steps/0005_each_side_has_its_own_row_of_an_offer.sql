-- One row of an offer for both agencies becomes one for each; and an agency may be one that is kept on another node.
-- What ended an offer stood where what settled it stands.
create temporary table offer_of_both on commit drop as select * from comity.offer;
drop table comity.offer;
create table comity.offer (
    agency text not null,
    id uuid not null,
    from_agency text not null,
    to_agency text not null,
    type text not null,
    label text not null default '',
    state text not null,
    ends boolean not null default false,
    offered_at timestamptz not null,
    seen_at timestamptz,
    expires_at timestamptz,
    answered_at timestamptz,
    offer_entry uuid not null,
    answer_entry uuid,
    settled_entry uuid,
    answer jsonb not null default '{}',
    ended_entry uuid,
    ended_as text not null default '',
    noted_entry uuid,
    primary key (agency, id, to_agency),
    check (agency in (from_agency, to_agency)),
    check ((ended_entry is null) = (ended_as = ''))
);
create index offer_to on comity.offer (to_agency, state);
create index offer_from on comity.offer (from_agency, state);
create index offer_id on comity.offer (id);
create index offer_unsettled on comity.offer (agency) where agency = from_agency and answer_entry is not null and settled_entry is null;

create table comity.waiting_entry (
    agency text not null,
    from_agency text not null,
    entry uuid not null,
    leaf bytea not null check (octet_length(leaf) = 32),
    line bytea not null,
    at timestamptz not null,
    primary key (agency, from_agency, entry)
);

insert into comity.offer (agency, id, from_agency, to_agency, type, label, state, ends, offered_at, seen_at, expires_at,
    answered_at, offer_entry, answer_entry, settled_entry, answer, ended_entry, ended_as)
select side.agency, o.id, o.from_agency, o.to_agency, o.type, o.label, o.state, o.ends, o.offered_at, o.seen_at, o.expires_at,
    o.answered_at, o.offer_entry, o.answer_entry,
    case when o.answer_entry is not null and (side.agency = o.from_agency or o.answer_entry = o.settled_entry)
        then o.settled_entry end,
    o.answer, case when o.answer_entry is null then o.settled_entry end,
    case when o.answer_entry is null and o.settled_entry is not null then o.state else '' end
  from offer_of_both o
 cross join lateral (select o.from_agency as agency union select o.to_agency) side;

alter table comity.agency add column elsewhere boolean not null default false;
