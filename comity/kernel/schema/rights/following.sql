-- Each agency's followers are its own. What a function asks across agencies it answers with names of agencies alone.

create policy own on comity.follower using (agency = comity.me()) with check (agency = comity.me());
create policy behind on comity.follower for select to current_user using (true);  -- comity.subscribers
grant select, insert, update on comity.follower to comity_app;

create policy own on comity.outbox using (agency = comity.me()) with check (agency = comity.me());
create policy due on comity.outbox for select to current_user using (true);  -- comity.webhooks_due, unmarked, subscribers
create policy passes_on on comity.outbox for insert to current_user with check (follower = 'marks');  -- comity.pass_on
-- Of what effects did, the app role deletes deliveries and settled answers alone: what is due, a dead letter, a digest and
-- an escalation stay.
create policy delivered_only on comity.outbox as restrictive for delete
    using (state = 'done' and follower in ('notice', 'webhook', 'settle'));
grant select, insert, update, delete on comity.outbox to comity_app;

create policy own on comity.tally using (agency = comity.me()) with check (agency = comity.me());
grant select, insert, update, delete on comity.tally to comity_app;
