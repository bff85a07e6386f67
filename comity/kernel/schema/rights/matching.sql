-- Keys and ties are closed to the app role: the functions that match them run as the owner of the tables, leave pointers on
-- both sides and show nothing else.

create policy matcher on comity.collision_key to current_user using (true) with check (true);
create policy matcher on comity.tie to current_user using (true) with check (true);
create policy matcher on comity.pointer to current_user using (true) with check (true);
create policy own on comity.pointer for select using (agency = comity.me());
grant select on comity.pointer to comity_app;
