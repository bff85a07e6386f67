-- WHAT STAYS UNANSWERED: who was told of it, on which side, by which rule. Both sides of the offer see that it was raised.

-- An effect: its id is made from (entry, rule, step), so the same step twice is one row. `states`: it is over once the
-- record has left them; empty: once the offer is answered.
create table comity.escalation (
    id uuid primary key,
    agency text not null,
    from_agency text not null,
    to_agency text not null,
    record uuid not null,
    entry uuid not null,
    rule text not null,
    step int not null,
    title text not null,
    citation text not null default '',
    roles text[] not null,
    states text[] not null default '{}',
    since timestamptz not null,
    due_at timestamptz not null,
    at timestamptz not null,
    check (agency in (from_agency, to_agency))
);
create index escalation_agency on comity.escalation (agency, at desc);
create index escalation_record on comity.escalation (record);

-- When an agency last looked at what stays unanswered: once a minute is soon enough.
create table comity.escalation_round (
    agency text primary key,
    at timestamptz not null
);

alter table comity.escalation enable row level security;
alter table comity.escalation force row level security;
alter table comity.escalation_round enable row level security;
alter table comity.escalation_round force row level security;
create policy sides on comity.escalation for select using (comity.me() in (from_agency, to_agency));
create policy own on comity.escalation for insert with check (agency = comity.me());
create policy own on comity.escalation_round using (agency = comity.me()) with check (agency = comity.me());

grant select, insert on comity.escalation to comity_app;
grant select, insert, update on comity.escalation_round to comity_app;
