-- The receiver answers, the offerer withdraws or lets expire; what was answered stays answered, what has ended,
-- ended. While the receiver is no member, the offerer records in its own log what the receiver told it.
create or replace function comity.refuse_going_back() returns trigger language plpgsql as $$
begin
    if old.ends and not new.ends or new.state <> old.state and (old.state <> 'offered' or not (
       case when new.state in ('withdrawn', 'expired') then comity.me() = old.from_agency
            else comity.me() = old.to_agency or comity.me() = old.from_agency and exists (
                select 1 from comity.agency a where a.id = old.to_agency and a.membership <> 'member') end)) then
        raise exception 'the offer is %', old.state using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

revoke execute on function comity.refuse_going_back from public;
