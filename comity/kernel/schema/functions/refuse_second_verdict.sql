-- What was reported of an institution is confirmed or disputed once.
create or replace function comity.refuse_second_verdict() returns trigger language plpgsql as $$
begin
    if old.state <> 'open' then
        raise exception 'the report is %', old.state using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

revoke execute on function comity.refuse_second_verdict from public;
