-- ARRIVING: an agency's log that was carried here from another node. It arrives once, before it has any entry here.

create table comity.arrival (
    agency text primary key,
    entries bigint not null,
    root bytea not null check (octet_length(root) = 32),
    proof bytea not null,
    at timestamptz not null,
    arriving xid8 not null default pg_current_xact_id()
);
alter table comity.arrival enable row level security;
alter table comity.arrival force row level security;
create policy own on comity.arrival for select using (agency = comity.me());
create policy before_any_entry on comity.arrival for insert with check (
    agency = comity.me() and not exists (select 1 from comity.entry e where e.agency = arrival.agency));
grant select, insert on comity.arrival to comity_app;

-- Whether this very transaction is the one in which the agency arrives.
create function comity.arriving() returns boolean language sql stable as $$
    select exists (select 1 from comity.arrival where agency = comity.me() and arriving = pg_current_xact_id())
$$;
grant execute on function comity.arriving() to comity_app;

-- Who read its records on the node that it left: an owner brings these rows along, and can write none afterwards.
create policy owner_brings on comity.disclosure for insert with check (owner = comity.me() and comity.arriving());
create policy owner_brings on comity.emergency for insert with check (owner = comity.me() and comity.arriving());
-- What it reported for institutions outside, with the verdicts that those entered in their own logs.
create policy reporter_brings on comity.reported for insert with check (by_agency = comity.me() and comity.arriving());

-- When an arriving entry had its place on the node that it left; "as entered at T" answers the same here as there.
alter table comity.pending add column placed_at timestamptz;
