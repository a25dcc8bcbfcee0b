-- The functions of the change log, with statements that are planned once in a session. Planning took most of the time of a
-- small write. A plan is kept for whatever comes later in its session, one row or a bulk load: so it goes by indexes.
ALTER FUNCTION entry_lock(text, text[]) SET plan_cache_mode = force_generic_plan;
--> statement-breakpoint
ALTER FUNCTION entry_lock(text, text[]) SET enable_seqscan = off;
--> statement-breakpoint
ALTER FUNCTION entry_lock(text, text[]) SET enable_hashjoin = off;
--> statement-breakpoint
ALTER FUNCTION entry_lock(text, text[]) SET enable_mergejoin = off;
--> statement-breakpoint
-- Locks as `entry_lock` does; the versions that stand then.
CREATE FUNCTION entry_locked(in_view text, keys text[]) RETURNS TABLE (key text, version bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
  PERFORM entry_lock(in_view, keys);
  RETURN QUERY SELECT mine.key, mine.version FROM entry AS mine WHERE mine.view = in_view AND mine.key = ANY (keys);
END
$$;
--> statement-breakpoint
-- The entries that this transaction has changed so far. Constraints that wait for COMMIT are checked now: whatever their
-- triggers change counts too.
CREATE FUNCTION entries_changed() RETURNS TABLE (view text, key text, version bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
  SET CONSTRAINTS ALL IMMEDIATE;
  RETURN QUERY SELECT mine.view, mine.key, mine.version FROM entry AS mine
    WHERE mine.xid = pg_current_xact_id() AND mine.version > 0;
END
$$;
--> statement-breakpoint
-- Trigger of a cached table for TRUNCATE, which names no rows: every entry of the view gets a new version. Arguments as
-- of `capture`, without the table.
CREATE OR REPLACE FUNCTION entry_capture() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  all_keys CONSTANT text[] := array_agg(key) FROM entry WHERE view = TG_ARGV[0] AND NOT deleted;
BEGIN
  PERFORM entry_lock(TG_ARGV[0], all_keys);
  PERFORM entry_bump(TG_ARGV[0], all_keys);
  UPDATE entry SET deleted = true WHERE TG_ARGV[2]::boolean AND view = TG_ARGV[0] AND key = ANY (all_keys);
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- Makes the triggers of one capture, and the function of those for INSERT, UPDATE and DELETE. Arguments as of `capture`.
-- Keys may come from joined tables that move while the locks are waited for, so they are resolved again in a fresh statement
-- until nothing is new.
CREATE FUNCTION capture_triggers(source regclass, view text, keys text, owns boolean) RETURNS void
LANGUAGE plpgsql AS $make$
DECLARE
  function CONSTANT text := format('%I', 'capture_' || view || '_of_' || (SELECT relname FROM pg_class WHERE oid = source));
  old_keys CONSTANT text := format('WITH changed AS (SELECT * FROM old_rows)
    SELECT key FROM (%s) AS resolved (key) WHERE key IS NOT NULL', keys);
  new_keys CONSTANT text := replace(old_keys, 'FROM old_rows', 'FROM new_rows');
  both_keys CONSTANT text := replace(old_keys, 'FROM old_rows', 'FROM old_rows UNION ALL SELECT * FROM new_rows');
  event record;
BEGIN
  EXECUTE format($function$
    CREATE OR REPLACE FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    AS $body$
    #variable_conflict use_column
    DECLARE
      fresh text[];
      locked text[] := '{}';
    BEGIN
      LOOP
        IF TG_OP = 'INSERT' THEN
          fresh := array(SELECT * FROM (%4$s) AS new_keys EXCEPT SELECT unnest(locked));
        ELSIF TG_OP = 'DELETE' THEN
          fresh := array(SELECT * FROM (%3$s) AS old_keys EXCEPT SELECT unnest(locked));
        ELSE
          fresh := array(SELECT * FROM (%5$s) AS both_keys EXCEPT SELECT unnest(locked));
        END IF;
        EXIT WHEN fresh = '{}';
        PERFORM entry_lock(%2$L, fresh);
        locked := locked || fresh;
      END LOOP;
      PERFORM entry_bump(%2$L, locked);
      IF %6$L AND TG_OP <> 'INSERT' THEN
        IF TG_OP = 'UPDATE' THEN
          locked := array(SELECT * FROM (%3$s) AS old_keys EXCEPT SELECT * FROM (%4$s) AS new_keys);
        END IF;
        UPDATE entry SET deleted = true WHERE view = %2$L AND key = ANY (locked);
      END IF;
      RETURN NULL;
    END
    $body$ $function$, function, view, old_keys, new_keys, both_keys, owns);
  FOR event IN
    SELECT name, transition, body, lower('capture_' || view || '_' || name) AS trigger FROM (VALUES
      ('INSERT', 'REFERENCING NEW TABLE AS new_rows', function),
      ('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows', function),
      ('DELETE', 'REFERENCING OLD TABLE AS old_rows', function),
      ('TRUNCATE', '', 'entry_capture')) AS events (name, transition, body)
  LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s(%L, %L, %L)',
      event.trigger, event.name, source, event.transition, event.body, view, keys, owns);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', source, event.trigger);
  END LOOP;
END
$make$;
--> statement-breakpoint
-- Makes `source` a cached table: each change of it gives a new version to the entries of `view` that `keys` names, a query
-- over `changed` (the old and new rows); with `owns` each row is one entry, so that the entry is deleted with it. The rows
-- that it has already have their entries from now on: TRUNCATE finds the entries of a view nowhere else.
CREATE OR REPLACE FUNCTION capture(source regclass, view text, keys text, owns boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  existing text[];
BEGIN
  PERFORM capture_triggers(source, view, keys, owns);
  EXECUTE format('WITH changed AS (SELECT * FROM %s) SELECT array_agg(DISTINCT key) FROM (%s) AS resolved (key)
    WHERE key IS NOT NULL', source, keys) INTO existing;
  -- Nobody can have cached them yet, so they count as changed long ago: by the first ordinary transaction id.
  INSERT INTO entry (view, key, partition, version, xid, changed_at, deleted)
    SELECT capture.view, k, entry_partition_of(capture.view, k), nextval('entry_version'), '3', clock_timestamp(), false
    FROM unnest(existing) AS k ON CONFLICT DO NOTHING;
END
$$;
--> statement-breakpoint
-- The captures that there are, as their triggers tell: none has a backslash in its keys, which `escape` would double.
DO $$
DECLARE
  args text[];
  source regclass;
BEGIN
  FOR source, args IN
    SELECT tgrelid::regclass, string_to_array(encode(tgargs, 'escape'), '\000') FROM pg_trigger
    WHERE tgfoid = 'entry_capture'::regproc AND tgname LIKE '%\_truncate'
  LOOP
    PERFORM capture_triggers(source, args[1], args[2], args[3]::boolean);
  END LOOP;
END
$$;
--> statement-breakpoint
-- Closes partitions for a transaction that cannot fence them, until it ends and for whoever comes after: no gateway opens
-- them before it has ended. Answers the epochs that are closed then; `in_use` where another gateway trusts the store.
-- Transactions that find a partition closed hold its row together, and do not wait for each other.
CREATE OR REPLACE FUNCTION partitions_close(in_partitions integer[], me uuid)
RETURNS TABLE (partition integer, epoch text, in_use boolean)
LANGUAGE plpgsql AS $$
DECLARE
  each integer;
  is_open boolean;
BEGIN
  INSERT INTO entry_partition AS mine (partition, incarnation, epoch, generation, open)
    SELECT p, '', 1, 1, false FROM unnest(in_partitions) AS p ORDER BY p ON CONFLICT DO NOTHING;
  FOR each IN SELECT p FROM unnest(in_partitions) AS p ORDER BY p LOOP
    SELECT mine.open INTO is_open FROM entry_partition AS mine WHERE mine.partition = each;
    IF is_open THEN
      PERFORM FROM entry_partition AS mine WHERE mine.partition = each FOR UPDATE;
    ELSE
      SELECT mine.open INTO is_open FROM entry_partition AS mine WHERE mine.partition = each FOR SHARE;
      IF is_open THEN
        RAISE 'A partition was opened meanwhile' USING ERRCODE = 'serialization_failure';
      END IF;
    END IF;
  END LOOP;
  UPDATE entry_partition AS mine SET open = false, covered = NULL, epoch = mine.epoch + 1
    WHERE mine.partition = ANY (in_partitions) AND mine.open AND NOT is_trusted_elsewhere(mine.incarnation, me);
  RETURN QUERY SELECT mine.partition, mine.epoch::text, mine.open FROM entry_partition AS mine
    WHERE mine.partition = ANY (in_partitions);
END
$$;
