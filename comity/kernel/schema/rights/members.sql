-- One's own members. Whoever bears a token or a one-time code finds its row, and no other, before it is known who that is.

create policy own on comity.member using (agency = comity.me()) with check (agency = comity.me());
create trigger member_rights after update on comity.member for each row
    when (old.state is distinct from new.state or old.roles is distinct from new.roles)
    execute function comity.rights_changed();
grant select, insert, update on comity.member to comity_app;

create policy bearer on comity.token for select
    using (agency = comity.me() or encode(hash, 'hex') = current_setting('comity.token', true));
create policy own_write on comity.token using (agency = comity.me()) with check (agency = comity.me());
create trigger token_rights after update on comity.token for each row
    when (old.revoked_at is distinct from new.revoked_at) execute function comity.rights_changed();
grant select, insert on comity.token to comity_app;
grant update (revoked_at) on comity.token to comity_app;

create policy bearer on comity.invitation for select
    using (agency = comity.me() or encode(hash, 'hex') = current_setting('comity.token', true));
create policy own_write on comity.invitation using (agency = comity.me()) with check (agency = comity.me());
grant select, insert on comity.invitation to comity_app;
grant update (used_at) on comity.invitation to comity_app;
