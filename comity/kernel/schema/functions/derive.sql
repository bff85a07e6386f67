-- The marks of what somebody derives a record from. Whoever derives and whoever marks what others derive from take
-- one lock, shared and alone: so nothing is derived unmarked from what is being marked. In plpgsql, so that what is
-- read is read after the wait.
create or replace function comity.derive(targets uuid[]) returns table (target uuid, marks text[]) language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(4801008, 0);
    return query select r.id, r.marks from comity.record r where r.id = any(targets) and cardinality(r.marks) > 0;
end $$;

revoke execute on function comity.derive from public;
grant execute on function comity.derive to comity_app;
