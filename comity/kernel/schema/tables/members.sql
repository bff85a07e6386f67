-- WHO: members, the tokens by which they sign in, and one-time codes.

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
