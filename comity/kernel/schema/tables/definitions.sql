-- WHAT IS IN FORCE: the agencies, their definitions, and what they agreed.

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
    version int not null default 0,
    -- what its definitions in force say are obligations: [{type, link, open, about, owed_by}]; null: not said yet
    owing jsonb,
    -- its log is kept on another node, which brings here what concerns this one's agencies
    elsewhere boolean not null default false
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
