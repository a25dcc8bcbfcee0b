-- Whatever a session's search_path is, the functions of the change log find the tables of Espelho, and each capture those
-- that it was made for: a table of the same name in another schema, or a temporary one, does not take their place. And
-- tables of the same name in two schemas have captures of their own.
--
-- Makes the triggers of one capture, and the function of those for INSERT, UPDATE and DELETE. Arguments as of `capture`;
-- `path` is what names in `keys` are looked up in. Keys may come from joined tables that move while the locks are waited
-- for, so they are resolved again in a fresh statement until nothing is new.
DO $install$
DECLARE
  here CONSTANT text := (SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = 'entry'::regclass);
BEGIN
  DROP FUNCTION capture_triggers(regclass, text, text, boolean);
  EXECUTE format($define$
CREATE FUNCTION %1$I.capture_triggers(source regclass, view text, keys text, owns boolean, path text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $make$
DECLARE
  whole CONSTANT text := 'capture_' || view || '_of_' || source;
  name CONSTANT text := CASE WHEN octet_length(whole) < 64 THEN whole ELSE 'capture_' || md5(whole) END;
  function CONSTANT text := format('%%I.%%I', %1$L, name);
  old_keys CONSTANT text := format('WITH changed AS (SELECT * FROM old_rows)
    SELECT key FROM (%%s) AS resolved (key) WHERE key IS NOT NULL', keys);
  new_keys CONSTANT text := replace(old_keys, 'FROM old_rows', 'FROM new_rows');
  both_keys CONSTANT text := replace(old_keys, 'FROM old_rows', 'FROM old_rows UNION ALL SELECT * FROM new_rows');
  event record;
BEGIN
  EXECUTE format($function$
    CREATE OR REPLACE FUNCTION %%1$s() RETURNS trigger LANGUAGE plpgsql SET search_path = %%7$s
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET jit = off
    AS $body$
    #variable_conflict use_column
    DECLARE
      fresh text[];
      locked text[] := '{}';
    BEGIN
      LOOP
        IF TG_OP = 'INSERT' THEN
          fresh := array(SELECT * FROM (%%4$s) AS new_keys EXCEPT SELECT unnest(locked));
        ELSIF TG_OP = 'DELETE' THEN
          fresh := array(SELECT * FROM (%%3$s) AS old_keys EXCEPT SELECT unnest(locked));
        ELSE
          fresh := array(SELECT * FROM (%%5$s) AS both_keys EXCEPT SELECT unnest(locked));
        END IF;
        EXIT WHEN fresh = '{}';
        PERFORM %1$I.entry_lock(%%2$L, fresh);
        locked := locked || fresh;
      END LOOP;
      PERFORM %1$I.entry_bump(%%2$L, locked);
      IF %%6$L AND TG_OP <> 'INSERT' THEN
        IF TG_OP = 'UPDATE' THEN
          locked := array(SELECT * FROM (%%3$s) AS old_keys EXCEPT SELECT * FROM (%%4$s) AS new_keys);
        END IF;
        UPDATE %1$I.entry SET deleted = true WHERE view = %%2$L AND key = ANY (locked);
      END IF;
      RETURN NULL;
    END
    $body$ $function$, function, view, old_keys, new_keys, both_keys, owns, path);
  FOR event IN
    SELECT word, transition, body, lower('capture_' || view || '_' || word) AS trigger FROM (VALUES
      ('INSERT', 'REFERENCING NEW TABLE AS new_rows', function),
      ('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows', function),
      ('DELETE', 'REFERENCING OLD TABLE AS old_rows', function),
      ('TRUNCATE', '', format('%%I.entry_capture', %1$L))) AS events (word, transition, body)
  LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER %%I AFTER %%s ON %%s %%s FOR EACH STATEMENT EXECUTE FUNCTION %%s(%%L, %%L, %%L)',
      event.trigger, event.word, source, event.transition, event.body, view, keys, owns);
    EXECUTE format('ALTER TABLE %%s ENABLE ALWAYS TRIGGER %%I', source, event.trigger);
  END LOOP;
END
$make$
  $define$, here);
  EXECUTE format($define$
CREATE OR REPLACE FUNCTION %1$I.capture(source regclass, view text, keys text, owns boolean) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
  path CONSTANT text := (SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false) || '{pg_temp}'::name[])
    AS name WHERE name NOT LIKE 'pg\_temp\_%%');
  existing text[];
