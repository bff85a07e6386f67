-- One's own subscriptions, endpoints and notices. Whoever bears a ticket finds its row, and no other.

do $$
declare
    t text;
begin
    foreach t in array array['subscription', 'endpoint', 'notice'] loop
        execute format('create policy own on comity.%I using (agency = comity.me()) with check (agency = comity.me())', t);
    end loop;
end $$;
create policy behind on comity.subscription for select to current_user using (true);  -- comity.subscribers
grant select, insert, update on comity.subscription, comity.endpoint to comity_app;
grant select, insert on comity.notice to comity_app;

create policy bearer on comity.feed_ticket for select
    using (agency = comity.me() or encode(hash, 'hex') = current_setting('comity.token', true));
create policy own_write on comity.feed_ticket using (agency = comity.me()) with check (agency = comity.me());
grant select, insert on comity.feed_ticket to comity_app;
grant update (used_at) on comity.feed_ticket to comity_app;
