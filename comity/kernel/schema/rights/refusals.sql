-- Each agency's refusals are its own. What was refused does not change: only how often, and when last.

create policy own on comity.refusal using (agency = comity.me()) with check (agency = comity.me());
grant select, insert, delete on comity.refusal to comity_app;
grant update (times, last_at) on comity.refusal to comity_app;
