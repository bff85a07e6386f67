-- What was entered stays: read within reach, written in one's own name, changed by nobody.

create trigger entry_is_immutable before update or delete on comity.entry
    for each row execute function comity.refuse_change();
create trigger entry_not_truncated before truncate on comity.entry execute function comity.refuse_change();
create trigger content_is_immutable before update or delete on comity.entry_content
    for each row execute function comity.refuse_change();
create trigger content_not_truncated before truncate on comity.entry_content execute function comity.refuse_change();
create trigger sequence_is_immutable before update or delete on comity.sequence
    for each row execute function comity.refuse_change();
create trigger sequence_not_truncated before truncate on comity.sequence execute function comity.refuse_change();

do $$
declare
    t text;
begin
    foreach t in array array['entry', 'entry_content', 'sequence'] loop
        execute format('create policy reach on comity.%I for select using (agency = any ((select comity.reach())::text[]))', t);
        execute format('create policy own_insert on comity.%I for insert with check (agency = comity.me())', t);
        execute format('create policy own_update on comity.%I for update using (agency = comity.me()) with check (agency = comity.me())', t);
        execute format('create policy own_delete on comity.%I for delete using (agency = comity.me())', t);
    end loop;
end $$;
grant select, insert on comity.entry, comity.entry_content to comity_app;
grant update (content, salts) on comity.entry_content to comity_app;  -- comity.refuse_change says of which
create policy answers on comity.entry for select to current_user using (kind = 'answer');  -- comity.refuse_going_back

-- The app role appends and learns the place; the sequencer alone gives it. It reads of an entry whose it is and its leaf.
create policy appends on comity.pending for insert to comity_app with check (reason = '');
create trigger pending_is_ones_own after insert on comity.pending referencing new table as added
    for each statement execute function comity.refuse_no_place_of_own();
create policy sequencer_drains on comity.pending to comity_sequencer using (true) with check (true);
create policy sequencer_places on comity.sequence to comity_sequencer using (true) with check (true);
create policy sequencer_places on comity.entry for select to comity_sequencer using (true);
grant insert (entry, placed_at) on comity.pending to comity_app;
grant select on comity.sequence to comity_app;
grant select, delete on comity.pending to comity_sequencer;
grant update (reason) on comity.pending to comity_sequencer;
grant select (id, agency, leaf) on comity.entry to comity_sequencer;
grant select, insert on comity.sequence to comity_sequencer;
-- comity.lag and comity.stream_end, which run as the owner, count and show no row.
create policy counts on comity.pending for select to current_user using (true);
create policy ends on comity.sequence for select to current_user using (true);

create policy own on comity.arrival for select using (agency = comity.me());
create policy before_any_entry on comity.arrival for insert with check (
    agency = comity.me() and not exists (select 1 from comity.entry e where e.agency = arrival.agency));
grant select, insert on comity.arrival to comity_app;
