-- The agencies for which a webhook is due, without showing what.
create or replace function comity.webhooks_due(at timestamptz) returns setof text
language sql stable security definer set search_path = comity, pg_temp as $$
    select distinct agency from comity.outbox where state = 'due' and follower = 'webhook' and due_at <= at
$$;

revoke execute on function comity.webhooks_due from public;
grant execute on function comity.webhooks_due to comity_app;
