-- Reserves a block of numbers in a transaction of its own, in one round trip; answers the first of them.
create or replace function comity.reserve(for_agency text, of_key text, size bigint, at timestamptz) returns bigint
language plpgsql as $$
declare
    begins bigint;
begin
    perform set_config('comity.agency', for_agency, true);
    perform set_config('synchronous_commit', 'off', true);
    insert into comity.counter as c (agency, key, next) values (for_agency, of_key, size + 1)
    on conflict (agency, key) do update set next = c.next + size returning c.next - size into begins;
    insert into comity.number_block (agency, key, first, last, reserved_at)
    values (for_agency, of_key, begins, begins + size - 1, at);
    return begins;
end $$;

revoke execute on function comity.reserve from public;
grant execute on function comity.reserve to comity_app;
