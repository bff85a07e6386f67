-- Insert-only, also for the owner of the tables: a wrong fact is answered by a new entry. Content leaves by
-- comity.erase alone; of an entry of a log that is kept on another node more may come to be shown, and never less.
create or replace function comity.refuse_change() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'entry_content' and tg_op in ('UPDATE', 'DELETE') then
        if current_setting('comity.erasing', true) = old.entry::text then
            return case tg_op when 'DELETE' then old else new end;
        end if;
        if tg_op = 'UPDATE' and (new.entry, new.agency, new.record) = (old.entry, old.agency, old.record)
           and exists (select 1 from comity.agency where id = old.agency and elsewhere)
           and convert_from(new.content, 'UTF8')::jsonb @> convert_from(old.content, 'UTF8')::jsonb then
            return new;
        end if;
    end if;
    raise exception 'comity.% is insert-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;

revoke execute on function comity.refuse_change from public;
