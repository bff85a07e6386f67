-- THE WORK: the current state of records, what points where, offers and shares. All of it can be folded from entries.

create table comity.record (
    id uuid primary key,
    agency text not null,
    type text not null,
    core_type text not null,
    number text,
    title text not null default '',
    state text not null,
    core_state text not null,
    version int not null,
    type_version int not null,
    fields jsonb not null,
    links jsonb not null,
    files jsonb not null default '{}',
    field_marks jsonb not null default '{}',
    marks text[] not null,
    assigned text[] not null,
    parties text[] not null,
    entered_by text not null,
    entered_at timestamptz not null,
    changed_at timestamptz not null,
    unique (agency, number)
);
create index record_list on comity.record (core_type, entered_at desc, id desc);
create index record_agency_list on comity.record (agency, core_type, entered_at desc, id desc);
create index record_number on comity.record (number) where number is not null;

create table comity.link (
    record uuid not null,
    name text not null,
    target uuid not null,
    agency text not null,
    type text not null,
    primary key (record, name, target)
);
create index link_target on comity.link (target, name, type);
create index link_for on comity.link (agency) where name = 'for';  -- obligations: asked after every batch of entries

-- Search and filters: btree equality only, because RLS lets nothing else run below the policy (measured: GIN 427 ms).
create table comity.term (
    record uuid not null,
    agency text not null,
    type text not null,
    field text not null,
    grp text not null,
    token text collate "C" not null,
    whole boolean not null,
    primary key (record, field, token, whole)
);
create index term_token on comity.term (token, type, whole, record);

create table comity.offer (
    id uuid primary key,
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
    check (from_agency <> to_agency)
);
create index offer_to on comity.offer (to_agency, state);
create index offer_from on comity.offer (from_agency, state);

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

create table comity.member (
    id uuid primary key,
    agency text not null,
    name text not null,
    roles text[] not null,
    state text not null check (state in ('active', 'suspended')),
    version int not null
);
create unique index member_name on comity.member (agency, name);

create table comity.token (
    hash bytea primary key,
    agency text not null,
    member uuid not null,
    label text not null default '',
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);

create table comity.invitation (
    hash bytea primary key,
    agency text not null,
    name text not null,
    roles text[] not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table comity.counter (
    agency text not null,
    key text not null,
    next bigint not null,
    primary key (agency, key)
);

-- Why a number is absent: the blocks that processes reserved.
create table comity.number_block (
    agency text not null,
    key text not null,
    first bigint not null,
    last bigint not null,
    reserved_at timestamptz not null,
    primary key (agency, key, first)
);

create table comity.idempotency (
    agency text not null,
    key text not null,
    digest bytea not null,
    entry uuid not null,
    record uuid not null,
    primary key (agency, key)
);

create table comity.file (
    id uuid primary key,
    agency text not null,
    record uuid not null,
    name text not null,
    media_type text not null,
    size bigint not null,
    digest bytea not null,
    stored text not null,
    data_key bytea not null,
    added_at timestamptz not null
);
create index file_record on comity.file (record);

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

-- Deconfliction by pointer: keyed digests only, matched by one function that tells both parties whom to call.
create table comity.collision_key (
    key bytea not null,
    agency text not null,
    record uuid not null,
    primary key (key, agency, record)
);
create table comity.pointer (
    id uuid primary key,
    agency text not null,
    record uuid not null,
    other text not null,
    found_at timestamptz not null,
    unique (agency, record, other)
);

-- For pairs of a key and a record of one's own: (record, agency with the same key). In order of keys, so that two who
-- ask for the same keys wait for each other and never in a circle.
create function comity.deconflict(keys bytea[], of_records uuid[], at timestamptz)
returns table (record uuid, other text)
language plpgsql security definer set search_path = comity, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    bucket int;
begin
    if exists (select 1 from unnest(of_records) asked (id) where not exists (
            select 1 from comity.record r where r.id = asked.id and r.agency = comity.me())) then
        raise exception 'a collision is asked for a record of one''s own' using errcode = 'insufficient_privilege';
    end if;
    -- Two who enter one target at once wait for each other; a thousand buckets, so that a batch does not use up the locks.
    for bucket in select distinct get_byte(x, 0) * 4 + get_byte(x, 1) % 4 as b from unnest(keys) x order by b loop
        perform pg_advisory_xact_lock(4801003, bucket);
    end loop;
    insert into comity.collision_key
    select key, comity.me(), id from unnest(keys, of_records) asked (key, id) on conflict do nothing;
    insert into comity.pointer
    select gen_random_uuid(), side.agency, side.record, side.other, deconflict.at
      from unnest(keys, of_records) asked (key, id)
      join comity.collision_key c on c.key = asked.key and c.agency <> comity.me()
      cross join lateral (values (comity.me(), asked.id, c.agency), (c.agency, c.record, comity.me()))
           as side (agency, record, other)
    on conflict do nothing;
    return query select distinct asked.id, c.agency from unnest(keys, of_records) asked (key, id)
                   join comity.collision_key c on c.key = asked.key and c.agency <> comity.me();
end $$;

-- A view: entries counted by day, type and act. It holds no content and can be rebuilt from nothing.
create table comity.activity (
    agency text not null,
    day date not null,
    type text not null,
    act text not null,
    entries bigint not null,
    primary key (agency, day, type, act)
);
