-- A suspension or a revoked token wakes the feed, which closes that agency's streams. Rare, so a NOTIFY costs
-- nothing.
create or replace function comity.rights_changed() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'agency' then
        perform pg_notify('comity_rights', new.id);
    else
        perform pg_notify('comity_rights', new.agency);
    end if;
    return null;
end $$;

revoke execute on function comity.rights_changed from public;
