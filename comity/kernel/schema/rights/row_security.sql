-- Every table has forced row-level security, so that a new one shows nothing until a policy says to whom. The epoch alone is
-- one number for all.
do $$
declare
    t regclass;
begin
    for t in select oid from pg_class
              where relnamespace = 'comity'::regnamespace and relkind = 'r' and relname <> 'epoch' loop
        execute format('alter table %s enable row level security, force row level security', t);
    end loop;
end $$;
grant usage on schema comity to comity_app, comity_sequencer;
