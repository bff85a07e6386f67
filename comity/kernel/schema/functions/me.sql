-- The agency for which this transaction acts; `-` when code forgot to say, and then nothing is visible.
create or replace function comity.me() returns text language sql stable as
$$ select coalesce(nullif(current_setting('comity.agency', true), ''), '-') $$;

revoke execute on function comity.me from public;
grant execute on function comity.me to comity_app, comity_sequencer;
