-- The node's public directory is read by all: titles and definitions, no record. An agency's row and layers are written in
-- its own name, suspension in the node's.

create policy directory on comity.agency for select using (true);
create policy own_insert on comity.agency for insert with check (id = comity.me());
create policy own_update on comity.agency for update using (id = comity.me() or comity.me() = 'node');
create trigger agency_rights after update on comity.agency for each row
    when (old.state is distinct from new.state) execute function comity.rights_changed();
grant select, insert, update on comity.agency to comity_app;

grant select, update on comity.epoch to comity_app;

create policy directory on comity.layer for select using (true);
create policy own_insert on comity.layer for insert with check (agency = comity.me());
-- Not silence but the trigger answers the owner of the tables who would change a layer.
create policy trigger_refuses on comity.layer for update using (true);
create policy trigger_refuses_too on comity.layer for delete using (true);
create trigger layer_is_immutable before update or delete on comity.layer
    for each row execute function comity.refuse_change();
create trigger layer_not_truncated before truncate on comity.layer execute function comity.refuse_change();
grant select, insert on comity.layer to comity_app;

create policy both_see on comity.agreement for select using (agency = comity.me() or to_agency = comity.me());
create policy grantor_writes on comity.agreement using (agency = comity.me()) with check (agency = comity.me());
create policy asked_for_outsiders on comity.agreement for select to current_user using (true);  -- comity.agreed_with_outsider
grant select, insert, update, delete on comity.agreement to comity_app;
