-- Every role may know which schema it speaks to; the owner alone says it.
create policy known on comity.schema_state for select using (true);
create policy said on comity.schema_state to current_user using (true) with check (true);
grant select on comity.schema_state to comity_app, comity_sequencer;
