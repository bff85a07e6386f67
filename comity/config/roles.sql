-- Run by a superuser once, in the database that Comity uses. It may be run again.
-- No role of Comity is a superuser and none passes by row-level security: start-up refuses such a role.
-- A server of your own: give the three login roles a password or a pg_hba.conf rule of your choosing.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['comity_owner', 'comity_app', 'comity_sequencer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION', wanted);
        END IF;
    END LOOP;
    ALTER ROLE comity_owner LOGIN;
    ALTER ROLE comity_app LOGIN;
    ALTER ROLE comity_sequencer LOGIN;
    EXECUTE format('ALTER DATABASE %I OWNER TO comity_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO comity_app, comity_sequencer', current_database());
END
$$;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;
