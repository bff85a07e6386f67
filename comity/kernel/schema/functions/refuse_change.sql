-- Insert-only, also for the owner of the tables: a wrong fact is answered by a new entry. Content leaves by
-- comity.erase alone.
create or replace function comity.refuse_change() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'entry_content' and tg_op in ('UPDATE', 'DELETE') then
        if current_setting('comity.erasing', true) = old.entry::text then
            return case tg_op when 'DELETE' then old else new end;
        end if;
    end if;
    raise exception 'comity.% is insert-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;

revoke execute on function comity.refuse_change from public;
