-- A side's own row of an offer goes on and never back: what has ended, ended; what was answered, stays so, and a receiver that
-- noted the end first has not answered. An answer is the receiver's entry, or while that is no member, the offerer's own.
create or replace function comity.refuse_going_back() returns trigger language plpgsql security definer
set search_path = comity, pg_temp as $$
begin
    if old.ends and not new.ends
       or old.ended_entry is not null and new.ended_entry is distinct from old.ended_entry
       or old.noted_entry is not null and (new.noted_entry is distinct from old.noted_entry or new.answer_entry is not null)
       or old.answer_entry is not null and (new.answer_entry, new.state) is distinct from (old.answer_entry, old.state)
       or old.answer_entry is null and new.answer_entry is null and new.state <> old.state
          and (old.state not in ('offered', 'withdrawing') or new.state not in (new.ended_as, 'withdrawing'))
       or old.answer_entry is null and new.answer_entry is not null and not exists (
          select 1 from comity.entry e
           where e.id = new.answer_entry and e.record = new.id and e.kind = 'answer' and e.act = new.state
             and (e.agency = new.to_agency or e.agency = new.from_agency and exists (
                 select 1 from comity.agency a where a.id = new.to_agency and a.membership <> 'member'))) then
        raise exception 'the offer is %', old.state using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

revoke execute on function comity.refuse_going_back from public;
