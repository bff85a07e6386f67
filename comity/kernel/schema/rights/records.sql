-- Records, links, search terms and files are read within reach and written in one's own name; the rest is one's own only.

do $$
declare
    t text;
begin
    foreach t in array array['record', 'link', 'term', 'file'] loop
        execute format('create policy reach on comity.%I for select using (agency = any ((select comity.reach())::text[]))', t);
        execute format('create policy own_insert on comity.%I for insert with check (agency = comity.me())', t);
        execute format('create policy own_update on comity.%I for update using (agency = comity.me()) with check (agency = comity.me())', t);
        execute format('create policy own_delete on comity.%I for delete using (agency = comity.me())', t);
    end loop;
    foreach t in array array['counter', 'number_block', 'idempotency'] loop
        execute format('create policy own on comity.%I using (agency = comity.me()) with check (agency = comity.me())', t);
    end loop;
end $$;

-- A function that checks that a record is one's own need not work out first whom one reaches. It sees nothing more: one's
-- own rows are always within reach. PostgreSQL tries the last name first, so this one stands before `reach`.
create policy sees_own on comity.record for select to current_user using (agency = comity.me());
create policy passes_on on comity.link for select to current_user using (true);  -- comity.pass_on

grant select, insert, update on comity.record, comity.file, comity.counter to comity_app;
grant select, insert, update, delete on comity.link, comity.term to comity_app;
grant select, insert on comity.number_block, comity.idempotency to comity_app;
