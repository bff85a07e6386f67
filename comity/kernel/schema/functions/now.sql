-- One clock. A transaction says its instant when it begins (comity.begin, comity/clock.py), and what ends, ends by
-- it in SQL as in Python. Whoever speaks SQL as the app role can set it too. So it only ever shortens: an end is
-- measured by the later of it and the database's own clock, and a beginning, as well as the longest time of an
-- emergency (policy emergency_opens), by the database's own clock alone. A clock set back revives nothing, one set
-- ahead begins nothing early.
create or replace function comity.now() returns timestamptz language sql stable as
$$ select greatest(pg_catalog.now(), nullif(current_setting('comity.instant', true), '')::timestamptz) $$;

revoke execute on function comity.now from public;
grant execute on function comity.now to comity_app;
