-- Each side has its own row of an offer; what opens records is seen by both and written by their owner.

create policy own on comity.offer using (agency = comity.me()) with check (agency = comity.me());
create policy waiting on comity.offer for select to current_user using (true);  -- comity.unsettled
create policy erases on comity.offer for update to current_user using (true) with check (true);  -- comity.erase
create trigger offer_moves_on before update on comity.offer for each row execute function comity.refuse_going_back();
grant select, insert on comity.offer to comity_app;
grant update (state, ends, seen_at, answered_at, answer_entry, settled_entry, answer, ended_entry, ended_as, noted_entry)
    on comity.offer to comity_app;

create policy own on comity.waiting_entry using (agency = comity.me()) with check (agency = comity.me());
grant select, insert, update, delete on comity.waiting_entry to comity_app;

create policy both_see on comity.share for select using (agency = comity.me() or to_agency = comity.me());
create policy owner_shares on comity.share for insert with check (agency = comity.me());
-- In an emergency the reader opens another's record to one member, for a time, where the owner agreed to that type.
create policy emergency_opens on comity.share for insert with check (
    to_agency = comity.me() and to_member is not null and basis = 'emergency' and offer is null
    and until is not null and until <= now() + interval '25 hours'
    and exists (select 1 from comity.agreement a join comity.record r on r.id = share.record and r.agency = a.agency
                 where a.agency = share.agency and a.to_agency = comity.me() and a.spec->'emergency' ? r.core_type));
create policy owner_ends on comity.share for update using (agency = comity.me()) with check (agency = comity.me());
create policy erases on comity.share for update to current_user using (true) with check (true);  -- comity.erase
grant select, insert on comity.share to comity_app;
grant update (live) on comity.share to comity_app;

create policy reader_and_owner on comity.emergency for select using (agency = comity.me() or owner = comity.me());
create policy reader_opens on comity.emergency for insert with check (agency = comity.me());
create policy owner_reviews on comity.emergency for update using (owner = comity.me()) with check (owner = comity.me());
create policy erases on comity.emergency for update to current_user
    using (comity.me() in (agency, owner)) with check (comity.me() in (agency, owner));
-- Who read its records on the node that it left: an owner brings these rows along, and can write none afterwards.
create policy owner_brings on comity.emergency for insert with check (owner = comity.me() and comity.arriving());
grant select, insert on comity.emergency to comity_app;
grant update (reviewed_at, reviewed_by, finding) on comity.emergency to comity_app;

create policy reader_and_owner on comity.disclosure for select using (agency = comity.me() or owner = comity.me());
create policy reader_writes on comity.disclosure for insert with check (agency = comity.me());
create policy owner_brings on comity.disclosure for insert with check (owner = comity.me() and comity.arriving());
grant select, insert on comity.disclosure to comity_app;

-- Whoever may reach the reporter's entries learns for whom they were made; the verdict is the institution's alone.
create policy reach on comity.reported for select to comity_app
    using (agency = comity.me() or by_agency = any ((select comity.reach())::text[]));
create policy own_reports on comity.reported for select to current_user using (by_agency = comity.me());  -- comity.reach
create policy reporter_reports on comity.reported for insert with check (by_agency = comity.me() and state = 'open');
create policy institution_judges on comity.reported for update using (agency = comity.me())
    with check (agency = comity.me());
-- What it reported for institutions outside, with the verdicts that those entered in their own logs.
create policy reporter_brings on comity.reported for insert with check (by_agency = comity.me() and comity.arriving());
create trigger report_judged_once before update on comity.reported
    for each row execute function comity.refuse_second_verdict();
grant select, insert on comity.reported to comity_app;
grant update (state, answer_entry) on comity.reported to comity_app;

create policy sides on comity.escalation for select using (comity.me() in (from_agency, to_agency));
create policy own on comity.escalation for insert with check (agency = comity.me());
create policy own on comity.escalation_round using (agency = comity.me()) with check (agency = comity.me());
grant select, insert on comity.escalation to comity_app;
grant select, insert, update on comity.escalation_round to comity_app;
