-- WHAT HAPPENED. Entries are immutable; their content can be erased under an order; the sequencer gives them their place.
-- Every table carries its agency and forced row-level security: an agency writes its own rows only and reads no row
-- outside comity.reach(), whatever the code forgets.

create schema if not exists comity;
grant usage on schema comity to comity_app, comity_sequencer;

-- The agency for which this transaction acts; empty when code forgot to say, and then nothing is visible.
create function comity.me() returns text language sql stable as
$$ select coalesce(nullif(current_setting('comity.agency', true), ''), '-') $$;

create table comity.agency (
    id text primary key,
    title text not null,
    kind text not null default '',
    membership text not null default 'member' check (membership in ('member', 'mirrored', 'outside')),
    state text not null default 'active' check (state in ('active', 'suspended')),
    jurisdiction text not null default '',
    zone text not null default 'UTC',
    contact jsonb not null default '{}',
    layers jsonb not null default '{}',
    version int not null default 0
);

-- Raised by every installation and suspension: a process that holds an older number loads its catalogues again.
create table comity.epoch (one boolean primary key default true check (one), n bigint not null default 0);
insert into comity.epoch default values;

create table comity.layer (
    name text not null,
    version int not null,
    agency text not null,
    digest text not null,
    files jsonb not null,
    entry uuid not null,
    installed_at timestamptz not null,
    primary key (name, version)
);

create table comity.agreement (
    agency text not null,
    id text not null,
    to_agency text not null,
    spec jsonb not null,
    valid_from date not null,
    valid_until date not null,
    primary key (agency, id)
);
create index agreement_to on comity.agreement (to_agency, agency);

create table comity.entry (
    id uuid primary key,
    agency text not null,
    record uuid not null,
    type text not null,
    type_version int not null,
    kind text not null,
    act text not null,
    actor uuid not null,
    occurred_at timestamptz not null,
    entered_at timestamptz not null,
    version int not null,
    state_from text not null,
    state_to text not null,
    refers uuid,
    commitments bytea not null,
    leaf bytea not null check (octet_length(leaf) = 32),
    unique (agency, record, version)
);
create index entry_record on comity.entry (record, agency, version);
create index entry_refers on comity.entry (refers) where refers is not null;

create table comity.entry_content (
    entry uuid primary key,
    agency text not null,
    record uuid not null,
    content bytea not null,
    salts bytea not null
);

create table comity.pending (
    serial bigint generated always as identity primary key,
    agency text not null,
    entry uuid not null,
    leaf bytea not null,
    appended_at timestamptz not null default now()
);

create table comity.sequence (
    place bigint primary key,
    agency text not null,
    agency_place bigint not null,
    entry uuid not null unique,
    leaf bytea not null,
    sequenced_at timestamptz not null,
    unique (agency, agency_place)
);

create table comity.follower (
    name text not null,
    agency text not null,
    place bigint not null default 0,
    primary key (name, agency)
);

-- What an effect owes or has done: unique on (follower, entry, target), resumed and never rebuilt.
create table comity.outbox (
    follower text not null,
    entry uuid not null,
    target text not null,
    agency text not null,
    state text not null default 'due' check (state in ('due', 'done', 'dead')),
    attempts int not null default 0,
    error text not null default '',
    changed_at timestamptz not null,
    primary key (follower, entry, target)
);
create index outbox_due on comity.outbox (agency, follower) where state = 'due';

-- Insert-only, also for the owner of the tables: a wrong fact is answered by a new entry.
create function comity.refuse_change() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'entry_content' and tg_op in ('UPDATE', 'DELETE') then
        if current_setting('comity.erasing', true) = old.entry::text then
            return case tg_op when 'DELETE' then old else new end;
        end if;
    end if;
    raise exception 'comity.% is insert-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger entry_is_immutable before update or delete on comity.entry
    for each row execute function comity.refuse_change();
create trigger entry_not_truncated before truncate on comity.entry execute function comity.refuse_change();
create trigger content_is_immutable before update or delete on comity.entry_content
    for each row execute function comity.refuse_change();
create trigger content_not_truncated before truncate on comity.entry_content execute function comity.refuse_change();
create trigger sequence_is_immutable before update or delete on comity.sequence
    for each row execute function comity.refuse_change();
create trigger sequence_not_truncated before truncate on comity.sequence execute function comity.refuse_change();
create trigger layer_is_immutable before update or delete on comity.layer
    for each row execute function comity.refuse_change();
create trigger layer_not_truncated before truncate on comity.layer execute function comity.refuse_change();

-- Erasure under an order: the order's own entry must stand in the same agency's log and refer to the erased entry. The
-- remaining content is given by the caller (what is not among the commitments is found by ledger/verify); null: all.
create function comity.erase(erased uuid, by_order uuid, remaining bytea, remaining_salts bytea) returns void
language plpgsql security definer set search_path = comity, pg_temp as $$
begin
    if not exists (select 1 from comity.entry
                    where id = by_order and agency = comity.me() and kind = 'erase' and refers = erased) then
        raise exception 'an erasure needs its order in the log' using errcode = 'insufficient_privilege';
    end if;
    perform set_config('comity.erasing', erased::text, true);
    if remaining is null then
        delete from comity.entry_content where entry = erased and agency = comity.me();
    else
        update comity.entry_content set content = remaining, salts = remaining_salts
         where entry = erased and agency = comity.me();
    end if;
    perform set_config('comity.erasing', '', true);
end $$;