BEGIN
  PERFORM %1$I.capture_triggers(source, view, keys, owns, path);
  EXECUTE format('WITH changed AS (SELECT * FROM %%s) SELECT array_agg(DISTINCT key) FROM (%%s) AS resolved (key)
    WHERE key IS NOT NULL', source, keys) INTO existing;
  -- Nobody can have cached them yet, so they count as changed long ago: by the first ordinary transaction id.
  INSERT INTO %1$I.entry (view, key, partition, version, xid, changed_at, deleted)
    SELECT capture.view, k, %1$I.entry_partition_of(capture.view, k), nextval('%1$I.entry_version'), '3', clock_timestamp(), false
    FROM unnest(existing) AS k ON CONFLICT DO NOTHING;
END
$body$
  $define$, here);
  -- Not by a path of its own: triggers that were put off until now would run under it, and those may be anybody's.
  EXECUTE format($define$
CREATE OR REPLACE FUNCTION %1$I.entries_changed() RETURNS TABLE (view text, key text, version bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $body$
BEGIN
  SET CONSTRAINTS ALL IMMEDIATE;
  RETURN QUERY SELECT mine.view, mine.key, mine.version FROM %1$I.entry AS mine
    WHERE mine.xid = pg_current_xact_id() AND mine.version > 0;
END
$body$
  $define$, here);
END
$install$;
--> statement-breakpoint
-- The functions that name tables of Espelho, each with the schema of these as its path. None is compiled: for what runs a
-- few times in a statement, Postgres would take a tenth of a second, where a scan that is put off looks that dear.
DO $$
DECLARE
  home CONSTANT oid := (SELECT relnamespace FROM pg_class WHERE oid = 'entry'::regclass);
  function regprocedure;
BEGIN
  FOR function IN
    SELECT oid FROM pg_proc WHERE pronamespace = home AND proname IN ('entry_partition_of', 'entry_lock', 'entry_bump',
      'entry_locked', 'entry_capture', 'cache_barrier', 'is_trusted_elsewhere', 'gateway_renew',
      'partition_close', 'partition_open', 'partitions_close', 'snapshot_covers')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %s, pg_temp SET jit = off', function, home::regnamespace);
  END LOOP;
END
$$;
--> statement-breakpoint
-- The captures that there are, as their triggers tell: none has a backslash in its keys, which `escape` would double. Names in
-- their keys are looked up beside the table first. A capture whose keys name what is not found there ends the migration.
DO $$
DECLARE
  before_all CONSTANT text := current_setting('search_path');
  path CONSTANT text[] := current_schemas(false);
  args text[];
  source regclass;
  beside text;
  former oid[];
  each oid;
BEGIN
  SELECT array_agg(DISTINCT tgfoid) INTO former FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE tgname LIKE 'capture\_%' AND proname LIKE 'capture\_%\_of\_%';
  FOR source, beside, args IN
    SELECT tgrelid::regclass, nspname, string_to_array(encode(tgargs, 'escape'), '\000')
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE tgfoid = 'entry_capture'::regproc AND tgname LIKE '%\_truncate'
  LOOP
    PERFORM set_config('search_path', (SELECT string_agg(quote_ident(name), ', ') FROM unnest(beside || path) AS name), true);
    EXECUTE format('WITH changed AS (SELECT * FROM %s LIMIT 0) SELECT count(key) FROM (%s) AS resolved (key)', source, args[2]);
    PERFORM capture_triggers(source, args[1], args[2], args[3]::boolean, current_setting('search_path') || ', pg_temp');
  END LOOP;
  FOREACH each IN ARRAY coalesce(former, '{}') LOOP
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = each) THEN
      EXECUTE format('DROP FUNCTION %s', each::regprocedure);
    END IF;
  END LOOP;
  PERFORM set_config('search_path', before_all, true);
END
$$;
