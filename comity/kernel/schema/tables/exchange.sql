-- BETWEEN AGENCIES: offers and what they open, emergencies, reports for others, what stays unanswered, who read what.

-- Each side's own row of an offer, projected from the entries that it has (ledger/offer_side). `agency`: whose row it is.
-- Of an offer to several the offerer has a row for each receiver. `ended_entry`, `ended_as`: the offerer's own end of it;
-- `noted_entry`: that the receiver's log has that end before any answer.
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

-- Entries of agencies that are kept elsewhere, that came for one of this node before those that they follow.
create table comity.waiting_entry (
    agency text not null,
    from_agency text not null,
    entry uuid not null,
    leaf bytea not null check (octet_length(leaf) = 32),
    line bytea not null,
    at timestamptz not null,
    primary key (agency, from_agency, entry)
);

-- What an offer or an emergency lets another agency read: record@version and field groups.
create table comity.share (
    id uuid primary key,
    record uuid not null,
    agency text not null,
    to_agency text not null,
    to_member uuid,
    groups text[] not null,
    version int,
    until timestamptz,
    offer uuid,
    basis text not null,
    ground text not null default '',
    decision text not null default 'included',
    live boolean not null default true,
    check (decision <> 'withheld' or groups = '{}')
);
create index share_record on comity.share (record, to_agency) where live;
create index share_offer on comity.share (offer);
create index share_to on comity.share (to_agency, agency) where live;

create table comity.emergency (
    id uuid primary key,
    agency text not null,
    owner text not null,
    record uuid not null,
    member uuid not null,
    reason text not null,
    opened_at timestamptz not null,
    until timestamptz not null,
    reviewed_at timestamptz,
    reviewed_by uuid,
    finding text not null default ''
);

-- Reads across agencies: one row a request and owning agency, written before the answer goes out.
create table comity.disclosure (
    id uuid primary key,
    at timestamptz not null,
    agency text not null,
    member uuid not null,
    owner text not null,
    purpose text not null,
    verb text not null,
    records jsonb not null
);
create index disclosure_owner on comity.disclosure (owner, at desc);
create index disclosure_reader on comity.disclosure (agency, at desc);

-- One row for each entry made on behalf of another. `agency` is the institution that is said to have acted, `by_agency`
-- reports it. Made with the entry; the verdict is an entry in the institution's own log.
create table comity.reported (
    entry uuid primary key,
    agency text not null,
    by_agency text not null,
    record uuid not null,
    type text not null,
    act text not null,
    document uuid not null,
    entered_at timestamptz not null,
    state text not null default 'open' check (state in ('open', 'confirmed', 'disputed')),
    answer_entry uuid,
    check (agency <> by_agency),
    check ((state = 'open') = (answer_entry is null))
);
create index reported_agency on comity.reported (agency, state, entered_at desc);
create index reported_by on comity.reported (by_agency, state);
create index reported_record on comity.reported (record);

-- What stays unanswered: who was told of it, on which side, by which rule. An effect: its id is made from (entry, rule,
-- step), so the same step twice is one row. `states`: it is over once the record has left them; empty: once the offer is
-- answered.
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
