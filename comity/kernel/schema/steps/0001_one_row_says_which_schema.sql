-- From the migrations that Django ran to the files beside this one: comity.schema_state takes the place of Django's table.
create table comity.schema_state (
    one boolean primary key default true check (one),
    revision int not null,
    steps text[] not null,
    digests jsonb not null,
    changed_at timestamptz not null
);
-- Another program of Django may keep its own rows in that table: then it stays, and ours leave it.
do $django$
begin
    if exists (select from public.django_migrations where app <> 'kernel') then
        delete from public.django_migrations where app = 'kernel';
    else
        drop table public.django_migrations;
    end if;
end $django$;
