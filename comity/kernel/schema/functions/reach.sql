-- The agencies whose rows one may come near to: one's own, and those of a live agreement, offer or share, and of an
-- institution that judged what one reported of it. An offer whose time is over ties nobody, whether or not its
-- offerer has ended it yet. In plpgsql and always as its owner, so that a session keeps its plan: as a plain SQL
-- function it was planned anew for each statement under the policy, which took longer than the statement. It sees
-- no more than comity.me() may.
create or replace function comity.reach() returns text[] language plpgsql stable security definer
set search_path = comity, pg_temp as $$
declare
    instant timestamptz := comity.now();
begin
    return case when exists (select 1 from comity.agency where id = comity.me() and state = 'suspended')
        then array[comity.me()] else (
        select array_agg(other) from (
            select comity.me() as other
            union select case agency when comity.me() then to_agency else agency end from comity.agreement
                   where (agency = comity.me() or to_agency = comity.me())
                     and valid_from <= current_date + 1 and instant::date - 1 <= valid_until
            union select case from_agency when comity.me() then to_agency else from_agency end from comity.offer
                   where agency = comity.me() and not ends
                     and (state <> 'offered' or expires_at is null or expires_at > instant)
            union select agency from comity.share where to_agency = comity.me() and live
                     and (until is null or until > instant)
            union select agency from comity.reported where by_agency = comity.me() and state <> 'open'
        ) reachable) end;
end $$;

revoke execute on function comity.reach from public;
grant execute on function comity.reach to comity_app, comity_sequencer;
