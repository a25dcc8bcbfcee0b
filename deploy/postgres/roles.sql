-- The roles of Espelho, made once by a superuser in the database of Espelho:
--   psql -v ON_ERROR_STOP=1 -d espelho -f roles.sql
-- Then give those that log in a password: psql -c '\password espelho_gateway'
--   espelho_migrator  owns the tables; for "espelho migrate" alone
--   espelho_gateway   for gateways and commands: rows, no tables
--   espelho_reader    for people and reports: reads, and no secret, token or idempotency key
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['espelho_migrator', 'espelho_gateway', 'espelho_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', name);
    END IF;
  END LOOP;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO espelho_migrator, espelho_gateway, espelho_reader', current_database());
  EXECUTE format('GRANT CREATE ON DATABASE %I TO espelho_migrator', current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO espelho_migrator;
GRANT USAGE ON SCHEMA public TO espelho_gateway, espelho_reader;
